"""The box's key, EC P-256, and what is asked with it."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from cleandesk.identity import files
from cleandesk.identity.errors import Code, IdentityError

Key = ec.EllipticCurvePrivateKey
T = TypeVar("T")


def pending(path: Path) -> Key:
    """Return the key that the next certificate will be for: the one that waits there, or a new one.

    It is on the disk before anybody hears of it: a token is bound to the first key that it is shown
    with.

    Raises:
        IdentityError: If it cannot be written, or is not what was written.
    """
    pem = files.read(path)
    if pem is None:
        key = ec.generate_private_key(ec.SECP256R1())
        files.write(path, as_pem(key), files.SECRET)
        return key
    return from_pem(pem, path)


def retried_with_new(path: Path, ask: Callable[[], T]) -> T:
    """Ask with the key that waits, and once more with a new one if the service wants that.

    Args:
        path: Where the key waits.
        ask: Takes it from there by `pending`.

    Raises:
        IdentityError: As `ask` does.
    """
    try:
        return ask()
    except IdentityError as error:
        if error.code is not Code.NEW_KEY:
            raise
    # It waited here since before it was revoked, or a new one was asked for.
    files.remove(path)
    return ask()


def as_pem(key: Key) -> bytes:
    """Return a key as PEM, not encrypted."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def from_pem(pem: bytes, path: Path) -> Key:
    """Return the key in a file's content.

    Raises:
        IdentityError: If there is none.
    """
    fix = "the box must be claimed anew: `cleandesk-provision box new --again`, then `sd`"
    try:
        key = serialization.load_pem_private_key(pem, None)
    except (ValueError, TypeError) as error:
        raise IdentityError(Code.KEY, path, "this is no key: the disk is worn", fix) from error
    if not (isinstance(key, Key) and isinstance(key.curve, ec.SECP256R1)):
        raise IdentityError(Code.KEY, path, "this key is not EC P-256", fix)
    return key


def request(key: Key, name: str) -> str:
    """Return a certificate signing request, PEM.

    Args:
        key: Whose.
        name: The common name, `<site>/<box>`.
    """
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = x509.CertificateSigningRequestBuilder().subject_name(subject)
    return made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()
