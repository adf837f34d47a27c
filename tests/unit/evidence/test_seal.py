"""Only the owner of the site's key can open a sealed still; openssl does it here."""

import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from cleandesk.evidence.encode import ENVELOPE
from cleandesk.evidence.errors import EvidenceError
from cleandesk.evidence.seal import Seal
from tests.unit.evidence.keys import certificate_of, opened, rsa_key


def test_the_site_opens_it_and_nobody_else(tmp_path: Path) -> None:
    certificate, key = certificate_of(tmp_path, "site", rsa_key(2048))
    _, other = certificate_of(tmp_path, "other", rsa_key(2048))
    content = bytes(range(256)) * 40 + b"\r\n\n"
    envelope = Seal.load(certificate).close(content)
    assert content[:32] not in envelope
    assert len(content) < len(envelope) <= len(content) + ENVELOPE
    assert opened(envelope, key).stdout == content
    assert opened(envelope, other).stdout != content


def test_it_is_sealed_by_aes_256(tmp_path: Path) -> None:
    certificate, _ = certificate_of(tmp_path, "site", rsa_key(2048))
    command = ["openssl", "cms", "-cmsout", "-print", "-noout", "-inform", "DER"]
    envelope = Seal.load(certificate).close(b"a picture")
    told = subprocess.run(command, input=envelope, capture_output=True, check=True).stdout.decode()
    assert "pkcs7-envelopedData" in told
    assert "aes-256-cbc" in told


def test_each_envelope_is_another(tmp_path: Path) -> None:
    seal = Seal.load(certificate_of(tmp_path, "site", rsa_key(2048))[0])
    assert seal.close(b"a picture") != seal.close(b"a picture")


def test_the_envelope_of_a_long_key_fits(tmp_path: Path) -> None:
    seal = Seal.load(certificate_of(tmp_path, "site", rsa_key(4096))[0])
    assert len(seal.close(b"")) < ENVELOPE


def test_a_key_that_cannot_be_used_is_refused(tmp_path: Path) -> None:
    curve, _ = certificate_of(tmp_path, "curve", ec.generate_private_key(ec.SECP256R1()))
    with pytest.raises(EvidenceError, match=r"curve\.pem: its key is not an RSA key; give"):
        Seal.load(curve)
    short, _ = certificate_of(tmp_path, "short", rsa_key(1024))
    with pytest.raises(EvidenceError, match=r"short\.pem: its key has 1024 bits"):
        Seal.load(short)


def test_a_file_that_is_no_certificate_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EvidenceError, match=r"none\.pem: cannot be read \(No such file"):
        Seal.load(tmp_path / "none.pem")
    _, key = certificate_of(tmp_path, "site", rsa_key(2048))
    with pytest.raises(EvidenceError, match=r"site\.key: this is no certificate"):
        Seal.load(key)
