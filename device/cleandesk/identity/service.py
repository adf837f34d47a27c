"""The enrolment service, seen from the box: HTTPS, and one certificate that it is known by."""

import http.client
import json
import logging
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cleandesk.contract import tls, tls_clock
from cleandesk.contract.connection import TlsSettings
from cleandesk.contract.publication import TlsError
from cleandesk.identity.errors import Code, IdentityError

log = logging.getLogger(__name__)

M = TypeVar("M", bound=BaseModel)

_PATIENCE_S = 20.0
_MOST_BYTES = 64 * 1024
#: Who was asked too often, and 500 or more: who cannot answer now, or who stands before it.
_AGAIN, _FAILS = 429, 500
#: However long the service wants to be left alone, it is asked again within that.
_LONGEST_WAIT_S, _DIGITS = 3600, 9
_HTTPS = 443
#: What a refusal means, by the service's word for it.
_CODES = {"token": Code.TOKEN_REFUSED, "new_key": Code.NEW_KEY}


class Answer(BaseModel):
    """A certificate, and who vouches for it; PEM."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    certificate: str
    issuer: str
    root: str


class _Refusal(BaseModel):
    """Why there is none."""

    error: str = Field(max_length=100)
    reason: str = Field(max_length=500)
    fix: str = Field(max_length=500)


_BUSY = _Refusal(error="busy", reason="it has too much to do", fix="try again later")


class Service:
    """Asks the enrolment service.

    Args:
        address: `https://host:port`.
        pinned: File with its certificate; no other one is trusted.
        now: The time to hold that certificate against.
        behind: The machine's clock is earlier than that.
        identity: File with the box's own key and certificate, to show; None before there is one.
    """

    def __init__(
        self, address: str, pinned: Path, now: datetime, *, behind: bool, identity: Path | None
    ) -> None:
        self._address = address
        self._pinned = x509.load_pem_x509_certificate(pinned.read_bytes())
        self._check_dates(now)
        try:
            self._context = tls.context(TlsSettings(ca=pinned, cert=identity, key=identity))
        except TlsError as error:
            fix = "claim the box anew: `cleandesk-provision box new --again`, then `sd`"
            raise IdentityError(Code.KEY, identity or pinned, str(error), fix) from error
        # As newer Pythons do by themselves.
        self._context.verify_flags |= ssl.VERIFY_X509_STRICT
        if behind:
            tls_clock.judge_at(self._context, now)

    def ask(self, path: str, body: Mapping[str, str]) -> Answer:
        """Ask for a certificate.

        Raises:
            IdentityError: If there is none: the service is away, is another one, or says no.
        """
        with self._connection() as connection:
            connection.request(
                "POST", path, json.dumps(body).encode(), {"Content-Type": "application/json"}
            )
            with connection.getresponse() as answer:
                if answer.status != http.HTTPStatus.OK:
                    raise self._refused(answer)
                return self._parsed(Answer, answer.read(_MOST_BYTES))

    def _refused(self, answer: http.client.HTTPResponse) -> IdentityError:
        raw = answer.read(_MOST_BYTES)
        if answer.status == _AGAIN or answer.status >= _FAILS:
            said = (answer.getheader("Retry-After") or "")[:_DIGITS]
            wait_s = min(int(said), _LONGEST_WAIT_S) if said.isdecimal() else 0
            try:
                refusal = _Refusal.model_validate_json(raw)
            except ValidationError:  # its server, or a proxy, says so in other words
                refusal = _BUSY
            reason, fix = refusal.reason, refusal.fix
            return IdentityError(Code.SERVICE_AWAY, self._address, reason, fix, wait_s=wait_s)
        refusal = self._parsed(_Refusal, raw)
        code = _CODES.get(refusal.error, Code.REFUSED)
        return self._error(code, refusal.reason, refusal.fix)

    def fetch(self, path: str, begin: int, end: int) -> Iterator[bytes]:
        """Yield a part of a file's bytes, until it or the connection ends.

        Args:
            path: The service's for it.
            begin: The first byte.
            end: The one after the last.

        Raises:
            IdentityError: If the service is away, is another one, or says no.
        """
        with self._connection() as connection:
            connection.request("GET", path, headers={"Range": f"bytes={begin}-{end - 1}"})
            with connection.getresponse() as answer:
                yield from self._part(answer, path, begin)

    def _part(self, answer: http.client.HTTPResponse, path: str, begin: int) -> Iterator[bytes]:
        if answer.status == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            reason = f"{path} ends before byte {begin}"
            raise self._error(Code.REFUSED, reason, "publish it anew, whole")
        if answer.status != http.HTTPStatus.PARTIAL_CONTENT:
            raise self._refused(answer)
        said = answer.getheader("Content-Range") or ""
        if not said.startswith(f"bytes {begin}-"):
            raise self._error(Code.ANSWER, "it begins elsewhere", "update the service")
        while chunk := answer.read(_MOST_BYTES):
            yield chunk

    @contextmanager
    def _connection(self) -> Iterator[http.client.HTTPSConnection]:
        where = urlsplit(self._address)
        connection = http.client.HTTPSConnection(
            where.hostname or "", where.port or _HTTPS, context=self._context, timeout=_PATIENCE_S
        )
        try:
            connection.connect()
            self._check_shown(connection.sock)
            yield connection
        except ssl.SSLCertVerificationError as error:
            raise self._unknown(error.verify_message) from error
        except (OSError, http.client.HTTPException) as error:
            fix = "is it running, and does the box reach it? Then try again"
            raise self._error(Code.SERVICE_AWAY, f"no answer: {error!r}"[:300], fix) from error
        finally:
            connection.close()

    def _check_shown(self, connection: object) -> None:
        shown = None
        if isinstance(connection, ssl.SSLSocket):
            shown = connection.getpeercert(binary_form=True)
        if shown != self._pinned.public_bytes(Encoding.DER):
            raise self._unknown("another certificate")

    def _check_dates(self, now: datetime) -> None:
        begins, ends = self._pinned.not_valid_before_utc, self._pinned.not_valid_after_utc
        if not begins <= now <= ends:
            raise self._error(
                Code.SERVICE_DATE,
                f"its certificate on the card holds from {begins.isoformat()} to "
                f"{ends.isoformat()}, and here it is {now.isoformat(timespec='seconds')}",
                "set the clock, or write the card anew after `cleandesk-provision ca init`",
            )

    def _parsed(self, model: type[M], raw: bytes) -> M:
        try:
            return model.model_validate_json(raw)
        except ValidationError as error:
            reason = "its answer is not one of an enrolment service"
            fix = "check what listens there, and that box and service have the same version"
            raise self._error(Code.ANSWER, reason, fix) from error

    def _unknown(self, why: str) -> IdentityError:
        return self._error(
            Code.SERVICE_UNKNOWN,
            f"it does not show the certificate that is on the card ({why})",
            "check what listens there; if the service has a new one, write the card anew",
        )

    def _error(self, code: Code, reason: str, fix: str) -> IdentityError:
        return IdentityError(code, self._address, reason, fix)
