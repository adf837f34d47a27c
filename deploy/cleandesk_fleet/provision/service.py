"""The enrolment service: what boxes are given.

`POST /v1/claim` with a token, `POST /v1/renew` and `GET /v1/artefacts/<name>` with a certificate.
The first two take JSON and answer with JSON: `certificate`, `issuer`, `root` as PEM, or `error`,
`reason` and `fix`; the third answers with a file, or as they do. An unknown token, one that is over
and one that is bound to another key get one and the same answer: nobody learns by trying which
tokens there are.
"""

import logging
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TypeVar

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from cleandesk.contract.topics import Address, TopicError
from cleandesk_fleet.limits import Limiter
from cleandesk_fleet.provision import claiming, keyfiles, offering, pki
from cleandesk_fleet.provision.authorities import Issuer
from cleandesk_fleet.provision.change import Change
from cleandesk_fleet.provision.claiming import NewKeyNeededError, TokenRefusedError
from cleandesk_fleet.provision.errors import RequestRefusedError, halves
from cleandesk_fleet.provision.fleet import Fleet
from cleandesk_fleet.provision.turnstile import Turnstile

log = logging.getLogger(__name__)

B = TypeVar("B", bound=BaseModel)

_MOST_BYTES = 16 * 1024
_MINUTE_S, _HOUR_S = 60, 3600
_AGAIN_S = 5
_FULL = "full"
_WHOLE = "bytes=0-"


class ClaimBody(BaseModel):
    """What a box says to be given its first certificate."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    token: str = Field(min_length=16, max_length=128, description="From its card")
    request: str = Field(max_length=8192, description="Certificate signing request, PEM")


class RenewBody(BaseModel):
    """What a box says to be given its next certificate."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    request: str = Field(max_length=8192, description="Certificate signing request, PEM")


class RefusedError(Exception):
    """An answer other than a certificate."""

    def __init__(self, status: int, error: str, reason: str, fix: str, wait_s: int = 0) -> None:
        super().__init__(reason)
        self.status, self.error, self.reason, self.fix = status, error, reason, fix
        self.wait_s = wait_s


class _Sent(FileResponse):
    """A file, read from the disk as it is sent; its place is free when it ends, however it does."""

    def __init__(self, path: Path, leave: Callable[[], None]) -> None:
        super().__init__(path, media_type="application/octet-stream")
        self._leave = leave

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._leave()


class Enrolment:
    """Answers boxes.

    Args:
        fleet: The fleet; its boxes' authority must have its key here.
        clock: Seconds on a clock that never jumps, for the limits.
    """

    def __init__(self, fleet: Fleet, clock: Callable[[], float] = time.monotonic) -> None:
        self._fleet = fleet
        self._signer = fleet.authorities.signer(Issuer.BOXES)
        self._root = keyfiles.read_certificate(fleet.authorities.root)
        self._lasts = timedelta(days=fleet.settings.authorities.box_days)
        given = fleet.settings.enrolment
        rate, refusals = given.requests_per_minute, given.refusals_per_hour
        self._requests = Limiter(per_s=rate / _MINUTE_S, burst=rate, clock=clock)
        # Of one certificate, so that boxes that fetch spend nothing of what claims from the same
        # address need.
        self._parts = Limiter(per_s=rate / _MINUTE_S, burst=rate, clock=clock)
        self._refusals = Limiter(per_s=refusals / _HOUR_S, burst=refusals, clock=clock)
        self._fetches = Turnstile(given.fetches_at_once, clock)

    def app(self) -> Starlette:
        """Return the service as an ASGI application."""
        return Starlette(
            routes=[
                Route("/v1/claim", self._answering(self._claim), methods=["POST"]),
                Route("/v1/renew", self._answering(self._renew), methods=["POST"]),
                Route("/v1/artefacts/{name}", self._artefact, methods=["GET"]),
            ]
        )

    def _answering(
        self, handle: Callable[[Request, bytes], Awaitable[str]]
    ) -> Callable[[Request], Awaitable[JSONResponse]]:
        async def answer(request: Request) -> JSONResponse:
            address = request.client.host if request.client else ""
            try:
                self._admit(address)
                pem = await handle(request, await _body(request))
            except RefusedError as error:
                return _refusal(request, error)
            return JSONResponse(
                {
                    "certificate": pem,
                    "issuer": _pem(self._signer.certificate),
                    "root": _pem(self._root),
                }
            )

        return answer

    async def _artefact(self, request: Request) -> Response:
        """Send a file, or a part of it, to a box that is enrolled."""
        name = request.path_params["name"]
        try:
            _must_be_left(self._refusals, request.client.host if request.client else "")
            certificate = _shown(request)
            _spend(self._parts, f"{certificate.serial_number:x}")
            box = await self._decide(
                request, lambda change: str(claiming.holder(change, certificate))
            )
        except RefusedError as error:
            return _refusal(request, error)
        path = offering.find(self._fleet.settings.artefacts, name)
        if path is None:
            fix = "run `cleandesk-provision model publish`, or `update publish`"
            return _refusal(request, RefusedError(404, "no_artefact", "there is no such file", fix))
        place = f"{box} {path.suffix}"  # a model does not wait for the same box's update
        wait_s = self._fetches.enter(place)
        if wait_s:
            fix = f"try again in {wait_s} s"
            full = RefusedError(503, _FULL, "others fetch just now", fix, wait_s)
            return _refusal(request, full)
        begins = request.headers.get("range", _WHOLE).startswith(_WHOLE)
        level = logging.INFO if begins else logging.DEBUG  # an update has seventy parts
        log.log(level, "an artefact is fetched", extra={"box": box, "artefact": name})
        return _Sent(path, partial(self._fetches.leave, place))

    def _admit(self, address: str) -> None:
        _must_be_left(self._refusals, address)
        _spend(self._requests, address)

    async def _claim(self, request: Request, raw: bytes) -> str:
        body = _parsed(ClaimBody, raw)
        pem = await self._decide(
            request,
            lambda change: claiming.claim(
                change, self._signer, body.token, body.request.encode(), self._lasts
            ),
        )
        named = pki.common_name(x509.load_pem_x509_certificate(pem.encode()))
        try:
            self._fleet.desk.claimed(Address(*str(named).split("/")))
        except OSError as error:
            # The token is worth nothing any more; the box must have its certificate.
            log.warning("a used claim stays", extra={"box": named, "why": error.strerror})
        return pem

    async def _renew(self, request: Request, raw: bytes) -> str:
        body = _parsed(RenewBody, raw)
        certificate = _shown(request)
        return await self._decide(
            request,
            lambda change: claiming.renew(
                change, self._signer, certificate, body.request.encode(), self._lasts
            ),
        )

    async def _decide(self, request: Request, decision: Callable[[Change], str]) -> str:
        try:
            return await run_in_threadpool(self._committed, decision)
        except (RequestRefusedError, TopicError) as error:
            self._refusals.take(request.client.host if request.client else "")
            if isinstance(error, TokenRefusedError):
                raise RefusedError(403, "token", *halves(error)) from error
            code = "new_key" if isinstance(error, NewKeyNeededError) else "request"
            raise RefusedError(400, code, *halves(error)) from error
        except SQLAlchemyError as error:
            log.exception("the state cannot be written")
            raise RefusedError(
                503, "unavailable", "not possible now", "try again", _AGAIN_S
            ) from error

    def _committed(self, decision: Callable[[Change], str]) -> str:
        """Decide in one transaction, which is kept when the answer is no: it may hold an alarm."""
        refusal: RequestRefusedError | None = None
        pem = ""
        with self._fleet.registry.change() as change:
            try:
                pem = decision(change)
            except RequestRefusedError as error:
                refusal = error
        if refusal is not None:
            raise refusal
        return pem


def _spend(limiter: Limiter, name: str) -> None:
    """Count one request of somebody.

    Raises:
        RefusedError: If there were too many.
    """
    if not limiter.take(name):
        raise _too_many(limiter, name)


def _must_be_left(limiter: Limiter, name: str) -> None:
    """Check that somebody may ask, and count nothing.

    Raises:
        RefusedError: If there was too much.
    """
    if limiter.left(name) < 1:
        raise _too_many(limiter, name)


def _too_many(limiter: Limiter, name: str) -> RefusedError:
    wait_s = limiter.wait_s(name)
    return RefusedError(429, "too_many", "asked too often", f"try again in {wait_s} s", wait_s)


def _refusal(request: Request, error: RefusedError) -> JSONResponse:
    address = request.client.host if request.client else ""
    # Ten thousand boxes that are told to come later are no news.
    log.log(
        logging.DEBUG if error.error == _FULL else logging.WARNING,
        "refused",
        extra={"address": address, "error": error.error, "path": request.url.path},
    )
    said = {"error": error.error, "reason": error.reason, "fix": error.fix}
    headers = {"Retry-After": str(error.wait_s)} if error.wait_s else None
    return JSONResponse(said, error.status, headers)


def _shown(request: Request) -> x509.Certificate:
    """Return the certificate that the connection was made with."""
    shown: bytes | None = getattr(request.state, "certificate", None)
    if shown is None:
        raise RefusedError(
            401, "no_certificate", "no client certificate", "connect with the box's own"
        )
    return x509.load_der_x509_certificate(shown)


async def _body(request: Request) -> bytes:
    """Return a request's body, read no further than is allowed."""
    raw = bytearray()
    try:
        async for part in request.stream():
            raw += part
            if len(raw) > _MOST_BYTES:
                raise RefusedError(
                    413, "too_large", "too large", f"send at most {_MOST_BYTES} bytes"
                )
    except ClientDisconnect as error:
        raise RefusedError(400, "cut_off", "cut off", "send it again") from error
    return bytes(raw)


def _parsed(model: type[B], raw: bytes) -> B:
    try:
        return model.model_validate_json(raw)
    except ValidationError as error:
        keys = sorted({".".join(map(str, one["loc"])) or "body" for one in error.errors()})
        raise RefusedError(
            400, "malformed", f"not as it should be: {', '.join(keys)}"[:300], "update the box"
        ) from error


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()
