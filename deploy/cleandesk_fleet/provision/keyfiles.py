"""Keys and certificates on the disk: written whole or not at all, keys for their owner alone."""

from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from cleandesk import whole_file
from cleandesk_fleet.provision.errors import LockedError
from cleandesk_fleet.provision.pki import PrivateKey, Signer

_PEM = serialization.Encoding.PEM


def write_key(path: Path, key: PrivateKey, passphrase: bytes | None = None) -> None:
    """Write a private key, mode 0600, encrypted if there is a passphrase."""
    locked: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if passphrase is not None:
        locked = serialization.BestAvailableEncryption(passphrase)
    pem = key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, locked)
    whole_file.write(path, pem, whole_file.SECRET)


def write_certificate(path: Path, *chain: x509.Certificate) -> None:
    """Write certificates, one after the other."""
    whole_file.write(path, b"".join(one.public_bytes(_PEM) for one in chain))


def read_certificate(path: Path) -> x509.Certificate:
    """Return a file's first certificate.

    Raises:
        LockedError: If there is none.
    """
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError) as error:
        raise LockedError(
            f"{path}: no certificate: {error}: run `cleandesk-provision ca init`, or bring the "
            "file back from the backup"
        ) from error


def read_signer(certificate: Path, key: Path, passphrase: bytes | None = None) -> Signer:
    """Return an authority that can sign.

    Raises:
        LockedError: If a file is missing, the passphrase is wrong, or they do not belong together.
    """
    shown = read_certificate(certificate)
    try:
        held = serialization.load_pem_private_key(key.read_bytes(), passphrase)
    except OSError as error:
        raise LockedError(
            f"{key}: {error.strerror}: an offline key is brought back for the moment of use only"
        ) from error
    except (ValueError, TypeError) as error:
        raise LockedError(f"{key}: not opened: {error}: give its passphrase") from error
    if not isinstance(held, ec.EllipticCurvePrivateKey) or held.public_key() != shown.public_key():
        raise LockedError(f"{key} is not the key of {certificate}: bring back the right one")
    return Signer(shown, held)
