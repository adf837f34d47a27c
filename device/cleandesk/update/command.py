"""The commands `cleandesk update install` and `cleandesk update commit`, for the box's units."""

from pathlib import Path
from typing import Annotated

import typer

from cleandesk.speaking import EXIT_FAILED, fail

app = typer.Typer(no_args_is_help=True, help="Install, try and commit an update of the software.")

_KeptOption = Annotated[
    Path, typer.Option("--kept", metavar="DIR", help="Where the updater keeps what it must know")
]
_KEPT = Path("/var/lib/cleandesk-update")


@app.command()
def install(
    *,
    card: Annotated[
        Path,
        typer.Option("--card", metavar="DIR", help="Has `update.raucb`", readable=False),
    ] = Path("/boot/firmware/cleandesk"),
    fetched: Annotated[
        Path,
        typer.Option("--fetched", metavar="DIR", help="Has what the box fetched", readable=False),
    ] = Path("/var/lib/cleandesk/update"),
    kept: _KeptOption = _KEPT,
    mark: Annotated[
        Path | None,
        typer.Option("--mark", metavar="FILE", help="Is made where a start is to follow"),
    ] = None,
) -> None:
    """Install the bundle on the card, or that the box fetched, into the slot that does not run.

    What became of it is told to the box, and of the card's on the card, in `update.txt`.

    Exit codes: 0 done, or nothing to do; 1 refused.
    """
    from cleandesk.contract import logs  # noqa: PLC0415
    from cleandesk.contract.bundle import UpdateError  # noqa: PLC0415
    from cleandesk.update.commit import Places  # noqa: PLC0415
    from cleandesk.update.install import Outcome  # noqa: PLC0415
    from cleandesk.update.install import install as work  # noqa: PLC0415

    logs.configure("info")
    try:
        outcome = work(Places(card=card, kept=kept, fetched=fetched))
    except UpdateError as error:
        fail(f"the update is refused: {error}", EXIT_FAILED)
    except OSError as error:
        fail(f"{error.filename}: {error.strerror}: look at the card, and the disk", EXIT_FAILED)
    typer.echo(f"update: {outcome}")
    if mark is not None and outcome is Outcome.INSTALLED:
        mark.touch()


@app.command()
def commit(*, kept: _KeptOption = _KEPT) -> None:
    """Commit what runs, once all is healthy that was healthy before the update.

    Exit codes: 0 committed; 1 it must be left.
    """
    from cleandesk.contract import logs  # noqa: PLC0415
    from cleandesk.contract.bundle import UpdateError  # noqa: PLC0415
    from cleandesk.update.commit import Places  # noqa: PLC0415
    from cleandesk.update.commit import commit as work  # noqa: PLC0415

    logs.configure("info")
    try:
        committed = work(Places(kept=kept))
    except UpdateError as error:
        fail(f"the update cannot be committed: {error}", EXIT_FAILED)
    raise typer.Exit(0 if committed else EXIT_FAILED)
