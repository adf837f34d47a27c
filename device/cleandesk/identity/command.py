"""The commands `cleandesk claim` and `cleandesk renew`."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from cleandesk.identity.chain import Identity
    from cleandesk.identity.home import Home

_HomeOption = Annotated[
    Path, typer.Option("--home", metavar="DIR", help="Where settings and identity are kept")
]
# Not asked by access(2) before it is read: that knows of no rights but a user's own.
_CardOption = Annotated[
    Path,
    typer.Option(
        "--card", metavar="DIR", help="What `cleandesk-provision sd` wrote", readable=False
    ),
]
_JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object")]
_HOME = Path("/etc/cleandesk")


def claim(
    *,
    card: _CardOption = Path("/boot/firmware/cleandesk"),
    home: _HomeOption = _HOME,
    as_json: _JsonOption = False,
) -> None:
    """Become the box that the card names: make a key, have it signed for, try it on the broker.

    Stop the box first. Run again after a power cut it goes on where it was; when it is done the
    token is wiped from the card.

    Exit codes: 0 done; 1 refused, or somebody must look; 2 the card cannot be used; 75 try again
    (the service, the broker or the disk).
    """
    from cleandesk.clock import SystemClock  # noqa: PLC0415
    from cleandesk.identity.claiming import Claiming  # noqa: PLC0415

    def work(kept: "Home") -> "tuple[str, Identity]":
        done, identity = Claiming(card, kept, SystemClock()).run()
        return "claimed" if done else "already claimed", identity

    _do(work, home, as_json=as_json)


def renew(
    *,
    home: _HomeOption = _HOME,
    now: Annotated[bool, typer.Option("--now", help="Also where it is not due")] = False,
    as_json: _JsonOption = False,
) -> None:
    """Get the box's next certificate where it is due, and keep the time for the next power cut.

    Due is it in the last third of its life. The box may run: it uses the new one with its next
    connection.

    Exit codes: 0 done; 1 refused, or somebody must look; 2 the card cannot be used; 75 try again
    (the service, the broker or the disk).
    """
    from cleandesk.clock import SystemClock  # noqa: PLC0415
    from cleandesk.identity.renewal import Renewal  # noqa: PLC0415

    def work(kept: "Home") -> "tuple[str, Identity]":
        done, identity = Renewal(kept, SystemClock()).run(now=now)
        return "renewed" if done else "not due", identity

    _do(work, home, as_json=as_json)


def _do(work: "Callable[[Home], tuple[str, Identity]]", home: Path, *, as_json: bool) -> None:
    from cleandesk.contract import logs  # noqa: PLC0415
    from cleandesk.identity.errors import IdentityError  # noqa: PLC0415
    from cleandesk.identity.home import Home  # noqa: PLC0415
    from cleandesk.identity.renewal import due_at  # noqa: PLC0415

    logs.configure("warning")
    try:
        did, identity = work(Home(home))
    except IdentityError as error:
        if as_json:
            typer.echo(json.dumps({"ok": False, **error.as_data()}))
        else:
            typer.echo(str(error), err=True)
        raise typer.Exit(error.exit_code) from None
    ends_at, next_at = identity.certificate.not_valid_after_utc, due_at(identity.certificate)
    if as_json:
        told = {"ok": True, "did": did, "box": identity.name, "serial": identity.serial}
        moments = {"ends_at": ends_at.isoformat(), "renews_at": next_at.isoformat()}
        typer.echo(json.dumps(told | moments))
    else:
        typer.echo(
            f"{identity.name}: {did}. Certificate {identity.serial} holds to {ends_at:%Y-%m-%d}, "
            f"and is renewed from {next_at:%Y-%m-%d} on."
        )
