"""What was signed: by whom, for whom, until when, and who was told to go."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from sqlalchemy import func, select, update
from sqlalchemy.engine import Row

from cleandesk_fleet.provision import pki
from cleandesk_fleet.provision.authorities import Issuer
from cleandesk_fleet.provision.change import Change
from cleandesk_fleet.provision.pki import PublicKey, Signer, Span
from cleandesk_fleet.provision.tables import certificates


@dataclass(frozen=True, slots=True)
class Over:
    """A certificate that ran out or was revoked.

    Attributes:
        revoked: Also if it ran out since.
    """

    serial: str
    issuer: Issuer
    name: str
    revoked: bool


def fingerprint(key: PublicKey) -> str:
    """Return the SHA-256 of a public key (its SubjectPublicKeyInfo), in hexadecimal."""
    encoded = key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return hashlib.sha256(encoded).hexdigest()


def sign(
    change: Change,
    signer: Signer,
    key: PublicKey,
    name: str,
    *,
    issuer: Issuer,
    lasts: timedelta,
    use: x509.ObjectIdentifier = pki.CLIENT,
    names: Sequence[str] = (),
) -> str:
    """Sign a certificate and enter it; returns it as PEM."""
    made = pki.leaf(signer, key, name, Span.starting(change.now, lasts), use=use, names=names)
    pem = made.public_bytes(serialization.Encoding.PEM).decode()
    serial = f"{made.serial_number:x}"
    change.connection.execute(
        certificates.insert().values(
            serial=serial,
            issuer=issuer.value,
            name=name,
            key=fingerprint(key),
            pem=pem,
            made_at=change.now,
            ends_at=made.not_valid_after_utc,
        )
    )
    change.note("certificate signed", name, issuer=issuer.value, serial=serial)
    return pem


def by_serial(change: Change, serial: str) -> Row[Any] | None:
    """Return the row of a certificate; None if it was not signed here."""
    return change.connection.execute(
        select(certificates).where(certificates.c.serial == serial)
    ).one_or_none()


def valid(
    change: Change, issuer: Issuer, name: str, key: PublicKey | None = None
) -> list[Row[Any]]:
    """Return a name's certificates that hold now, the newest first; of one key, if it is given."""
    wanted = select(certificates).where(
        certificates.c.issuer == issuer.value,
        certificates.c.name == name,
        certificates.c.revoked_at.is_(None),
        certificates.c.ends_at > change.now,
    )
    if key is not None:
        wanted = wanted.where(certificates.c.key == fingerprint(key))
    order = certificates.c.made_at.desc(), certificates.c.ends_at.desc()
    return list(change.connection.execute(wanted.order_by(*order)))


def holder_of(change: Change, key: PublicKey) -> str | None:
    """Return who was given a certificate for a key before; None if nobody was."""
    name: str | None = change.connection.scalar(
        select(certificates.c.name).where(certificates.c.key == fingerprint(key)).limit(1)
    )
    return name


def was_revoked(change: Change, issuer: Issuer, name: str, key: PublicKey) -> bool:
    """Say whether a key was put out of use: revoked, and no certificate for it holds."""
    revoked = select(certificates.c.serial).where(
        certificates.c.key == fingerprint(key), certificates.c.revoked_at.is_not(None)
    )
    found = change.connection.execute(revoked.limit(1)).first()
    return found is not None and not valid(change, issuer, name, key)


def revoke(
    change: Change, issuer: Issuer, name: str, reason: str, *, but: str | None = None
) -> list[str]:
    """Revoke a name's certificates that hold now, `but` one; returns their serial numbers."""
    serials = [row.serial for row in valid(change, issuer, name) if row.serial != but]
    return _revoke(change, name, serials, reason, put_out_at=None)


def replace(change: Change, row: Row[Any]) -> list[str]:
    """Revoke what a box had before a certificate that it has connected with by now.

    Nobody need be put out: with one client id there is one connection, and the box has begun that
    anew. Whoever else holds an old key cannot come back once the list is in force.

    Returns:
        Serial numbers.
    """
    older = [
        one.serial
        for one in valid(change, Issuer(row.issuer), row.name)
        if one.made_at < row.made_at
    ]
    return _revoke(change, row.name, older, "a new key came", put_out_at=change.now)


def _revoke(
    change: Change, name: str, serials: list[str], reason: str, *, put_out_at: datetime | None
) -> list[str]:
    change.connection.execute(
        update(certificates)
        .where(certificates.c.serial.in_(serials))
        .values(revoked_at=change.now, reason=reason, put_out_at=put_out_at)
    )
    for serial in serials:
        change.note("certificate revoked", name, serial=serial, reason=reason)
    return serials


def revoked(change: Change, issuer: Issuer) -> list[tuple[int, datetime]]:
    """Return what belongs on the revocation list: revoked, and not over by itself."""
    rows = change.connection.execute(
        select(certificates.c.serial, certificates.c.revoked_at).where(
            certificates.c.issuer == issuer.value,
            certificates.c.revoked_at.is_not(None),
            certificates.c.ends_at > change.now,
        )
    )
    return [(int(row.serial, 16), row.revoked_at) for row in rows]


def running_out(change: Change, within: timedelta) -> list[tuple[str, datetime]]:
    """Return whose newest certificate ends so soon, and when; not of boxes, which renew themselves.

    Args:
        change: The transaction.
        within: So soon.
    """
    ends = func.max(certificates.c.ends_at)
    rows = change.connection.execute(
        select(certificates.c.name, ends.label("ends_at"))
        .where(
            certificates.c.issuer != Issuer.BOXES.value,
            certificates.c.revoked_at.is_(None),
        )
        .group_by(certificates.c.issuer, certificates.c.name)
        .having(ends > change.now, ends < change.now + within)
        .order_by(ends)
    )
    return [(row.name, row.ends_at) for row in rows]


def to_put_out(change: Change) -> list[Over]:
    """Return what ran out or was revoked, and whose holder's connection was not ended since.

    Not the revoked ones of operators: until their list is in force they would come back, and only
    who has the passphrase can write it.
    """
    revoked = certificates.c.revoked_at.is_not(None)
    of_a_box = certificates.c.issuer == Issuer.BOXES.value
    ended = (revoked & of_a_box) | (~revoked & (certificates.c.ends_at <= change.now))
    rows = change.connection.execute(
        select(certificates).where(ended, certificates.c.put_out_at.is_(None))
    )
    return [_over(row) for row in rows]


def revoked_of(change: Change, issuer: Issuer, name: str) -> list[Over]:
    """Return a name's certificates that were revoked."""
    rows = change.connection.execute(
        select(certificates).where(
            certificates.c.issuer == issuer.value,
            certificates.c.name == name,
            certificates.c.revoked_at.is_not(None),
        )
    )
    return [_over(row) for row in rows]


def _over(row: Row[Any]) -> Over:
    return Over(row.serial, Issuer(row.issuer), row.name, row.revoked_at is not None)


def were_put_out(change: Change, over: Sequence[Over]) -> None:
    """Take note that no connection is left that one of these certificates began.

    By serial number: what was revoked meanwhile is still to be done.
    """
    change.connection.execute(
        update(certificates)
        .where(certificates.c.serial.in_([one.serial for one in over]))
        .values(put_out_at=change.now)
    )
    for name in sorted({one.name for one in over}):
        change.note("put out", name)
