"""The commands that ask a running box something, over the broker."""

from typing import Annotated

import typer

from cleandesk_fleet.provision import rotating, verifying
from cleandesk_fleet.provision.boundary import (
    BOXES,
    Box,
    Wait,
    Work,
    address,
    command,
    told,
)

_FAILED = 1


def add_commands(app: typer.Typer) -> None:
    """Add the commands of this module."""
    command(app, panel=BOXES)(rotate)
    command(app, panel=BOXES, changes=False)(verify)


def rotate(
    work: Work,
    name: Box,
    wait: Wait = 60,
    request: Annotated[
        str | None,
        typer.Option(help="A name for this request: the same name again makes no other key"),
    ] = None,
) -> None:
    """Have a running box make a new key and connect with it, then revoke the old one.

    A call that was cut off, or had no answer, is gone on with by the next one: that makes one key.
    After a call that ended well the next one makes another key, unless --request names it. A box
    that is offline is not waited for (exit code 9); it makes a new key at its next renewal.
    """
    here, box = work.fleet, address(name)
    with told(as_json=work.answer.as_json) as tell:
        done = rotating.rotate(here, box, request=request, wait_s=wait, tell=tell)
    facts = {"serial": done.serial, "ends_at": done.ends_at, "revoked": done.revoked}
    if done.ends_at is None:
        text = f"ask {name} for a new key, and revoke the present one"
    elif done.made:
        text = f"{name} has a new key; its certificate {done.serial} ends {done.ends_at:%Y-%m-%d}"
    else:
        text = f"{name} made its key {done.serial} for this request before"
    work.answer.say(text, box=name, made=done.made, **facts)


def verify(
    work: Work,
    name: Box,
    wait: Wait = 60,
) -> int:
    """Check a box from here: what the box says of itself, and what state and broker say of it.

    One line for each failure that was looked for, with a code that never changes its meaning.
    "Not tried" is no failure: it says why. Exit codes: 0 nothing failed; 1 something did.
    """
    with told(as_json=work.answer.as_json) as tell:
        found = verifying.verify(work.fleet, address(name), wait_s=wait, tell=tell)
    work.answer.rows("checks", [one.as_row() for one in found.checks], hidden="fix")
    work.answer.say(found.summary, box=name, ok=found.ok, aiming_view=found.aiming_view)
    return 0 if found.ok else _FAILED
