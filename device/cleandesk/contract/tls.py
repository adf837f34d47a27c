"""The TLS side of a connection: who is trusted, and who we are."""

import ssl
from datetime import UTC, datetime

from cleandesk.contract import tls_clock
from cleandesk.contract.connection import TlsSettings
from cleandesk.contract.publication import TlsError

#: What to do where a broker ends a connection before it has answered.
REFUSED = (
    "the broker may refuse broker.tls.cert: it must be signed by an authority that the broker "
    "trusts, not revoked, and not out of its time"
)


def context(settings: TlsSettings) -> ssl.SSLContext:
    """Return a client's context: only the given authority, host name checked, TLS 1.2 or later.

    Where the machine's clock is behind `settings.clock`, that moment counts instead.

    Raises:
        TlsError: If a file is missing, not readable, not PEM, or key and certificate do not match.
    """
    try:
        made = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=settings.ca)
    except OSError as error:  # ssl.SSLError is one
        raise TlsError(
            f"broker.tls.ca {settings.ca}: {error.strerror or error}: "
            "give the PEM file of the authority that signed the broker's certificate"
        ) from error
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    known = None if settings.clock is None else tls_clock.read(settings.clock)
    if known is not None and datetime.now(UTC) < known:
        tls_clock.judge_at(made, known)
    if settings.cert is None or settings.key is None:
        return made
    try:
        # The empty password keeps a locked key from asking on a terminal nobody looks at.
        made.load_cert_chain(settings.cert, settings.key, password="")
    except OSError as error:
        raise TlsError(
            f"broker.tls.cert {settings.cert} with key {settings.key}: "
            f"{error.strerror or error}: give a readable PEM certificate and its own unlocked key"
        ) from error
    return made


def advice(error: OSError) -> str:
    """Return what to do about a connection that could not be made."""
    if isinstance(error, ssl.SSLCertVerificationError):
        if "not yet valid" in error.verify_message or "expired" in error.verify_message:
            return "compare this machine's date with the certificate's: set the clock, or renew it"
        return "broker.tls.ca must have signed the broker's certificate, and it must name the host"
    if isinstance(error, ssl.SSLError):
        return "broker.port must be one that speaks TLS, and the broker must trust our certificate"
    return "is the broker running, and are broker.host and broker.port right?"
