"""The commands that ask a running box something, over the broker."""

from typing import Annotated

import typer

from cleandesk_fleet.provision import rotating, verifying
from cleandesk_fleet.provision.boundary import (
    BOXES,
    DEFAULT_CONFIG,
    Answer,
    AsJson,
    Box,
    Config,
    DryRun,
    Wait,
    address,
    fleet,
    told,
)

_FAILED = 1


def add_commands(app: typer.Typer) -> None:
    """Add the commands of this module."""
    for command in (rotate, verify):
        app.command(rich_help_panel=BOXES)(command)


def rotate(
    name: Box,
    wait: Wait = 60,
    request: Annotated[
        str | None,
        typer.Option(help="A name for this request: the same name again makes no other key"),
    ] = None,
    *,
    config: Config = DEFAULT_CONFIG,
    as_json: AsJson = False,
    dry_run: DryRun = False,
) -> None:
    """Have a running box make a new key and connect with it, then revoke the old one.

    A call that was cut off, or had no answer, is gone on with by the next one: that makes one key.
    After a call that ended well the next one makes another key, unless --request names it. A box
    that is offline is not waited for (exit code 9); it makes a new key at its next renewal.
    """
    answer = Answer(as_json, dry_run)
    here, box = fleet(config, dry=dry_run), address(name)
    with told(as_json=as_json) as tell:
        done = rotating.rotate(here, box, request=request, wait_s=wait, tell=tell)
    facts = {"serial": done.serial, "ends_at": done.ends_at, "revoked": done.revoked}
    if done.ends_at is None:
        text = f"ask {name} for a new key, and revoke the present one"
    elif done.made:
        text = f"{name} has a new key; its certificate {done.serial} ends {done.ends_at:%Y-%m-%d}"
    else:
        text = f"{name} made its key {done.serial} for this request before"
    answer.say(text, box=name, made=done.made, **facts)
    answer.close()


def verify(
    name: Box,
    wait: Wait = 60,
    *,
    config: Config = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Check a box from here: what the box says of itself, and what state and broker say of it.

    One line for each failure that was looked for, with a code that never changes its meaning.
    "Not tried" is no failure: it says why. Exit codes: 0 nothing failed; 1 something did.
    """
    answer = Answer(as_json)
    with told(as_json=as_json) as tell:
        found = verifying.verify(fleet(config), address(name), wait_s=wait, tell=tell)
    answer.rows("checks", [one.as_row() for one in found.checks], hidden="fix")
    answer.say(found.summary, box=name, ok=found.ok, aiming_view=found.aiming_view)
    answer.close()
    raise typer.Exit(0 if found.ok else _FAILED)
