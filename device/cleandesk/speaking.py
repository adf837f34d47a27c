"""What the commands of `cleandesk` share: the option for the settings, and how they give up."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    from cleandesk.config import ConfigError

EXIT_FAILED, EXIT_USAGE = 1, 2
#: A reboot alone helps; the box's unit sees to it, by this number.
EXIT_HELD = 69

ConfigOption = Annotated[
    Path, typer.Option("--config", "-c", metavar="FILE", help="The box's settings, YAML")
]


def refuse(error: "ConfigError", *, as_json: bool = False) -> NoReturn:
    """Say everything that is wrong with a configuration, and end.

    For programs it is one object, where the answer would have gone.
    """
    if as_json:
        typer.echo(json.dumps({"ok": False, "problems": error.as_data()}, ensure_ascii=False))
        raise typer.Exit(EXIT_USAGE)
    for problem in error.problems:
        say(str(problem))
    count = len(error.problems)
    fail("1 problem" if count == 1 else f"{count} problems", EXIT_USAGE)


def say(text: str) -> None:
    """Print a line on standard error, whatever it is made of."""
    typer.echo(text.encode(errors="backslashreplace").decode(), err=True)


def fail(text: str, code: int) -> NoReturn:
    """Say why, and end with this exit code."""
    say(text)
    raise typer.Exit(code)
