"""The page's own key and certificate."""

import ipaddress
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from cleandesk.page import certificate
from cleandesk.page.errors import PageError

NAME = "cleandesk-desk-1.local"


def test_it_is_made_once_for_the_name_and_the_addresses(tmp_path: Path) -> None:
    path = certificate.ensure(tmp_path / "state", NAME, ["192.168.1.7", "fe80::7"])
    first = certificate.fingerprint(path)
    assert certificate.ensure(tmp_path / "state", NAME, []) == path
    assert certificate.fingerprint(path) == first
    made = x509.load_pem_x509_certificate(path.read_bytes())
    names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == [NAME]
    assert names.get_values_for_type(x509.IPAddress) == [
        ipaddress.ip_address("192.168.1.7"),
        ipaddress.ip_address("fe80::7"),
    ]
    key = serialization.load_pem_private_key(path.read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    assert key.curve.name == "secp256r1"
    made.verify_directly_issued_by(made)
    assert not made.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def test_key_and_folder_are_the_pages_alone(tmp_path: Path) -> None:
    path = certificate.ensure(tmp_path / "state", NAME, [])
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert [p.name for p in path.parent.iterdir()] == ["page.pem"]
    path.chmod(0o644)
    with pytest.raises(PageError, match="chmod 600"):
        certificate.ensure(path.parent, NAME, [])


def test_the_fingerprint_is_what_tls_shows(tmp_path: Path) -> None:
    path = certificate.ensure(tmp_path, NAME, [])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    der = ssl.PEM_cert_to_DER_cert("-----BEGIN CERT" + path.read_text().split("-----BEGIN CERT")[1])
    import hashlib  # noqa: PLC0415

    assert certificate.fingerprint(path).replace(":", "").lower() == hashlib.sha256(der).hexdigest()


def test_a_damaged_file_and_a_missing_one_say_the_fix(tmp_path: Path) -> None:
    (tmp_path / "page.pem").write_text("nothing")
    (tmp_path / "page.pem").chmod(0o600)
    with pytest.raises(PageError, match="delete it, and a new one is made"):
        certificate.ensure(tmp_path, NAME, [])
    with pytest.raises(PageError, match="made when the page first starts"):
        certificate.fingerprint(tmp_path / "none.pem")
    (tmp_path / "file").touch()
    with pytest.raises(PageError, match="name another one as 'state'"):
        certificate.ensure(tmp_path / "file", NAME, [])
