"""Closes a still for the site alone: CMS EnvelopedData (RFC 5652), AES-256.

The site opens it with its private key, which the box does not have:
`openssl cms -decrypt -inform DER -in still.p7m -inkey site.key -out still.jpg`.
It hides, and does not prove where a still is from: that is the broker's and the certificate's part.
"""

from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization.pkcs7 import PKCS7EnvelopeBuilder, PKCS7Options

from cleandesk.evidence.errors import EvidenceError

LEAST_KEY_BITS = 2048
_FIX = "give an X.509 certificate, PEM, with an RSA key of 2048 bits or more"


class Seal:
    """What only the site can open.

    Args:
        certificate: Of the site, with an RSA key of `LEAST_KEY_BITS` or more.

    Raises:
        EvidenceError: If its key is of another kind, or shorter.
    """

    def __init__(self, certificate: x509.Certificate, name: Path | str = "certificate") -> None:
        key = certificate.public_key()
        if not isinstance(key, RSAPublicKey):
            raise EvidenceError(name, "its key is not an RSA key", _FIX)
        if key.key_size < LEAST_KEY_BITS:
            raise EvidenceError(name, f"its key has {key.key_size} bits, too few to trust", _FIX)
        self._certificate = certificate

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read the site's certificate from a PEM file.

        Raises:
            EvidenceError: If it is missing, no certificate, or its key cannot be used.
        """
        try:
            return cls(x509.load_pem_x509_certificate(path.read_bytes()), path)
        except OSError as error:
            raise EvidenceError(path, f"cannot be read ({error.strerror})", _FIX) from error
        except ValueError as error:
            raise EvidenceError(path, "this is no certificate", _FIX) from error

    def close(self, content: bytes) -> bytes:
        """Return an envelope, DER, that holds the content."""
        builder = PKCS7EnvelopeBuilder().set_data(content).add_recipient(self._certificate)
        builder = builder.set_content_encryption_algorithm(AES256)
        return builder.encrypt(Encoding.DER, [PKCS7Options.Binary])
