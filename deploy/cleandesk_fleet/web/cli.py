"""`cleandesk-subscriber web`: serve the page for ops, and make accounts for it."""

import getpass
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from cleandesk.config import load
from cleandesk.contract.messages import timestamp
from cleandesk_fleet.services import LogLevel, begin
from cleandesk_fleet.web.errors import WebError
from cleandesk_fleet.web.roles import Role
from cleandesk_fleet.web.settings import WebSettings

app = typer.Typer(
    no_args_is_help=True,
    help="The page for ops: boxes, violations, stills, appeals, and who looked at what.",
)
account = typer.Typer(
    no_args_is_help=True, help="Accounts of the page, where no proxy signs people in."
)
app.add_typer(account, name="account")

ConfigFile = Annotated[
    Path, typer.Option("--config", "-c", metavar="FILE", help="The page's settings, YAML")
]
Name = Annotated[str, typer.Argument(metavar="NAME", help="The account's name")]
RoleOption = Annotated[
    Role, typer.Option(help="viewer: no stills; reviewer: stills and appeals; admin: accounts too")
]
#: Installed with the extra `web` alone; all that needs them is imported where it is used.
_LIBRARIES = ("argon2", "jinja2", "starlette", "uvicorn")


@app.callback()
def need_libraries() -> None:
    """Say what to install where the page's libraries are missing."""
    missing = [name for name in _LIBRARIES if find_spec(name) is None]
    if missing:
        raise WebError(f"no {', '.join(missing)}: install it with 'pip install cleandesk[web]'")


@app.command()
def run(config: ConfigFile, log_level: LogLevel = "info") -> None:
    """Serve the page until SIGTERM or Ctrl-C."""
    from cleandesk_fleet.web.serve import serve  # noqa: PLC0415

    serve(begin(config, WebSettings, log_level))


@app.command()
def check(config: ConfigFile) -> None:
    """Check the settings, the log and the proxy's secret; listens nowhere."""
    from cleandesk_fleet.web.serve import assemble  # noqa: PLC0415

    settings = load(config, WebSettings)
    assemble(settings).store.close()
    typer.echo(f"{config}: good. {settings.url}, log {settings.store.place}")


@account.command()
def add(name: Name, config: ConfigFile, role: RoleOption) -> None:
    """Make an account; asks for its password, or reads it from standard input."""
    from cleandesk_fleet.web import manage  # noqa: PLC0415

    manage.add(load(config, WebSettings), name, role, _password())
    typer.echo(f"{name} may sign in as {role.value}")


@account.command()
def password(name: Name, config: ConfigFile) -> None:
    """Give an account another password; ends its sessions."""
    from cleandesk_fleet.web import manage  # noqa: PLC0415

    manage.set_password(load(config, WebSettings), name, _password())
    typer.echo(f"{name} has a new password, and no session any more")


@account.command()
def role(name: Name, config: ConfigFile, role: RoleOption) -> None:
    """Give an account another role."""
    from cleandesk_fleet.web import manage  # noqa: PLC0415

    manage.set_role(load(config, WebSettings), name, role)
    typer.echo(f"{name} is {role.value} from now on")


@account.command()
def remove(name: Name, config: ConfigFile) -> None:
    """Delete an account and its sessions; what it did stays in the trail."""
    from cleandesk_fleet.web import manage  # noqa: PLC0415

    manage.remove(load(config, WebSettings), name)
    typer.echo(f"{name} is deleted")


@account.command("list")
def show(config: ConfigFile) -> None:
    """List accounts."""
    from cleandesk_fleet.web import manage  # noqa: PLC0415

    table = Table("name", "role", "state", "made", "signed in", box=None, pad_edge=False)
    for one in manage.every(load(config, WebSettings)):
        seen = "-" if one.seen_at is None else timestamp(one.seen_at)
        state = "disabled" if one.disabled else "good"
        table.add_row(one.name, one.role.value, state, timestamp(one.created_at), seen)
    Console().print(table)


def _password() -> str:
    """Ask twice on a terminal; else read one line."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    first = getpass.getpass("Password: ")
    if getpass.getpass("Once more: ") != first:
        raise WebError("the passwords differ: nothing was changed")
    return first
