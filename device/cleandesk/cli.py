"""The command `cleandesk`. Heavy libraries are imported by the commands that need them."""

import json
import math
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from rich.console import Console

from cleandesk import __version__
from cleandesk.identity import command as identity
from cleandesk.worker.languages import Language

if TYPE_CHECKING:
    from cleandesk.config import ConfigError
    from cleandesk.detector import Detector

EXIT_FAILED, EXIT_USAGE = 1, 2

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 done; 1 it failed while running; 2 the command line, the settings or the "
    "model cannot be used; 75 start me again (it was asked for, or the camera is beyond what this "
    "process can do).",
)

ConfigOption = Annotated[
    Path, typer.Option("--config", "-c", metavar="FILE", help="The box's settings, YAML")
]


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
    from cleandesk.link import OutboxError  # noqa: PLC0415
    from cleandesk.worker.pins import PinError  # noqa: PLC0415

    try:
        settings = read_settings(config)
        code = starting.run(settings, base=config.absolute().parent, show=show, until_end=until_end)
    except ConfigError as error:
        _refuse(error)
    except ModelError as error:
        _fail(str(error), EXIT_USAGE)
    except (EvidenceError, OutboxError, PinError) as error:
        _fail(str(error), EXIT_FAILED)
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
        _refuse(error)
    manifest, weights = detector.manifest, detector.weights
    for rule, name in untried(settings, manifest):
        _say(
            f"{config}: rule '{rule}' uses '{name}', whose threshold was never tried on real "
            "pictures: expect false alarms, and watch it before you trust it"
        )
    for unwise in advice(settings):
        _say(f"{config}: {unwise}")
    if as_json:
        typer.echo(json.dumps({"file": str(config), "ok": True, "problems": []}))
    else:
        typer.echo(
            f"{config}: good. {settings.site}/{settings.box}, {len(settings.rules)} rules, "
            f"model {manifest.name} {manifest.version} in {weights.precision} ({weights.why})"
        )


@app.command()
def ledger(
    config: ConfigOption,
    *,
    verify: Annotated[
        bool, typer.Option("--verify", help="Check that no entry was changed or taken out")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, one object a line")] = False,
    limit: Annotated[
        int | None, typer.Option("--limit", "-n", min=1, help="Only the newest ones; default: all")
    ] = None,
) -> None:
    """Print every message about the worker, word for word, and what became of it.

    Reads a copy; the box may run. With --verify it names the first entry that does not fit, and
    the exit code is 1; how to check the hashes with other software says cleandesk/link/chain.py.
    """
    from cleandesk import ledger_command  # noqa: PLC0415
    from cleandesk.config import ConfigError, load  # noqa: PLC0415
    from cleandesk.link import LedgerUnreadableError  # noqa: PLC0415
    from cleandesk.settings import BoxSettings  # noqa: PLC0415

    try:
        path = load(config, BoxSettings).outbox.path
        if verify:
            good = ledger_command.verify(path, as_json=as_json, say=typer.echo)
            raise typer.Exit(0 if good else EXIT_FAILED)
        ledger_command.show(path, as_json=as_json, limit=limit, say=typer.echo)
    except ConfigError as error:
        _refuse(error)
    except LedgerUnreadableError as error:
        _fail(str(error), EXIT_FAILED)


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
        _refuse(error)
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
        _fail(f"{draw}: cannot be made ({error.strerror}); name another folder", EXIT_FAILED)
    tables = Console() if sys.stdout.isatty() and not as_json else None
    failed = False
    for seen in looker.look(paths):
        if not isinstance(seen, Seen):
            failed = True
            _say(str(seen))
        elif tables:
            tables.print(seen.to_table())
        else:
            typer.echo(seen.to_json())
    raise typer.Exit(EXIT_FAILED if failed else 0)


@app.command()
def bench(  # noqa: PLR0913 - one for each option
    *,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object; tables go to standard error")
    ] = False,
    source: Annotated[
        Path | None,
        typer.Option(metavar="CLIP", exists=True, dir_okay=False, help="Default: the demo's clip"),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option("--config", "-c", metavar="FILE", exists=True, help="A box's settings"),
    ] = None,
    seconds: Annotated[float, typer.Option(min=0.5, help="Of each run, after its warm-up")] = 5.0,
    rounds: Annotated[int, typer.Option(min=1, help="How often each run is repeated")] = 3,
    broker: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Default: a mosquitto of our own")
    ] = None,
    plain: Annotated[
        Path | None,
        typer.Option(metavar="FILE", exists=True, dir_okay=False, help="Another loop, to compare"),
    ] = None,
    frames: Annotated[int, typer.Option(min=50, help="Memory is watched for so many")] = 5000,
    plot: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the figures as a picture, PNG")
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option(help="speed, events, still, start or memory; default: all")
    ] = None,
) -> None:
    """Measure what the frame loop costs, in ratios within one run.

    Inference alone, the whole loop and another loop (--plain) take turns, each in a process of its
    own; least, median and greatest of all rounds are told. Decoding video does not count: frames
    come from memory, but where a whole loop is compared with another one.
    """
    from cleandesk.bench import BenchError, Plan, Topic, default_clip  # noqa: PLC0415
    from cleandesk.bench import bench as measure  # noqa: PLC0415
    from cleandesk.config import ConfigError  # noqa: PLC0415
    from cleandesk.detector import ModelError  # noqa: PLC0415

    unknown = set(only or ()) - set(Topic)
    if unknown:
        known = ", ".join(Topic)
        raise typer.BadParameter(f"{', '.join(unknown)}: choose of {known}", param_hint="--only")
    try:
        plan = Plan(
            clip=source or default_clip(),
            config=config,
            seconds=seconds,
            rounds=rounds,
            broker=broker,
            plain=plain,
            frames=frames,
            topics=tuple(Topic(name) for name in only or Topic),
        )
        measure(plan, as_json=as_json, plot=plot)
    except ConfigError as error:
        _refuse(error)
    except ModelError as error:
        _fail(str(error), EXIT_USAGE)
    except BenchError as error:
        _fail(str(error), EXIT_FAILED)


app.command()(identity.claim)
app.command()(identity.renew)


def _detector(manifest: Path | None) -> "Detector":
    from cleandesk.detector import Detector, ModelError  # noqa: PLC0415

    try:
        return Detector.load(manifest)
    except ModelError as error:
        _fail(str(error), EXIT_USAGE)


def _refuse(error: "ConfigError") -> NoReturn:
    for problem in error.problems:
        _say(str(problem))
    count = len(error.problems)
    _fail("1 problem" if count == 1 else f"{count} problems", EXIT_USAGE)


def _say(text: str) -> None:
    typer.echo(text.encode(errors="backslashreplace").decode(), err=True)


def _fail(text: str, code: int) -> NoReturn:
    _say(text)
    raise typer.Exit(code)


def main() -> None:
    """Run the command line."""
    app()
