"""What stands before every page: how it must be called, from where, and what browsers are told."""

import logging
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from cleandesk.http import bounds

log = logging.getLogger(__name__)

#: No script at all runs on these pages.
HEADERS = bounds.HEADERS | {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
}
_LASTS = {"Strict-Transport-Security": "max-age=31536000"}
#: The longest body of a request, bytes: a form writes a character of any script in twelve at most,
#: and a note has `appeals.LONGEST_NOTE`.
MAX_BODY = 16_384
_LONGEST_QUERY = 4096
_ELSEWHERE = frozenset({"cross-site", "same-site"})


class Guard:
    """An ASGI application around the page's.

    Args:
        app: The page.
        url: How it is called: scheme, name and port.
    """

    def __init__(self, app: ASGIApp, url: str) -> None:
        self._app, self._url = app, url
        parts = urlsplit(url)
        self._host = parts.netloc
        self._headers = HEADERS | (_LASTS if parts.scheme == "https" else {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse a request, or hand it on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = bounds.Answer(send, self._headers)
        refusal = self._refusal(scope)
        if refusal is not None:
            log.warning(
                "request refused",
                extra={"status": refusal.status_code, "path": scope["path"][:200]},
            )
            await refusal(scope, receive, answer)
            return
        await self._app(scope, bounds.Body(receive, MAX_BODY), answer)

    def _refusal(self, scope: Scope) -> PlainTextResponse | None:
        headers = Headers(scope=scope)
        if [host.lower() for host in headers.getlist("host")] != [self._host]:
            return PlainTextResponse("this page is not called that", 421)
        if not self._same_origin(scope["method"], headers):
            return PlainTextResponse("this form came from another page", 403)
        if _is_written_down(scope["path"]) and headers.get("sec-fetch-site", "none") in _ELSEWHERE:
            return PlainTextResponse("another page asked for this in your name", 403)
        if bounds.too_long(headers.get("content-length", "0"), MAX_BODY):
            return PlainTextResponse("too long", 413)
        if len(scope["query_string"]) > _LONGEST_QUERY:
            return PlainTextResponse("too long", 414)
        return None

    def _same_origin(self, method: str, headers: Headers) -> bool:
        """Say whether what changes something comes from a page of our own; browsers say so.

        A form's own token is checked besides (`cleandesk.http.forms`).
        """
        if method in {"GET", "HEAD"}:
            return True
        if headers.get("sec-fetch-site", "same-origin") != "same-origin":
            return False
        return headers.get("origin", self._url) == self._url


def _is_written_down(path: str) -> bool:
    """Say whether asking for it is entered into the trail, under the name of whoever does."""
    return path.startswith("/stills/") or path.endswith(".csv")
