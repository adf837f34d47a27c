"""The page's own key and certificate, made at its first start; it has nothing to do with MQTT.

Nobody signs it but itself: browsers warn, and people compare the fingerprint instead of trusting an
authority that would have to be installed on a private phone.
"""

import ipaddress
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from cleandesk import whole_file
from cleandesk.page.errors import PageError

#: A box without a clock of its own must not make a certificate that begins tomorrow.
_BEGINS = datetime(2025, 1, 1, tzinfo=UTC)
#: The fingerprint is what is trusted, so it changes as rarely as the box does.
_LASTS = timedelta(days=20 * 365)


def ensure(folder: Path, name: str, addresses: Iterable[str]) -> Path:
    """Return the PEM file with key and certificate, made if it is not there.

    Args:
        folder: Where it lies; made with mode 0700.
        name: The page's name on the home network.
        addresses: IP addresses that it is reached by at present.

    Raises:
        PageError: If it cannot be written or is not what was written.
    """
    path = folder / "page.pem"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            whole_file.write(path, _make(name, addresses), whole_file.SECRET)
        if path.stat().st_mode & 0o077:
            raise PageError(f"{path}: others may read this key; run 'chmod 600 {path}'")
    except OSError as error:
        raise PageError(
            f"{path}: {error.strerror}; make the folder writable for the page's user, or name "
            "another one as 'state'"
        ) from error
    fingerprint(path)
    return path


def fingerprint(path: Path) -> str:
    """Return the certificate's SHA-256 fingerprint as browsers write it, `AB:CD:…`.

    Raises:
        PageError: If the file cannot be read or holds no certificate.
    """
    try:
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
    except OSError as error:
        raise PageError(
            f"{path}: {error.strerror}; it is made when the page first starts: run this as the "
            "page's user, after `cleandesk-page run`"
        ) from error
    except ValueError as error:
        raise PageError(
            f"{path}: holds no certificate ({error}); delete it, and a new one is made at the "
            "next start. Browsers will warn again"
        ) from error
    return certificate.fingerprint(hashes.SHA256()).hex(":").upper()


def _make(name: str, addresses: Iterable[str]) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])
    names: list[x509.GeneralName] = [x509.DNSName(name)]
    names += [x509.IPAddress(ipaddress.ip_address(address)) for address in addresses]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_BEGINS)
        .not_valid_after(_BEGINS + _LASTS)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ) + certificate.public_bytes(serialization.Encoding.PEM)
