"""A box for the page's tests: speaks the protocol over a real Unix socket, and does as it is told.

It has no camera and no link; what it is asked is written down for the tests to look at.
"""

import asyncio
import contextlib
import hashlib
import threading
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import cv2
import numpy as np

from cleandesk.contract.messages import Phase, Privacy, PrivacyState, Severity
from cleandesk.worker import protocol as p

T = TypeVar("T")
SINCE = datetime(2026, 3, 2, 8, 30, tzinfo=UTC)
VIOLATION = "0123456789abcdef0123456789abcdef"
#: A picture for the aiming view, and for the ledger.
JPEG = cv2.imencode(".jpg", np.full((90, 160, 3), (80, 120, 90), np.uint8))[1].tobytes()


def shown(**changes: object) -> p.Shown:
    """Return a violation as the worker sees it."""
    return p.Shown.model_validate(
        {
            "violation_id": VIOLATION,
            "rule": "no-phone",
            "class_name": "phone",
            "zone": "desk",
            "severity": Severity.HIGH,
            "phase": Phase.OPEN,
            "opened_at": SINCE,
        }
        | changes
    )


def entry(number: int, **changes: object) -> p.Entry:
    """Return an entry of the ledger."""
    return p.Entry.model_validate(
        {
            "number": number,
            "at": SINCE,
            "kind": "privacy",
            "topic": "cleandesk/v1/home/desk-1/privacy",
            "message_id": f"privacy-{number}",
            "payload": '{"schema":1,"state":"working","since":"2026-03-02T08:30:00.000Z"}',
            "chain": hashlib.sha256(str(number).encode()).hexdigest(),
            "sent_at": SINCE,
            "answered": None,
        }
        | changes
    )


class FakeBox:
    """The box's side of the socket.

    Attributes:
        state: What it answers; a test may change it at any time.
        asked: All requests so far but those for the state.
    """

    def __init__(self, socket: Path) -> None:
        self.socket = socket
        self.state = p.State(
            privacy=Privacy(state=PrivacyState.WORKING, since=SINCE),
            sensing=True,
            connected=True,
            limits=p.Limits(),
            breaks_today=0,
        )
        self.entries: list[p.Entry] = []
        self.whole: bool | None = True
        self.statement = p.Statement(sections={})
        self.drawing: p.Drawing | None = None
        self.fails: p.Failed | None = None
        self.asked: list[p.Line] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    def change(self, **changes: object) -> None:
        """Change some of the state."""
        self.state = self.state.model_copy(update=changes)

    def be(self, state: PrivacyState, **more: object) -> None:
        """Change what it does about the worker."""
        privacy = Privacy.model_validate({"state": state, "since": datetime.now(UTC)} | more)
        self.change(privacy=privacy, sensing=state is not PrivacyState.BREAK)

    def start(self) -> "FakeBox":
        """Listen."""
        if not self._thread.is_alive():
            self._thread.start()
        self._server = self._on_loop(asyncio.start_unix_server(self._let_in, self.socket))
        return self

    def go_away(self) -> None:
        """Stop listening, and end all connections."""
        self._on_loop(self._end())

    def close(self) -> None:
        """End for good."""
        self.go_away()
        self._on_loop(self._end_tasks())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def _on_loop(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)

    async def _end(self) -> None:
        if self._server is not None:
            # Who is being let in comes in before the door closes: asyncio would leave them open.
            for listener in self._server.sockets:
                self._loop.remove_reader(listener.fileno())
            for _ in range(2):
                await asyncio.sleep(0)
            self._server.close()
            self._server = None
            self.socket.unlink(missing_ok=True)
        for writer in list(self._open):
            writer.close()
        await asyncio.sleep(0)

    async def _end_tasks(self) -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _let_in(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> Coroutine[Any, Any, None]:
        """Note a connection at once: what serves it may be ended before its first step."""
        self._open.add(writer)
        return self._serve(reader, writer)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.CancelledError):
            while line := await reader.readline():
                request = p.REQUEST.validate_json(line)
                if isinstance(request, p.Watch):
                    await self._draw(writer)
                    break
                writer.write(p.encode(self._answer(request)))
                await writer.drain()
        self._open.discard(writer)
        writer.close()

    async def _draw(self, writer: asyncio.StreamWriter) -> None:
        while not writer.is_closing():
            if self.drawing is not None and self.state.sensing:
                writer.write(p.encode(self.drawing))
                await writer.drain()
            await asyncio.sleep(0.1)

    def _answer(self, request: p.Line) -> p.Line:
        if isinstance(request, p.GetState):
            return self.state
        self.asked.append(request)
        if self.fails is not None:
            return self.fails
        does: dict[type[p.Line], Callable[[Any], p.Line]] = {
            p.StartBreak: self._start,
            p.EndBreak: self._end_break,
            p.GetLedger: self._ledger,
        }
        if type(request) in does:
            return does[type(request)](request)
        if isinstance(request, p.GetStatement):
            return self.statement
        return p.Picture.of(JPEG, SINCE) if isinstance(request, p.Aim) else p.Done()

    def _start(self, request: p.StartBreak) -> p.State:
        self.be(PrivacyState.BREAK, reason=request.reason)
        self.change(breaks_today=self.state.breaks_today + 1)
        return self.state

    def _end_break(self, _: p.EndBreak) -> p.State:
        self.be(PrivacyState.WORKING)
        return self.state

    def _ledger(self, request: p.GetLedger) -> p.Ledger:
        newest_first = sorted(self.entries, key=lambda entry: -entry.number)
        below = [e for e in newest_first if request.before is None or e.number < request.before]
        total = len(self.entries)
        return p.Ledger(
            entries=below[: request.limit], total=total, whole=self.whole, checked_to=total
        )
