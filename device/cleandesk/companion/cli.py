"""`cleandesk-companion`: tells the page on your desk how old the last input at this computer is.

It sends an age in seconds, never which key, and only to the page whose fingerprint you name.
"""

import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from cleandesk.companion.errors import CompanionError, UnreachableError
from cleandesk.companion.input_age import input_age
from cleandesk.companion.tell import PinnedPage

EVERY_S = 30.0

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.command()
def run(
    page: Annotated[str, typer.Option(metavar="URL", help="https://cleandesk-<box>.local")],
    fingerprint: Annotated[str, typer.Option(help="SHA-256 of the page's certificate")],
    token_file: Annotated[Path, typer.Option(metavar="FILE", help="Holds the token, alone")],
    *,
    once: Annotated[bool, typer.Option("--once", help="Send one age, and end")] = False,
) -> None:
    """Tell the page every 30 seconds how old the last input is: an age, never which key.

    Ends by Ctrl-C, when the token is revoked, and when the site does not ask for it. Exit codes: 0
    done, 1 it cannot go on.
    """
    try:
        target = PinnedPage(page, fingerprint, _token(token_file))
        while True:
            _tell(target, once=once)
            if once:
                return
            time.sleep(EVERY_S)
    except KeyboardInterrupt:
        return
    except CompanionError as error:
        sys.stderr.write(f"{error}\n")
        raise typer.Exit(1) from error


def _tell(target: PinnedPage, *, once: bool) -> None:
    try:
        target.tell(input_age())
    except UnreachableError as error:
        if once:
            raise CompanionError(f"{error}; is this computer on the box's network?") from error
        sys.stderr.write(f"{error}; trying again in {EVERY_S:g} s\n")


def _token(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise CompanionError(
            f"{file}: {error}; make a token under Settings on the page and put it there"
        ) from error


def main() -> None:
    """Run the command line."""
    app()
