"""A certificate with its issuer's and its root: read, and checked before it is believed."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import NameOID

from cleandesk.identity import keys
from cleandesk.identity.errors import Code, IdentityError

_PEM = serialization.Encoding.PEM


@dataclass(frozen=True, slots=True)
class Identity:
    """What a box is: a key, and who vouches for it.

    Attributes:
        certificate: The box's own.
        issuer: The authority that signed it, itself signed by the root.
    """

    key: keys.Key
    certificate: x509.Certificate
    issuer: x509.Certificate

    @property
    def name(self) -> str:
        """Return the common name, `<site>/<box>`."""
        return common_name(self.certificate)

    @property
    def serial(self) -> str:
        """Return the certificate's serial number as `cleandesk-provision list` shows it."""
        return f"{self.certificate.serial_number:x}"

    def as_pem(self) -> bytes:
        """Return all of it as one file."""
        shown = (one.public_bytes(_PEM) for one in (self.certificate, self.issuer))
        return keys.as_pem(self.key) + b"".join(shown)

    @classmethod
    def from_pem(cls, pem: bytes, path: Path) -> "Identity":
        """Return what `as_pem` wrote.

        Raises:
            IdentityError: If it is something else.
        """
        key = keys.from_pem(pem, path)
        try:
            certificate, issuer = x509.load_pem_x509_certificates(pem)
        except ValueError as error:
            raise IdentityError(
                Code.KEY,
                path,
                "it does not hold a key and two certificates: the disk is worn",
                "the box must be claimed anew: `cleandesk-provision box new --again`, then `sd`",
            ) from error
        return cls(key, certificate, issuer)


def common_name(certificate: x509.Certificate) -> str:
    """Return whom a certificate names; empty if not exactly one."""
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if len(names) == 1 else ""


def check(identity: Identity, name: str, root: x509.Certificate, place: str) -> None:
    """Check that a new certificate is for this key and name, and that the card's root vouches.

    Raises:
        IdentityError: If not.
    """
    again = "do not use this box; tell who runs the enrolment service"
    if identity.certificate.public_key() != identity.key.public_key():
        raise IdentityError(Code.ANSWER, place, "the certificate is for another key", again)
    if identity.name != name:
        reason = f"the certificate names '{identity.name}', not {name}"
        raise IdentityError(Code.ANSWER, place, reason, again)
    try:
        identity.certificate.verify_directly_issued_by(identity.issuer)
        identity.issuer.verify_directly_issued_by(root)
    except (ValueError, TypeError, InvalidSignature) as error:
        raise IdentityError(
            Code.CA,
            place,
            "the root on the card has not signed for this certificate",
            "write the card anew with the `cleandesk-provision` that runs the service",
        ) from error


def check_dates(certificate: x509.Certificate, now: datetime, place: str) -> None:
    """Check that a box's own certificate holds now.

    Raises:
        IdentityError: If not.
    """
    if now > certificate.not_valid_after_utc:
        reason = f"the certificate ended at {certificate.not_valid_after_utc.isoformat()}"
        fix = "claim the box anew: `cleandesk-provision box new --again`, then `sd`"
        raise IdentityError(Code.EXPIRED, place, reason, fix)
    if now < certificate.not_valid_before_utc:
        reason = f"the certificate begins at {certificate.not_valid_before_utc.isoformat()}"
        fix = "compare the clocks of this box and of the service's machine, and set the wrong one"
        raise IdentityError(Code.DATE, place, reason, fix)
