"""What stands before every page: who may ask, how often, how much, and what browsers are told."""

import ipaddress
import logging
from collections import OrderedDict
from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from cleandesk.clock import Clock
from cleandesk.http import bounds

log = logging.getLogger(__name__)

#: Requests that one address may make at once, and how many a second come back.
BURST, PER_SECOND = 120.0, 20.0
_MOST_ADDRESSES = 256

#: No Strict-Transport-Security: with it browsers would not let people past their warning.
HEADERS = bounds.HEADERS | {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
}


class Guard:
    """An ASGI application around the page's.

    Args:
        app: The page.
        names: Host names that it may be called by; addresses always may, since a name that
            somebody rebinds to this address (DNS rebinding) is none.
        clock: For the rate limit.
    """

    def __init__(self, app: ASGIApp, names: Collection[str], clock: Clock) -> None:
        self._app = app
        self._names = frozenset(name.lower() for name in names)
        self._rates = _Rates(clock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse a request, or hand it on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = bounds.Answer(send, HEADERS)
        refusal = self._refusal(scope)
        if refusal is not None:
            log.warning(
                "request refused",
                extra={"status": refusal.status_code, "path": scope["path"][:200]},
            )
            await refusal(scope, receive, answer)
            return
        await self._app(scope, bounds.Body(receive), answer)

    def _refusal(self, scope: Scope) -> PlainTextResponse | None:
        headers = Headers(scope=scope)
        peer = scope["client"][0] if scope.get("client") else ""
        if not _at_home(peer):
            return PlainTextResponse("this page is for the home network only", 403)
        left_s = self._rates.take(peer)
        if left_s > 0:
            return PlainTextResponse(
                "too many requests", 429, {"Retry-After": str(int(left_s) + 1)}
            )
        if not self._called_rightly(headers.getlist("host")):
            return PlainTextResponse("this page is not called that", 421)
        if not _same_origin(scope["method"], headers):
            return PlainTextResponse("this form came from another page", 403)
        if bounds.too_long(headers.get("content-length", "0")):
            return PlainTextResponse("too long", 413)
        return None

    def _called_rightly(self, hosts: list[str]) -> bool:
        if len(hosts) != 1:
            return False
        try:
            name = urlsplit(f"//{hosts[0]}").hostname or ""
        except ValueError:
            return False
        return name.rstrip(".") in self._names or _address(name) is not None


class _Rates:
    """A bucket of requests for each address; the longest unused is forgotten first."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, peer: str) -> float:
        """Take one; returns 0, or for how many seconds there is none."""
        now = self._clock.now().mono
        left, at = self._buckets.pop(peer, (BURST, now))
        left = min(BURST, left + (now - at) * PER_SECOND)
        wait_s = 0.0 if left >= 1 else (1 - left) / PER_SECOND
        self._buckets[peer] = (left - 1 if wait_s == 0 else left, now)
        if len(self._buckets) > _MOST_ADDRESSES:
            self._buckets.popitem(last=False)
        return wait_s


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _at_home(peer: str) -> bool:
    address = _address(peer)
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return address is not None and (address.is_private or address.is_link_local)


def _same_origin(method: str, headers: Headers) -> bool:
    """Say whether a request that changes something comes from a page of our own.

    Browsers say where from; the companion is none and says nothing. A form's own token is checked
    besides (`forms.py`).
    """
    if method in {"GET", "HEAD"}:
        return True
    origin = headers.get("origin")
    if origin is not None:
        return origin == f"https://{headers['host']}"
    return headers.get("sec-fetch-site", "same-origin") == "same-origin"
