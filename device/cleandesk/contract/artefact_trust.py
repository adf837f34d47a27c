"""Who may sign a model: whoever the fleet's root says may sign code, and nobody else.

No box, operator or broker can: their certificates are by authorities below the root, and for TLS.
"""

from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from cleandesk.contract.artefact_errors import ArtefactError, Fault

_ANEW = "sign the model with the key that `cleandesk-provision ca init` made for this fleet"


def check(
    signed: bytes, signature: bytes, signer: bytes, root: x509.Certificate, now: datetime
) -> None:
    """Check a signature.

    Args:
        signed: What was signed.
        signature: ECDSA over P-256 and SHA-256, DER.
        signer: The signer's certificate, PEM.
        root: Who must vouch for the signer.
        now: The time to hold the signer's certificate against.

    Raises:
        ArtefactError: If it is not good.
    """
    try:
        certificate = x509.load_pem_x509_certificate(signer)
        certificate.verify_directly_issued_by(root)
        key = certificate.public_key()
        may = _may_sign(certificate)
    except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound) as error:
        raise _untrusted("its signer is nobody whom this fleet's root vouches for") from error
    if not may or not isinstance(key, ec.EllipticCurvePublicKey):
        raise _untrusted("its signer's certificate is not for signing models")
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if not begins <= now <= ends:
        span = f"from {begins:%Y-%m-%d} to {ends:%Y-%m-%d}, and it is {now:%Y-%m-%d}"
        fix = "set the clock, or sign it anew after `cleandesk-provision ca init`"
        raise ArtefactError(Fault.UNTRUSTED, f"its signer's certificate holds {span}", fix)
    try:
        key.verify(signature, signed, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature as error:
        raise _untrusted("its signature is not by that key, or of something else") from error


def _may_sign(certificate: x509.Certificate) -> bool:
    extensions = certificate.extensions
    uses = extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    authority = extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    return list(uses) == [ExtendedKeyUsageOID.CODE_SIGNING] and not authority


def _untrusted(reason: str) -> ArtefactError:
    return ArtefactError(Fault.UNTRUSTED, reason, _ANEW)
