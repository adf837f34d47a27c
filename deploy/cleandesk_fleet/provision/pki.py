"""Certificates: roots, issuing authorities, leaves, revocation lists. Pure, but for the key maker.

The shape is that of RFC 5280 and the profile is small: EC P-256, SHA-256, no name but the common
name, and each certificate says what it may be used for.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from cleandesk_fleet.provision.errors import RequestRefusedError

#: Certificates begin so long ago: the clocks of a fleet differ.
BACKDATE = timedelta(hours=1)
_UNREADABLE = (ValueError, UnsupportedAlgorithm, x509.InvalidVersion)
CLIENT, SERVER = ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH
CODE = ExtendedKeyUsageOID.CODE_SIGNING

PrivateKey = ec.EllipticCurvePrivateKey
PublicKey = ec.EllipticCurvePublicKey


@dataclass(frozen=True, slots=True)
class Signer:
    """An authority that can sign: its certificate and its key."""

    certificate: x509.Certificate
    key: PrivateKey


@dataclass(frozen=True, slots=True)
class Span:
    """From when to when a certificate holds."""

    begins: datetime
    ends: datetime

    @classmethod
    def starting(cls, now: datetime, lasts: timedelta) -> "Span":
        """Return the span of something made now, to the second as certificates have it."""
        now = now.replace(microsecond=0)
        return cls(now - BACKDATE, now + lasts)


def new_key() -> PrivateKey:
    """Make a P-256 key."""
    return ec.generate_private_key(ec.SECP256R1())


def root(key: PrivateKey, name: str, span: Span) -> x509.Certificate:
    """Return a self-signed root that may sign issuing authorities, and they only leaves."""
    subject = _subject(name)
    builder = _builder(subject, subject, key.public_key(), span)
    builder = _authority(builder, path_length=1)
    builder = _identified(builder, key.public_key(), key.public_key())
    return builder.sign(key, hashes.SHA256())


def issuing(
    signer: Signer,
    public_key: PublicKey,
    name: str,
    span: Span,
    uses: Sequence[x509.ObjectIdentifier],
) -> x509.Certificate:
    """Return an authority's certificate that may sign leaves only, and only for these uses."""
    builder = _builder(_subject(name), signer.certificate.subject, public_key, span)
    builder = _authority(builder, path_length=0)
    builder = builder.add_extension(x509.ExtendedKeyUsage(uses), critical=False)
    builder = _identified(builder, public_key, signer.key.public_key())
    return builder.sign(signer.key, hashes.SHA256())


def leaf(
    signer: Signer,
    public_key: PublicKey,
    common_name: str,
    span: Span,
    *,
    use: x509.ObjectIdentifier = CLIENT,
    names: Sequence[str] = (),
) -> x509.Certificate:
    """Return a certificate for one use; its end is never after its authority's.

    Args:
        signer: The issuing authority.
        public_key: The holder's.
        common_name: Whom the broker takes the holder for.
        span: From when to when.
        use: `CLIENT`, `SERVER` or `CODE`.
        names: Host names and addresses, of a server.
    """
    ends = min(span.ends, signer.certificate.not_valid_after_utc)
    builder = _builder(
        _subject(common_name), signer.certificate.subject, public_key, Span(span.begins, ends)
    )
    builder = _end_entity(builder, use, names)
    builder = _identified(builder, public_key, signer.key.public_key())
    return builder.sign(signer.key, hashes.SHA256())


def self_signed(key: PrivateKey, name: str, span: Span, names: Sequence[str]) -> x509.Certificate:
    """Return a server's certificate that is trusted by being known, not by an authority."""
    subject = _subject(name)
    builder = _builder(subject, subject, key.public_key(), span)
    builder = _end_entity(builder, SERVER, names)
    builder = _identified(builder, key.public_key(), key.public_key())
    return builder.sign(key, hashes.SHA256())


def revocations(
    signer: Signer, revoked: Iterable[tuple[int, datetime]], number: int, span: Span
) -> x509.CertificateRevocationList:
    """Return a revocation list.

    Args:
        signer: Whose certificates they are.
        revoked: Serial numbers, and since when.
        number: Higher than the last list's.
        span: Its date must be later than the last list's, too: a broker that reads a list anew
            keeps the old one, and OpenSSL takes the one of the later date.
    """
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(signer.certificate.subject)
        .last_update(span.begins)
        .next_update(span.ends)
        .add_extension(x509.CRLNumber(number), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.key.public_key()),
            critical=False,
        )
    )
    for serial, since in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(since)
        builder = builder.add_revoked_certificate(entry.build())
    return builder.sign(signer.key, hashes.SHA256())


@dataclass(frozen=True, slots=True)
class SigningRequest:
    """What a certificate signing request asks for; its sender holds the key.

    Attributes:
        name: Whom it names; None if not exactly one.
        key: On P-256.
    """

    name: str | None
    key: PublicKey


def read_request(pem: bytes) -> SigningRequest:
    """Parse a certificate signing request and check that its sender holds the key.

    Raises:
        RequestRefusedError: If it is no request, not signed by its own key, or not of P-256.
    """
    try:
        request = x509.load_pem_x509_csr(pem)
        key = request.public_key()
        signed = request.is_signature_valid
        name = common_name(request)
    except _UNREADABLE as error:
        raise RequestRefusedError(f"no certificate signing request: {error}") from error
    if not (isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1)):
        raise RequestRefusedError("the request's key is not EC P-256: make one on that curve")
    if not signed:
        raise RequestRefusedError("the request is not signed by its own key: make it anew")
    return SigningRequest(name, key)


def common_name(holder: x509.Certificate | x509.CertificateSigningRequest) -> str | None:
    """Return whom a certificate or a request names; None if not exactly one."""
    names = holder.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if len(names) == 1 else None


def _subject(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _builder(
    subject: x509.Name, issuer: x509.Name, public_key: PublicKey, span: Span
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(span.begins)
        .not_valid_after(span.ends)
    )


def _authority(builder: x509.CertificateBuilder, *, path_length: int) -> x509.CertificateBuilder:
    return builder.add_extension(
        x509.BasicConstraints(ca=True, path_length=path_length), critical=True
    ).add_extension(_usage(signs_certificates=True), critical=True)


def _end_entity(
    builder: x509.CertificateBuilder, use: x509.ObjectIdentifier, names: Sequence[str]
) -> x509.CertificateBuilder:
    builder = (
        builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([use]), critical=False)
    )
    if names:
        named = x509.SubjectAlternativeName([_general(name) for name in names])
        builder = builder.add_extension(named, critical=False)
    return builder


def _identified(
    builder: x509.CertificateBuilder, public_key: PublicKey, issuer: PublicKey
) -> x509.CertificateBuilder:
    return builder.add_extension(
        x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False
    ).add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer), critical=False)


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)
