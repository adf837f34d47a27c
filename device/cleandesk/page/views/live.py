"""What moves by itself: the state and the drawing, as server-sent events.

Events: `now` (the state's HTML), `tick` (it is still so), `gone` (the box does not answer),
`drawing` (one look, or null: there is none) and `ended` (the session has).
"""

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator

from starlette.responses import PlainTextResponse, Response, StreamingResponse

from cleandesk.page.client import BoxClient
from cleandesk.page.errors import BoxUnreachableError
from cleandesk.page.views import now
from cleandesk.page.visit import Visit
from cleandesk.worker.protocol import Box, Drawing

log = logging.getLogger(__name__)

_STATE_EVERY_S = 1.0
_DRAWING_EVERY_S = 0.2
#: No look for so long: what was drawn is gone.
_STALE_S = 3.0
_COLUMNS, _ROWS = ("_left", "", "_right"), ("upper", "", "lower")


async def watch(visit: Visit) -> Response:
    """Go on telling, until the reader leaves or the session ends."""
    if visit.parts.viewers.full:
        return PlainTextResponse("too many watch already", 503, {"Retry-After": "30"})
    return StreamingResponse(_events(visit), media_type="text/event-stream")


class _Looks:
    """The newest look; older ones are of no use."""

    def __init__(self, box: BoxClient) -> None:
        self._box = box
        self._newest: Drawing | None = None
        self._came = asyncio.Event()

    async def follow(self) -> None:
        """Take looks from the box, as long as this task runs."""
        while True:
            try:
                async with contextlib.aclosing(self._box.watch()) as looks:
                    async for look in looks:
                        self._newest = look
                        self._came.set()
            except BoxUnreachableError as error:
                log.info("no looks", extra={"error": str(error)})
            await asyncio.sleep(_STATE_EVERY_S)

    async def next(self, within_s: float) -> Drawing | None:
        """Return the newest look that was not returned yet, or None if none comes in time."""
        try:
            async with asyncio.timeout(within_s):
                await self._came.wait()
        except TimeoutError:
            return None
        self._came.clear()
        return self._newest


async def _events(visit: Visit) -> AsyncIterator[str]:
    loop = asyncio.get_running_loop()
    looks = _Looks(visit.parts.box)
    following = asyncio.create_task(looks.follow())
    teller = _Teller(visit)
    ask_at = loop.time()
    seen_at: float | None = loop.time()
    try:
        with visit.parts.viewers.one():
            while not (teller.ended or visit.parts.viewers.closing):
                if loop.time() >= ask_at:
                    yield await teller.state()
                    ask_at = loop.time() + _STATE_EVERY_S
                look = await looks.next(max(0.0, ask_at - loop.time()))
                if look is not None and teller.sensing:
                    seen_at = loop.time()
                    yield _event("drawing", _drawn(visit, look))
                    await asyncio.sleep(_DRAWING_EVERY_S)
                elif seen_at and (loop.time() - seen_at > _STALE_S or not teller.sensing):
                    seen_at = None
                    yield _event("drawing", None)
    finally:
        following.cancel()


class _Teller:
    """Tells the state when it changes."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        self._told: str | None = None
        self.sensing = False
        self.ended = False

    async def state(self) -> str:
        """Return the event about the state at present."""
        visit = self._visit
        try:
            await visit.ask_state()
        except BoxUnreachableError:
            self._told, self.sensing = None, False
            return _event("gone", visit.markup("unreachable_part.html"))
        if visit.session is None:
            self.ended = True
            return _event("ended", None)
        state = visit.state
        self.sensing = state.sensing
        key = state.model_dump_json()
        if key == self._told:
            return _event("tick", str(visit.when(visit.parts.clock.now().utc)))
        self._told = key
        return _event("now", visit.markup("now_part.html", **now.context(visit, state)))


def _drawn(visit: Visit, look: Drawing) -> dict[str, object]:
    return {
        "aspect": look.aspect,
        "area": look.area,
        "zones": look.zones,
        "boxes": [_box(visit, box) for box in look.boxes],
    }


def _box(visit: Visit, box: Box) -> dict[str, object]:
    name, percent = visit.name("class", box.class_name), round(box.score * 100)
    place = visit.say(f"place.{_part(box)}")
    return {
        "name": f"{name} {percent} %",
        "line": visit.say("live.line", name=name, percent=percent, place=place),
        "place": box.place,
        "believed": box.believed,
    }


def _part(box: Box) -> str:
    x1, y1, x2, y2 = box.place
    column, row = (min(2, int((a + b) / 2 * 3)) for a, b in ((x1, x2), (y1, y2)))
    return (_ROWS[row] + _COLUMNS[column]).lstrip("_") or "middle"


def _event(name: str, data: object) -> str:
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"
