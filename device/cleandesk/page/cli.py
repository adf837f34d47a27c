"""`cleandesk-page`: serve the worker's page, and what provisioning needs for it."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NoReturn

import typer

from cleandesk.config import ConfigError, load
from cleandesk.contract import logs
from cleandesk.page.errors import PageError

if TYPE_CHECKING:
    from cleandesk.page.settings import PageSettings

app = typer.Typer(
    name="cleandesk-page",
    help="The worker's page: what the box does and sent, breaks, and objections, over HTTPS on the "
    "home network. Exit codes: 0 done, 1 failed, 2 wrong settings or usage.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

ConfigOption = Annotated[
    Path, typer.Option("--config", "-c", metavar="FILE", help="The page's settings, YAML")
]


def main() -> None:
    """Run the command line; errors that have a fix are told without a trace."""
    try:
        app()
    except ConfigError as error:
        _fail(str(error), 2)
    except PageError as error:
        _fail(str(error), 1)


@app.command()
def run(
    config: ConfigOption,
    *,
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"],
        typer.Option(help="How much to tell on standard error"),
    ] = "info",
) -> None:
    """Serve the page until SIGTERM or Ctrl-C; ends at once, well, where it is not enabled."""
    from cleandesk.page.serve import serve  # noqa: PLC0415

    settings = _load(config)
    logs.configure(log_level)
    serve(settings)


@app.command()
def check(config: ConfigOption) -> None:
    """Check the settings and the label's PIN; listens nowhere."""
    from cleandesk.page.pins import read_label  # noqa: PLC0415

    settings = _load(config)
    if settings.page.enabled:
        read_label(settings.label)
    typer.echo(f"{config}: good. {settings.address if settings.page.enabled else 'no page'}")


@app.command()
def fingerprint(config: ConfigOption) -> None:
    """Print the SHA-256 fingerprint of the page's certificate, which is made if it is not there.

    Print it on paper for the worker, who compares it when the browser warns.
    """
    from cleandesk.page.serve import certificate_of  # noqa: PLC0415

    typer.echo(certificate_of(_load(config)).fingerprint)


@app.command("hash-pin")
def hash_pin() -> None:
    """Read the label's PIN from standard input and print what the page's `label` file holds."""
    from cleandesk.contract.pin_hash import hashed  # noqa: PLC0415
    from cleandesk.page import pins  # noqa: PLC0415

    pin = sys.stdin.readline().strip()
    weakness = pins.weakness(pin)
    if weakness:
        _fail(
            f"the PIN is refused ({weakness}): use {pins.SHORTEST} to {pins.LONGEST} digits, drawn "
            "by chance, no row and no repetition",
            2,
        )
    typer.echo(hashed(pin))


def _load(config: Path) -> "PageSettings":
    from cleandesk.page.settings import PageSettings  # noqa: PLC0415

    return load(config, PageSettings)


def _fail(text: str, code: int) -> NoReturn:
    sys.stderr.write(f"{text}\n")
    sys.exit(code)
