"""Keys and certificates of a site, and openssl to open what was sealed for it."""

import datetime as dt
import subprocess
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


def certificate_of(folder: Path, name: str, key: Key) -> tuple[Path, Path]:
    """Write a certificate and its key; return their paths."""
    owner = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    start = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    made = x509.CertificateBuilder(
        issuer_name=owner,
        subject_name=owner,
        public_key=key.public_key(),
        serial_number=7,
        not_valid_before=start,
        not_valid_after=start + dt.timedelta(days=3650),
    ).sign(key, hashes.SHA256())
    certificate, secret = folder / f"{name}.pem", folder / f"{name}.key"
    certificate.write_bytes(made.public_bytes(Encoding.PEM))
    secret.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return certificate, secret


def rsa_key(bits: int) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, bits)


def opened(envelope: bytes, key: Path) -> subprocess.CompletedProcess[bytes]:
    command: list[str | Path] = [
        "openssl",
        "cms",
        "-decrypt",
        "-binary",
        "-inform",
        "DER",
        "-inkey",
        key,
    ]
    return subprocess.run(command, input=envelope, capture_output=True, check=False)
