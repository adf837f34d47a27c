"""A box's new key: asked for over the broker, waited for, and the old one put out of use."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.engine import Row

from cleandesk.contract.commands import Outcome, RotateKeyRequest, RotateKeyResponse
from cleandesk.contract.topics import Address, Command
from cleandesk_fleet.provision import boxes, certificates
from cleandesk_fleet.provision.asking import Line, Tell
from cleandesk_fleet.provision.authorities import Issuer
from cleandesk_fleet.provision.boxes import State
from cleandesk_fleet.provision.change import Change
from cleandesk_fleet.provision.errors import BoxError, ConflictError
from cleandesk_fleet.provision.fleet import Fleet
from cleandesk_fleet.provision.tables import rotations

_BYTES = 16


@dataclass(frozen=True, slots=True)
class Rotated:
    """What became of a request for a new key.

    Attributes:
        made: Whether the key was made by this call, or one that this call went on with.
        serial: Of the new certificate; None where nothing was asked (`--dry-run`).
        ends_at: When that one ends.
        revoked: Serial numbers of those before it.
    """

    made: bool
    serial: str | None = None
    ends_at: datetime | None = None
    revoked: Sequence[str] = ()


def rotate(
    fleet: Fleet, address: Address, *, request: str | None, wait_s: float, tell: Tell
) -> Rotated:
    """Have a box make a new key, and revoke what it had before.

    A request that was cut off, or not answered, is gone on with: the box does it once.

    Args:
        fleet: The fleet.
        address: The box.
        request: A name for it, of the caller's; one that was done is not done again.
        wait_s: Wait so long for the box, seconds.
        tell: Told what is waited for.

    Raises:
        UnknownNameError: If there is no such box.
        ConflictError: If it has no certificate to replace.
        OfflineError: If it is not there. It must bring a new key at its next renewal all the same.
        BoxError: If it says no.
        BrokerError: If the broker is away, or does not work with the new list. Do it again.
    """
    with fleet.registry.change() as change:
        row = _open(change, address, request)
    if row.serial is not None:
        done = _certificate(fleet, address, row.serial)
        return Rotated(False, row.serial, done.ends_at)
    if fleet.registry.dry:
        return Rotated(True)
    with Line(fleet.admin(), address, Command.ROTATE_KEY) as line:
        correlation = bytes.fromhex(row.correlation)
        said = line.ask(
            RotateKeyRequest(), RotateKeyResponse, correlation, wait_s=wait_s, tell=tell
        )
    if said.outcome is not Outcome.DONE or said.serial is None:
        with fleet.registry.change() as change:
            _end(change, row, None)
            change.note("no new key", str(address), outcome=said.outcome, detail=said.detail)
        raise BoxError(
            f"{address} has made no new key ({said.outcome}): {said.detail or 'it said no more'}: "
            "mend that, then do it again"
        )
    new = _certificate(fleet, address, said.serial)
    tell("revoking the old certificate")
    with fleet.registry.change() as change:
        revoked = certificates.replace(change, new)
    fleet.publish(Issuer.BOXES)
    with fleet.registry.change() as change:
        _end(change, row, said.serial)
        change.note("new key made", str(address), serial=said.serial)
    return Rotated(True, said.serial, new.ends_at, revoked)


def _open(change: Change, address: Address, request: str | None) -> Row[Any]:
    """Return the request to go on with, or the one of this name that was done; else a new one."""
    state = boxes.known(change, address).state
    if state != State.ENROLLED:
        fix = "it makes its first key by itself" if state == State.NEW else "it has no way back in"
        raise ConflictError(f"{address} is {state}: {fix}; `rotate` is for boxes that are enrolled")
    its = select(rotations).where(rotations.c.site == address.site, rotations.c.box == address.box)
    if request is not None:
        named = its.where(rotations.c.request == request, rotations.c.serial.is_not(None))
        if (done := change.connection.execute(named).first()) is not None:
            return done
    waits = its.where(rotations.c.ended_at.is_(None))
    if change.connection.execute(waits).first() is None:
        correlation = secrets.token_hex(_BYTES)
        row = {"correlation": correlation, "site": address.site, "box": address.box}
        change.connection.execute(rotations.insert().values(**row, asked_at=change.now))
        boxes.want_new_key(change, address)
    begun = change.connection.execute(waits).one()
    if request is not None:
        _update(change, begun.correlation, request=request)
    return begun


def _end(change: Change, row: Row[Any], serial: str | None) -> None:
    _update(change, row.correlation, ended_at=change.now, serial=serial)


def _update(change: Change, correlation: str, **values: object) -> None:
    change.connection.execute(
        update(rotations).where(rotations.c.correlation == correlation).values(**values)
    )


def _certificate(fleet: Fleet, address: Address, serial: str) -> Row[Any]:
    """Return a certificate that a box says it has."""
    with fleet.registry.change() as change:
        row = certificates.by_serial(change, serial)
        if row is not None and row.name == str(address):
            return row
        change.note("a certificate that is not ours", str(address), alarm=True, serial=serial)
    raise BoxError(
        f"{address} answers with the certificate {serial}, which was not signed here: `revoke` it, "
        "and look for who runs a second service"
    )
