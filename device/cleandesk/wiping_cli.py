"""The command `cleandesk wipe`."""

import json
from pathlib import Path
from typing import Annotated

import typer

from cleandesk.speaking import EXIT_FAILED, EXIT_USAGE, ConfigOption, fail, refuse, say


def wipe(
    config: ConfigOption,
    *,
    page: Annotated[
        Path, typer.Option("--page", metavar="DIR", help="What the worker's page keeps")
    ] = Path("/var/lib/cleandesk-page"),
    yes: Annotated[
        bool, typer.Option("--yes", help="Do it; else it is only said what would go")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object")] = False,
) -> None:
    """Wipe what this box keeps: keys, outbox, ledger, stills, settings, the page's PIN.

    Nothing brings it back, the worker's ledger included. Stop box and page before, and take the box
    out of the fleet by `cleandesk-provision decommission`. Each file is written over and removed,
    and looked for again. What flash memory keeps behind that goes with the card only.

    Exit codes: 0 nothing is left; 1 something is, or a box runs; 2 the settings cannot be used, or
    --yes is missing.
    """
    from cleandesk import wiping  # noqa: PLC0415
    from cleandesk.config import ConfigError, load  # noqa: PLC0415
    from cleandesk.link import OutboxError  # noqa: PLC0415
    from cleandesk.settings import BoxSettings  # noqa: PLC0415

    try:
        place = wiping.Place.of(load(config, BoxSettings), config, page)
    except ConfigError as error:
        refuse(error, as_json=as_json)
    if not yes:
        _tell([], dict.fromkeys(place.files(), "--yes is missing"), as_json=as_json)
        raise typer.Exit(EXIT_USAGE)
    try:
        done = wiping.wipe(place)
    except OutboxError as error:
        fail(str(error), EXIT_FAILED)
    _tell(done.gone, done.left, as_json=as_json)
    raise typer.Exit(EXIT_FAILED if done.left else 0)


def _tell(gone: list[Path], left: dict[Path, str], *, as_json: bool) -> None:
    if as_json:
        said = {"ok": not left, "wiped": [*map(str, gone)]}
        typer.echo(json.dumps(said | {"left": {str(path): why for path, why in left.items()}}))
        return
    for path, why in left.items():
        say(f"{path}: {why}")
    typer.echo(f"{len(gone)} files wiped, {len(left)} left")
