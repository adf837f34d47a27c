"""What every command shares: its options, where its fleet comes from, and how it answers."""

import inspect
import json
import os
import pwd
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from cleandesk.config import load
from cleandesk.contract.topics import Address, TopicError
from cleandesk_fleet.provision.change import Registry
from cleandesk_fleet.provision.database import open_database
from cleandesk_fleet.provision.errors import LockedError, UsageError
from cleandesk_fleet.provision.fleet import Fleet
from cleandesk_fleet.provision.settings import ProvisionSettings

_WIDE = 240
_SHORTEST_PASSPHRASE = 12
_PASSPHRASE = "CLEANDESK_PASSPHRASE"  # noqa: S105 - a variable's name

Config = Annotated[
    Path,
    typer.Option("--config", "-c", envvar="CLEANDESK_PROVISION", help="The settings, YAML"),
]
AsJson = Annotated[bool, typer.Option("--json", help="Answer with one JSON object")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Say what would be done; nothing is kept or written")
]
PassphraseFile = Annotated[
    Path | None,
    typer.Option(
        help=f"File with the passphrase; default: ${_PASSPHRASE}, or the terminal is asked"
    ),
]
Box = Annotated[str, typer.Argument(help="<site>/<box>")]
Wait = Annotated[float, typer.Option(min=1, max=600, help="Wait so long for the box, in seconds")]
DEFAULT_CONFIG = Path("provision.yaml")
#: What the help groups commands by.
ONCE, BOXES, BESIDES = "Setting up, once", "A box, from the first to the last", "Besides"


@dataclass
class Answer:
    """What a command has to say: lines for people, or one JSON object.

    Attributes:
        as_json: Which of both.
        dry: Nothing was done; both say so.
    """

    as_json: bool
    dry: bool = False
    _said: dict[str, Any] = field(default_factory=dict)

    def say(self, text: str, **facts: object) -> None:
        """Say one thing; facts are for the JSON object only."""
        self.add(**facts)
        if not self.as_json:
            prefix = "would do: " if self.dry else ""
            Console(soft_wrap=True, highlight=False, markup=False).print(prefix + text)

    def add(self, **facts: object) -> None:
        """Add facts to the JSON object."""
        self._said |= facts

    def rows(
        self, name: str, rows: Sequence[Mapping[str, object]], *, hidden: str | None = None
    ) -> None:
        """Show rows as a table; people are not shown the `hidden` column."""
        self._said[name] = rows
        if self.as_json:
            return
        columns = [column for column in (rows[0] if rows else ()) if column != hidden]
        table = Table(box=None, pad_edge=False)
        for column in columns:
            table.add_column(column.removesuffix("_at"), overflow="fold")
        for row in rows:
            table.add_row(*(Text(_shown(row[column])) for column in columns))
        # Without a terminal a line is a row: somebody may look for something in it.
        width = None if sys.stdout.isatty() else _WIDE
        Console(width=width).print(table if rows else f"no {name}")

    def close(self) -> None:
        """Finish: write the JSON object."""
        if self.as_json:
            said = {"dry_run": self.dry, **self._said}
            sys.stdout.write(json.dumps(said, default=str, ensure_ascii=False) + "\n")


def _shown(cell: object) -> str:
    match cell:
        case None:
            return "-"
        case datetime():
            return f"{cell:%Y-%m-%d %H:%M:%S}Z"
        case _:
            return str(cell)


@contextmanager
def told(*, as_json: bool) -> Iterator[Callable[[str], None]]:
    """Show what is waited for, on standard error; with `--json` nothing is shown."""
    if as_json:
        yield _unshown
        return
    with Console(stderr=True, highlight=False).status("asking the broker") as status:
        yield lambda text: status.update(escape(text))


def _unshown(_: str) -> None:
    """Stand in for a display."""


@dataclass(frozen=True, slots=True)
class Work:
    """What a command works with.

    Attributes:
        fleet: Of the configuration.
        answer: What it has to say.
    """

    fleet: Fleet
    answer: Answer

    @property
    def dry(self) -> bool:
        """Whether nothing is to be kept or written."""
        return self.answer.dry


Command = TypeVar("Command", bound=Callable[..., int | None])


def command(
    app: typer.Typer, name: str | None = None, *, panel: str | None = None, changes: bool = True
) -> Callable[[Command], Command]:
    """Register a function `(Work, …)` as a command with `--config`, `--json` and `--dry-run`.

    What it returns, if anything, is the exit code.

    Args:
        app: Where.
        name: Default: the function's.
        panel: What the help groups it with.
        changes: It changes something; else there is no `--dry-run`.
    """
    shared = [_option("config", Config, DEFAULT_CONFIG), _option("as_json", AsJson, False)]
    shared += [_option("dry_run", DryRun, False)] if changes else []

    def register(function: Command) -> Command:
        def run(config: Path, *, as_json: bool, dry_run: bool = False, **given: object) -> None:
            answer = Answer(as_json, dry_run)
            code = function(Work(fleet(config, dry=dry_run), answer), **given)
            answer.close()
            raise typer.Exit(code or 0)

        own = inspect.signature(function)
        its = [one.replace(kind=one.KEYWORD_ONLY) for one in own.parameters.values()][1:]
        parameters = [*its, *shared]
        run.__name__, run.__doc__ = function.__name__, function.__doc__
        run.__signature__ = own.replace(parameters=parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {one.name: one.annotation for one in parameters}
        app.command(name, rich_help_panel=panel)(run)
        return function

    return register


def _option(name: str, annotation: object, default: object) -> inspect.Parameter:
    kind = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(name, kind, default=default, annotation=annotation)


def fleet(config: Path, *, dry: bool = False, who: str | None = None) -> Fleet:
    """Return the fleet of a configuration.

    Raises:
        ConfigError: If the settings are wrong.
        UsageError: If there are none.
        ProvisionError: If the state cannot be opened.
    """
    if not config.exists():
        raise UsageError(
            f"{config}: no settings here: copy deploy/provision.yaml and change it, or name the "
            "file by --config or CLEANDESK_PROVISION"
        )
    settings = load(config, ProvisionSettings)
    registry = Registry(open_database(settings.state, dry=dry), who or _who(), dry=dry)
    return Fleet(settings, registry)


def _who() -> str:
    """Return who acts, by the kernel's word; only root can say for whom: sudo does."""
    user = os.getuid()
    if user == 0 and (caller := os.environ.get("SUDO_USER")):
        return caller
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return f"user {user}"


def passphrase(file: Path | None, *, new: bool = False) -> bytes:
    """Return the passphrase: from a file, the environment, or the terminal.

    Raises:
        LockedError: If there is none, or a new one is too short.
    """
    if file is not None:
        try:
            text = file.read_text(encoding="utf-8").rstrip("\n")
        except OSError as error:
            raise LockedError(f"{file}: {error.strerror}: give the passphrase's file") from error
    elif (given := os.environ.get(_PASSPHRASE)) is not None:
        text = given
    elif sys.stdin.isatty():
        text = typer.prompt("Passphrase", hide_input=True, confirmation_prompt=new, err=True)
    else:
        raise LockedError(f"no passphrase: set {_PASSPHRASE}, or give --passphrase-file")
    if new and len(text) < _SHORTEST_PASSPHRASE:
        raise LockedError(
            f"this passphrase has {len(text)} characters: use {_SHORTEST_PASSPHRASE} or more"
        )
    return text.encode()


def address(text: str) -> Address:
    """Read `<site>/<box>`.

    Raises:
        UsageError: If it is none.
    """
    site, slash, box = text.partition("/")
    if not slash:
        raise UsageError(f"{text!r} is no box: write <site>/<box>")
    try:
        return Address(site, box)
    except TopicError as error:
        raise UsageError(str(error)) from error
