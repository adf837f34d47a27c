"""The page's end of the box's socket, as short as it can be."""

import socket
from pathlib import Path
from types import TracebackType
from typing import Self

from cleandesk.worker.protocol import ANSWER, Answer, Line, State, encode


class PageClient:
    """One connection to a box."""

    def __init__(self, path: Path, *, timeout_s: float = 20) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(timeout_s)
        try:
            self._socket.connect(str(path))
        except OSError:
            self._socket.close()
            raise
        self._lines = self._socket.makefile("rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Leave."""
        self._lines.close()
        self._socket.close()

    def send(self, line: bytes) -> None:
        """Send raw bytes."""
        self._socket.sendall(line)

    def receive(self) -> Answer | None:
        """Return the next line; None if the box closed the connection."""
        try:
            line = self._lines.readline()
        except ConnectionResetError:
            return None
        return ANSWER.validate_json(line) if line else None

    def ask(self, request: Line) -> Answer:
        """Ask one thing."""
        self.send(encode(request))
        answer = self.receive()
        assert answer is not None, f"no answer to {request}"
        return answer

    def state(self, request: Line) -> State:
        """Ask something that is answered by the state."""
        answer = self.ask(request)
        assert isinstance(answer, State), answer
        return answer
