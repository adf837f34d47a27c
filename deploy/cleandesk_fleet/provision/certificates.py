"""What was signed: by whom, for whom, until when, and who was told to go."""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from sqlalchemy import ColumnElement, select, update
from sqlalchemy.engine import Row

from cleandesk_fleet.provision import pki
from cleandesk_fleet.provision.authorities import Issuer
from cleandesk_fleet.provision.change import Change
from cleandesk_fleet.provision.pki import PublicKey, Signer, Span
from cleandesk_fleet.provision.tables import certificates


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


def revoke(
    change: Change, issuer: Issuer, name: str, reason: str, *, but: str | None = None
) -> list[str]:
    """Revoke a name's certificates that hold now, `but` one; returns their serial numbers."""
    serials = [row.serial for row in valid(change, issuer, name) if row.serial != but]
    change.connection.execute(
        update(certificates)
        .where(certificates.c.serial.in_(serials))
        .values(revoked_at=change.now, reason=reason, put_out_at=None)
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


def to_put_out(change: Change, *, only_revoked: bool = False) -> list[str]:
    """Return whose certificate ran out or was revoked, and whose connection was not ended since.

    Who has a newer one comes back by it.
    """
    over: ColumnElement[bool] = certificates.c.revoked_at.is_not(None)
    if not only_revoked:
        over |= certificates.c.ends_at <= change.now
    names = change.connection.scalars(
        select(certificates.c.name).where(over, certificates.c.put_out_at.is_(None)).distinct()
    )
    return list(names)


def were_put_out(change: Change, names: Sequence[str]) -> None:
    """Take note that these have no connection left that a certificate now over began."""
    over = (certificates.c.ends_at <= change.now) | certificates.c.revoked_at.is_not(None)
    change.connection.execute(
        update(certificates)
        .where(certificates.c.name.in_(names), over, certificates.c.put_out_at.is_(None))
        .values(put_out_at=change.now)
    )
    for name in names:
        change.note("put out", name)
