"""Certificates judged by a better time than the machine's, which has none after a power cut."""

import logging
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

log = logging.getLogger(__name__)

#: OpenSSL's X509_V_FLAG_NO_CHECK_TIME, for which the `ssl` module has no name.
_NO_CHECK_TIME = 0x200000


def read(path: Path) -> datetime | None:
    """Return the last known time that a file holds, ISO 8601; None if it holds none."""
    try:
        moment = datetime.fromisoformat(path.read_text(encoding="ascii").strip())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        log.warning("the last known time is unreadable", extra={"path": path, "error": str(error)})
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def judge_at(context: ssl.SSLContext, moment: datetime) -> None:
    """Let a context hold the other side's certificate against a moment, not against the clock.

    OpenSSL is told to look at no dates, and those of the other side's own certificate are looked at
    here. That covers its chain too where no certificate outlives its authority's, which
    `cleandesk-provision` sees to.
    """
    context.verify_flags |= _NO_CHECK_TIME

    class Judged(ssl.SSLSocket):
        def do_handshake(self, block: bool = False) -> None:  # noqa: FBT001, FBT002 - as the base
            super().do_handshake(block)
            words = _wrong(self.getpeercert() or {}, moment)
            if words:
                self.close()
                error = ssl.SSLCertVerificationError(1, f"{words}, judged at {moment.isoformat()}")
                error.verify_message = words
                raise error

    context.sslsocket_class = Judged


def _wrong(certificate: Mapping[str, object], moment: datetime) -> str | None:
    now = moment.timestamp()
    if now < ssl.cert_time_to_seconds(str(certificate["notBefore"])):
        return "certificate is not yet valid"
    if now > ssl.cert_time_to_seconds(str(certificate["notAfter"])):
        return "certificate has expired"
    return None
