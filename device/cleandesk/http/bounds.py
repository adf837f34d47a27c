"""What stands around every page: headers that all answers carry, and how much may come in."""

from collections.abc import Mapping

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import Message, Receive, Send

#: The longest body of a request, bytes; a note of 500 characters fits in any script.
MAX_BODY = 8192

#: For pages that load what they show from themselves alone, and are in nobody's frame.
HEADERS = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), display-capture=(), usb=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def too_long(length: str, most: int = MAX_BODY) -> bool:
    """Say whether a request announces more than so many bytes, or no number at all."""
    return not length.isascii() or not length.isdigit() or int(length) > most


class Answer:
    """Adds headers to an answer; what pages say is kept by nobody.

    Args:
        send: Where the answer goes.
        headers: What all answers carry.
    """

    def __init__(self, send: Send, headers: Mapping[str, str]) -> None:
        self._send, self._headers = send, headers

    async def __call__(self, message: Message) -> None:
        """Hand a part of the answer on."""
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in self._headers.items():
                headers.setdefault(name, value)
            headers.setdefault("Cache-Control", "no-store")
        await self._send(message)


class Body:
    """Counts what comes in: a length may be left unsaid.

    Args:
        receive: Where a request comes from.
        most: It may have so many bytes.
    """

    def __init__(self, receive: Receive, most: int = MAX_BODY) -> None:
        self._receive = receive
        self._left = most

    async def __call__(self) -> Message:
        """Return the next part of a request.

        Raises:
            HTTPException: If there is more.
        """
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            raise HTTPException(413)
        return message
