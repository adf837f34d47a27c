"""Enrolment and renewal: when a box is given a certificate, and when it is not.

A token is bound to the public key of the first request that shows it. The same token with the same
key gets the same certificate, so that a box whose power was cut at any step just asks again; with
another key it is refused, and that is an alarm: somebody has copied a card.
"""

from datetime import timedelta

from cryptography import x509
from sqlalchemy import select, update

from cleandesk.contract.topics import Address
from cleandesk_fleet.provision import boxes, certificates, pki
from cleandesk_fleet.provision.authorities import Issuer
from cleandesk_fleet.provision.boxes import State
from cleandesk_fleet.provision.change import Change
from cleandesk_fleet.provision.errors import RequestRefusedError
from cleandesk_fleet.provision.pki import PublicKey, Signer, SigningRequest
from cleandesk_fleet.provision.tables import claims

#: A renewal with a key that has a certificate gets that one, as long as so much of it is left.
_FRESH = 2 / 3
_NOT_VALID = (
    "this token is not valid: it is mistyped, used, or too old; write the card anew with "
    "`cleandesk-provision box new --again` and `sd`"
)


class TokenRefusedError(RequestRefusedError):
    """A token that is unknown, over, or somebody else's by now."""


class NewKeyNeededError(RequestRefusedError):
    """The request is for a key that is to be replaced."""


def claim(change: Change, signer: Signer, token: str, request: bytes, lasts: timedelta) -> str:
    """Give a box its certificate; returns it as PEM.

    Commit also when this raises: an alarm has been noted then.

    Raises:
        TokenRefusedError: If the token is not, or no longer, this box's.
        RequestRefusedError: If the request is wrong.
    """
    asked = pki.read_request(request)
    stored = boxes.hashed(token)
    row = change.connection.execute(select(claims).where(claims.c.token == stored)).one_or_none()
    if row is None or row.ended_at is not None:
        raise TokenRefusedError(_NOT_VALID)
    address = Address(row.site, row.box)
    if row.key is not None:
        # Before anything else is looked at: whoever copied a card is alarmed about, also by a
        # request that would be refused anyway.
        return _again(change, address, row.key, row.serial, asked.key)
    key = checked_key(change, asked, address)
    if row.expires_at <= change.now:
        raise TokenRefusedError(_NOT_VALID)
    name = str(address)
    pem = certificates.sign(change, signer, key, name, issuer=Issuer.BOXES, lasts=lasts)
    serial = f"{x509.load_pem_x509_certificate(pem.encode()).serial_number:x}"
    change.connection.execute(
        update(claims)
        .where(claims.c.token == stored)
        .values(key=certificates.fingerprint(key), serial=serial)
    )
    boxes.end_claims(change, address, but=stored)
    boxes.set_state(change, address, State.ENROLLED)
    certificates.revoke(change, Issuer.BOXES, name, "a new card was claimed", but=serial)
    change.note("box claimed", name, serial=serial)
    return pem


def _again(change: Change, address: Address, bound: str, serial: str, key: PublicKey) -> str:
    """Answer a token that was used before."""
    if certificates.fingerprint(key) != bound:
        change.note("token shown with another key", str(address), alarm=True)
        raise TokenRefusedError(_NOT_VALID)
    row = certificates.by_serial(change, serial)
    if row is None or row.revoked_at is not None or row.ends_at <= change.now:
        raise TokenRefusedError(_NOT_VALID)
    return str(row.pem)


def renew(
    change: Change,
    signer: Signer,
    shown: x509.Certificate,
    request: bytes,
    lasts: timedelta,
) -> str:
    """Give a box that has a certificate its next one; returns it as PEM.

    The older one holds to its end, so that a box that was cut off half-way can ask again.

    Args:
        change: The transaction.
        signer: The boxes' authority.
        shown: The certificate that the TLS connection was made with.
        request: The signing request, PEM.
        lasts: The new certificate's.

    Raises:
        RequestRefusedError: If the certificate is over or not ours, or the request is wrong.
    """
    address = holder(change, shown)
    key = checked_key(change, pki.read_request(request), address)
    due = boxes.known(change, address).rotate_at
    latest = next(iter(certificates.valid(change, Issuer.BOXES, str(address), key)), None)
    if latest is not None and due is not None and latest.made_at < due:
        raise NewKeyNeededError(f"{address} must bring a new key: make one and ask with it")
    if latest is not None and (latest.ends_at - change.now) > _FRESH * lasts:
        return str(latest.pem)
    return certificates.sign(change, signer, key, str(address), issuer=Issuer.BOXES, lasts=lasts)


def holder(change: Change, shown: x509.Certificate) -> Address:
    """Return which box shows a certificate.

    Raises:
        RequestRefusedError: If the certificate is over, revoked, or not ours.
    """
    row = certificates.by_serial(change, f"{shown.serial_number:x}")
    if (
        row is None
        or row.issuer != Issuer.BOXES
        or row.revoked_at is not None
        or row.ends_at <= change.now
    ):
        raise RequestRefusedError("this certificate does not hold: the box must be claimed anew")
    return Address(*row.name.split("/"))


def checked_key(change: Change, asked: SigningRequest, address: Address) -> PublicKey:
    """Return a request's key.

    Raises:
        RequestRefusedError: If the request is for another box, or the key is another's.
        NewKeyNeededError: If the key was revoked: what was stolen gets no new certificate.
    """
    if asked.name != str(address):
        raise RequestRefusedError(f"the request does not name {address}: check the box's settings")
    holder = certificates.holder_of(change, asked.key)
    if holder not in (None, str(address)):
        change.note("a key of another box", str(address), alarm=True, holder=holder)
        raise RequestRefusedError("this key is another box's: make one on this box")
    if certificates.was_revoked(change, Issuer.BOXES, str(address), asked.key):
        change.note("a key that was revoked", str(address), alarm=True)
        raise NewKeyNeededError("this key was revoked: make a new one, and ask with it")
    return asked.key
