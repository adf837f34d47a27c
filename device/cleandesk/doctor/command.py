"""The commands `cleandesk doctor` and `cleandesk diag`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cleandesk import speaking

if TYPE_CHECKING:
    from cleandesk.doctor.visit import Report


def doctor(
    config: speaking.ConfigOption,
    *,
    aimed: Annotated[
        bool,
        typer.Option("--aimed", help="The camera is aimed right: have the running box remember it"),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object")] = False,
) -> None:
    """Look for what is wrong with this box: each failure has a code, and a fix.

    Camera, model, clock, disk, heat, certificate, broker, its rules, and the subscriber's word. A
    box that runs is asked; of one that does not, the camera is opened for two seconds and the
    broker called in its name. In a break the camera is left alone. No picture is shown, kept or
    sent.

    Exit codes: 0 nothing failed; 1 something did; 2 the settings cannot be used.
    With --json what keeps the doctor from looking is one object, too: `ok` is false, and `problems`
    or `reason` say why.
    """
    from cleandesk.doctor import telling  # noqa: PLC0415

    report = _visit(config, aimed=aimed, as_json=as_json)
    if as_json:
        typer.echo(json.dumps(telling.as_data(report), ensure_ascii=False))
    else:
        from rich.console import Console  # noqa: PLC0415

        telling.tell(report, Console())
    raise typer.Exit(0 if report.well else speaking.EXIT_FAILED)


def diag(
    config: speaking.ConfigOption,
    *,
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="FILE", help="Where the archive goes")
    ] = Path("cleandesk-diag.tar.gz"),
) -> None:
    """Write an archive for those who help: logs, versions, settings, the doctor's word, numbers.

    There is no key, token or PIN in it, no picture, and nothing of a message about the worker.

    Exit codes: 0 done, whatever the doctor says; 1 it cannot be written; 2 the settings cannot be
    used.
    """
    from cleandesk.clock import SystemClock  # noqa: PLC0415
    from cleandesk.doctor import diag as archive  # noqa: PLC0415

    report = _visit(config)
    try:
        names = archive.write(report, out, SystemClock())
    except archive.DiagError as error:
        speaking.fail(str(error), speaking.EXIT_FAILED)
    typer.echo(f"{out}: {', '.join(names)}")


def _visit(config: Path, *, aimed: bool = False, as_json: bool = False) -> "Report":
    from cleandesk.clock import SystemClock  # noqa: PLC0415
    from cleandesk.config import ConfigError, load  # noqa: PLC0415
    from cleandesk.contract import logs  # noqa: PLC0415
    from cleandesk.doctor.visit import visit  # noqa: PLC0415
    from cleandesk.page.errors import BoxFailedError, BoxUnreachableError  # noqa: PLC0415
    from cleandesk.settings import BoxSettings  # noqa: PLC0415

    logs.configure("error")
    try:
        settings = load(config, BoxSettings)
        return visit(settings, SystemClock(), base=config.absolute().parent, aimed=aimed)
    except ConfigError as error:
        speaking.refuse(error, as_json=as_json)
    except (BoxFailedError, BoxUnreachableError) as error:
        why = f"the aim is not remembered: {error}: the box must run, outside a break"
        if as_json:
            typer.echo(json.dumps({"ok": False, "reason": why}, ensure_ascii=False))
            raise typer.Exit(speaking.EXIT_FAILED) from None
        speaking.fail(why, speaking.EXIT_FAILED)
