"""The command `cleandesk`. Heavy libraries are imported by the commands that need them."""

import json
import math
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from cleandesk import __version__
from cleandesk import bench_cli as measuring
from cleandesk import ledger_cli as ledgers
from cleandesk import wiping_cli as wiping
from cleandesk.doctor import command as doctors
from cleandesk.identity import command as identity
from cleandesk.speaking import EXIT_FAILED, EXIT_HELD, EXIT_USAGE, ConfigOption, fail, refuse, say
from cleandesk.update import command as updates
from cleandesk.worker.languages import Language

if TYPE_CHECKING:
    from cleandesk.detector import Detector

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 done; 1 it failed while running; 2 the command line, the settings or the "
    "model cannot be used; 69 reboot the machine (a process that cannot be killed has the outbox); "
    "75 start me again (it was asked for, or the camera is beyond what this process can do).",
)


class Level(StrEnum):
    """How much is logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


def _version(wanted: bool) -> None:  # noqa: FBT001 - typer's way to call it
    if wanted:
        typer.echo(f"cleandesk {__version__}")
        raise typer.Exit


@app.callback()
def _all(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version")
    ] = False,
) -> None:
    """Sees whether a desk is clean, and publishes violations over MQTT; nothing else leaves."""


@app.command()
def run(
    config: ConfigOption,
    *,
    show: Annotated[bool, typer.Option("--show", help="Show live what is seen, as text")] = False,
    until_end: Annotated[
        bool,
        typer.Option("--until-end", help="End with the recording, when all events are answered"),
    ] = False,
    log_level: Annotated[
        Level | None,
        typer.Option(help="What is logged on standard error; default: info, warning with --show"),
    ] = None,
) -> None:
    """Look at the desk until stopped by SIGTERM or Ctrl-C.

    Logs are JSON, one object a line; plain text on a terminal.
    """
    from cleandesk.contract import logs  # noqa: PLC0415

    logs.configure((log_level or (Level.WARNING if show else Level.INFO)).value)

    from cleandesk import starting  # noqa: PLC0415
    from cleandesk.checks import read_settings  # noqa: PLC0415
    from cleandesk.config import ConfigError  # noqa: PLC0415
    from cleandesk.detector import ModelError  # noqa: PLC0415
    from cleandesk.evidence import EvidenceError  # noqa: PLC0415
    from cleandesk.link import OutboxError, OutboxHeldError  # noqa: PLC0415
    from cleandesk.worker.errors import PinError  # noqa: PLC0415

    try:
        settings = read_settings(config)
        code = starting.run(settings, base=config.absolute().parent, show=show, until_end=until_end)
    except ConfigError as error:
        refuse(error)
    except ModelError as error:
        fail(str(error), EXIT_USAGE)
    except OutboxHeldError as error:
        fail(str(error), EXIT_HELD)
    except (EvidenceError, OutboxError, PinError) as error:
        fail(str(error), EXIT_FAILED)
    raise typer.Exit(code)


@app.command()
def check(
    config: ConfigOption,
    *,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print {file, ok, problems} on standard output")
    ] = False,
) -> None:
    """Check a box's settings, and that its model loads and knows the rules' classes.

    Says everything that is wrong at once, each with its line and a fix.
    """
    from cleandesk.checks import advice, untried  # noqa: PLC0415
    from cleandesk.checks import check as check_all  # noqa: PLC0415
    from cleandesk.config import ConfigError  # noqa: PLC0415

    try:
        settings, detector = check_all(config)
    except ConfigError as error:
        if as_json:
            typer.echo(json.dumps({"file": str(config), "ok": False, "problems": error.as_data()}))
            raise typer.Exit(EXIT_USAGE) from None
        refuse(error)
    manifest, weights = detector.manifest, detector.weights
    for rule, name in untried(settings, manifest):
        say(
            f"{config}: rule '{rule}' uses '{name}', whose threshold was never tried on real "
            "pictures: expect false alarms, and watch it before you trust it"
        )
    for unwise in advice(settings):
        say(f"{config}: {unwise}")
    if as_json:
        typer.echo(json.dumps({"file": str(config), "ok": True, "problems": []}))
    else:
        typer.echo(
            f"{config}: good. {settings.site}/{settings.box}, {len(settings.rules)} rules, "
            f"model {manifest.name} {manifest.version} in {weights.precision} ({weights.why})"
        )


@app.command()
def privacy(
    config: ConfigOption,
    *,
    lang: Annotated[Language, typer.Option(help="In which language")] = Language.EN,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print facts with their values, and their words")
    ] = False,
) -> None:
    """Print what is sensed, sent and kept by these settings. The worker's page shows the same."""
    from cleandesk.config import ConfigError, load  # noqa: PLC0415
    from cleandesk.settings import BoxSettings  # noqa: PLC0415
    from cleandesk.worker import statement, wording  # noqa: PLC0415

    try:
        settings = load(config, BoxSettings)
    except ConfigError as error:
        refuse(error)
    choices = statement.Choices.of(settings)
    facts, texts = statement.statement(settings, choices), wording.words(lang)
    box = f"{settings.site}/{settings.box}"
    if as_json:
        typer.echo(json.dumps(wording.as_data(facts, texts, box), ensure_ascii=False))
    else:
        typer.echo(wording.as_text(facts, texts, box))


@app.command()
def detect(
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH…", help="Pictures, or folders of pictures")
    ],
    *,
    score: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Least score, 0.001 for all; default: the model's own"),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON on a terminal too, not tables")
    ] = False,
    draw: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write annotated pictures into this folder")
    ] = None,
    manifest: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Another model's manifest")
    ] = None,
) -> None:
    """Print what the model sees in pictures: one JSON object a picture, one a line.

    {"image": path, "detections": a list of {"class", "score", "box", "believed"}}; a box is x1, y1,
    x2, y2 in pixels of the original picture; `believed` says whether the score reaches the model's
    threshold for the class. A picture that cannot be read is named on standard error, the others go
    on, and the exit code is 1. On a terminal it prints tables.
    """
    from cleandesk.detect import Looker, Seen  # noqa: PLC0415

    if score is not None and math.isnan(score):
        raise typer.BadParameter("write a number from 0 to 1", param_hint="--score")
    try:
        looker = Looker(_detector(manifest), score=score, folder=draw)
    except OSError as error:
        fail(f"{draw}: cannot be made ({error.strerror}); name another folder", EXIT_FAILED)
    tables = Console() if sys.stdout.isatty() and not as_json else None
    failed = False
    for seen in looker.look(paths):
        if not isinstance(seen, Seen):
            failed = True
            say(str(seen))
        elif tables:
            tables.print(seen.to_table())
        else:
            typer.echo(seen.to_json())
    raise typer.Exit(EXIT_FAILED if failed else 0)


for command in (
    ledgers.ledger,
    measuring.bench,
    identity.claim,
    identity.renew,
    doctors.doctor,
    doctors.diag,
    wiping.wipe,
):
    app.command()(command)
app.add_typer(updates.app, name="update")


def _detector(manifest: Path | None) -> "Detector":
    from cleandesk.detector import Detector, ModelError  # noqa: PLC0415

    try:
        return Detector.load(manifest)
    except ModelError as error:
        fail(str(error), EXIT_USAGE)


def main() -> None:
    """Run the command line."""
    app()
