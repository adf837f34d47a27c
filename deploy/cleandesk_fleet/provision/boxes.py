"""Sites and boxes, and the claims by which a box becomes one."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import select, update
from sqlalchemy.engine import Row

from cleandesk.contract.topics import Address
from cleandesk_fleet.provision.change import Change
from cleandesk_fleet.provision.errors import ConflictError, UnknownNameError, UsageError
from cleandesk_fleet.provision.tables import boxes, claims, sites

#: Every site, where sites are named.
ALL = "all"
_TOKEN_BYTES = 24
#: What one part of a name in DNS holds; Linux takes one more as a machine's name.
_MAX_HOST = 63


class State(StrEnum):
    """Where a box is in its life."""

    NEW = "new"
    ENROLLED = "enrolled"
    REVOKED = "revoked"
    DECOMMISSIONED = "decommissioned"


@dataclass(frozen=True, slots=True)
class Claim:
    """What lets one box enrol, once.

    Attributes:
        token: In clear text: here and on the card only.
    """

    address: Address
    token: str
    expires_at: datetime


def hashed(token: str) -> str:
    """Return a token as it is stored."""
    return hashlib.sha256(token.encode()).hexdigest()


def add_site(change: Change, site: str) -> bool:
    """Add a site; returns False if it is there.

    Raises:
        TopicError: If it is no name.
        UsageError: If it is the name for all of them.
    """
    Address(site, "x")
    if site == ALL:
        raise UsageError(f"'{ALL}' stands for every site's boxes: name the site otherwise")
    if change.connection.scalar(select(sites.c.site).where(sites.c.site == site)):
        return False
    change.connection.execute(sites.insert().values(site=site, added_at=change.now))
    change.note("site added", site)
    return True


def known_site(change: Change, site: str) -> None:
    """Check that a site is there.

    Raises:
        UnknownNameError: If there is no such site.
    """
    if not change.connection.scalar(select(sites.c.site).where(sites.c.site == site)):
        raise UnknownNameError(f"no site {site}: run `cleandesk-provision site add {site}`")


def find(change: Change, address: Address) -> "Row[tuple[object, ...]] | None":
    """Return a box's row; None if there is no such box."""
    return change.connection.execute(
        select(boxes).where(boxes.c.site == address.site, boxes.c.box == address.box)
    ).one_or_none()


def known(change: Change, address: Address) -> "Row[tuple[object, ...]]":
    """Return a box's row.

    Raises:
        UnknownNameError: If there is no such box.
    """
    row = find(change, address)
    if row is None:
        raise UnknownNameError(
            f"no box {address}: `cleandesk-provision list` shows those there are; "
            "`box new` makes one"
        )
    return row


def add_box(change: Change, address: Address, label: str) -> None:
    """Add a box that is not there yet.

    Args:
        change: The transaction.
        address: The box.
        label: Its label's PIN, hashed.

    Raises:
        UnknownNameError: If there is no such site.
        UsageError: If its name is too long for what its machine is called after it.
    """
    known_site(change, address.site)
    if (over := len(address.host) - _MAX_HOST) > 0:
        raise UsageError(
            f"{address}: its machine would be {address.host}, and a machine's name has at most "
            f"{_MAX_HOST} characters: shorten the box's name by {over}"
        )
    row = {"site": address.site, "box": address.box, "label": label, "state": State.NEW.value}
    change.connection.execute(boxes.insert().values(**row, added_at=change.now))
    change.note("box added", str(address))


def relabel(change: Change, address: Address, label: str) -> None:
    """Take note of a new PIN on a box's label."""
    _update(change, address, label=label)
    change.note("box relabelled", str(address))


def set_state(change: Change, address: Address, state: State) -> None:
    """Take note of where a box is in its life."""
    _update(change, address, state=state.value)


def want_new_key(change: Change, address: Address) -> None:
    """Let a box renew with a new key only, from now on."""
    known(change, address)
    _update(change, address, rotate_at=change.now)
    change.note("new key wanted", str(address))


def _update(change: Change, address: Address, **values: object) -> None:
    change.connection.execute(
        update(boxes)
        .where(boxes.c.site == address.site, boxes.c.box == address.box)
        .values(**values)
    )


def open_claim(change: Change, address: Address) -> datetime | None:
    """Return until when a box may claim itself, with a token that nobody used; None if it may not.

    It is not known here whether the token still lies with the labels: tokens are stored hashed.
    """
    ends: datetime | None = change.connection.scalar(
        select(claims.c.expires_at).where(
            claims.c.site == address.site,
            claims.c.box == address.box,
            claims.c.ended_at.is_(None),
            claims.c.key.is_(None),
            claims.c.expires_at > change.now,
        )
    )
    return ends


def new_claim(change: Change, address: Address, lasts: timedelta) -> Claim:
    """Make a token for a box; older ones of it that nobody used end.

    Raises:
        UnknownNameError: If there is no such box.
        ConflictError: If the box was decommissioned.
    """
    if known(change, address).state == State.DECOMMISSIONED:
        raise ConflictError(f"{address} was decommissioned: give the box another name")
    end_claims(change, address)
    claim = Claim(address, secrets.token_urlsafe(_TOKEN_BYTES), change.now + lasts)
    change.connection.execute(
        claims.insert().values(
            token=hashed(claim.token),
            site=address.site,
            box=address.box,
            made_at=change.now,
            expires_at=claim.expires_at,
        )
    )
    change.note("claim made", str(address), expires_at=claim.expires_at)
    return claim


def end_claims(change: Change, address: Address, *, but: str | None = None) -> None:
    """End a box's claims, used ones too; `but` is a stored token that goes on."""
    change.connection.execute(
        update(claims)
        .where(
            claims.c.site == address.site,
            claims.c.box == address.box,
            claims.c.ended_at.is_(None),
            claims.c.token != (but or ""),
        )
        .values(ended_at=change.now)
    )
