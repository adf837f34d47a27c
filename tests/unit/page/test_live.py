"""What moves by itself, as events: told when it changes, and nothing old is told as new."""

import json
from collections.abc import Callable
from datetime import UTC, datetime

import anyio
import pytest
from starlette.requests import Request

from cleandesk.contract.messages import PrivacyState
from cleandesk.page.viewers import MOST
from cleandesk.page.views import live
from cleandesk.page.visit import SESSION_COOKIE, Visit
from cleandesk.worker import protocol as p
from tests.unit.page.conftest import Page

Event = tuple[str, object]
LOOK = p.Drawing(
    at=datetime(2026, 3, 2, 9, 0, tzinfo=UTC),
    aspect=1.5,
    area=None,
    zones={"desk": [(0, 0), (1, 0), (1, 1)]},
    boxes=[
        p.Box(class_name="phone", score=0.934, place=(0.1, 0.7, 0.2, 0.9), believed=True),
        p.Box(class_name="odd_thing", score=0.2, place=(0.4, 0.4, 0.6, 0.6), believed=False),
    ],
)


def visit(page: Page) -> Visit:
    """Return the visit of a worker who watches."""
    worker = page.worker()
    cookie = f"{SESSION_COOKIE}={worker.cookies[SESSION_COOKIE]}".encode()
    app = type("App", (), {"state": type("State", (), {"parts": page.parts})})
    scope = {"type": "http", "method": "GET", "path": "/live", "query_string": b"", "app": app}
    return Visit(Request(scope | {"headers": [(b"cookie", cookie)]}))


def until(page: Page, *steps: tuple[str, Callable[[], object]]) -> list[Event]:
    """Watch; at each awaited event do something, and end after the last."""
    seen: list[Event] = []
    waiting = list(steps)

    async def watch() -> None:
        with anyio.fail_after(20):
            events = live._events(visit(page))
            async for text in events:
                name, data = text.removeprefix("event: ").split("\ndata: ")
                seen.append((name, json.loads(data)))
                if name == waiting[0][0]:
                    waiting.pop(0)[1]()
                if not waiting:
                    break
            await events.aclose()  # type: ignore[attr-defined]

    anyio.run(watch)
    return seen


def nothing() -> None:
    """Do nothing but wait for the event."""


def test_the_state_comes_first_and_then_only_when_it_changes(page: Page) -> None:
    seen = until(
        page,
        ("now", nothing),
        ("tick", lambda: page.box.be(PrivacyState.BREAK)),
        ("now", nothing),
    )
    states = [data for name, data in seen if name == "now"]
    assert len(states) == 2
    assert "Looking at the desk" in str(states[0])
    assert "On a break" in str(states[1])


def test_each_look_comes_with_words_and_without_a_picture(page: Page) -> None:
    page.box.drawing = LOOK
    seen = until(page, ("drawing", nothing))
    drawing = dict(seen)["drawing"]
    assert drawing == {
        "aspect": 1.5,
        "area": None,
        "zones": {"desk": [[0, 0], [1, 0], [1, 1]]},
        "boxes": [
            {
                "name": "Phone 93 %",
                "line": "Phone, 93 %, lower left",
                "place": [0.1, 0.7, 0.2, 0.9],
                "believed": True,
            },
            {
                "name": "odd thing 20 %",
                "line": "odd thing, 20 %, middle",
                "place": [0.4, 0.4, 0.6, 0.6],
                "believed": False,
            },
        ],
    }


def test_a_break_takes_the_drawing_away(page: Page) -> None:
    page.box.drawing = LOOK
    seen = until(
        page,
        ("drawing", lambda: page.box.be(PrivacyState.BREAK)),
        ("now", nothing),
        ("drawing", nothing),
    )
    assert seen[-1] == ("drawing", None)


def test_a_box_that_goes_is_told_at_once_and_its_return_too(page: Page) -> None:
    seen = until(page, ("now", page.box.go_away), ("gone", page.box.start), ("now", nothing))
    assert "The box does not answer" in str(dict(seen)["gone"])


def test_it_ends_with_the_session(page: Page) -> None:
    seen = until(page, ("now", lambda: page.box.change(pin_resets=1)), ("ended", nothing))
    assert seen[-1] == ("ended", None)


def test_only_so_many_may_watch(page: Page) -> None:
    worker = page.worker()
    places = [page.parts.viewers.one() for _ in range(MOST)]
    for place in places:
        place.__enter__()
    assert worker.get("/live").status_code == 503
    for place in places:
        place.__exit__(None, None, None)
    assert not page.parts.viewers.full


def test_a_stranger_sees_nothing(page: Page) -> None:
    assert page.reader().get("/live").headers["location"] == "/sign-in"


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ((0.0, 0.0, 0.1, 0.1), "upper left"),
        ((0.45, 0.0, 0.55, 0.1), "upper middle"),
        ((0.9, 0.4, 1.0, 0.6), "right"),
        ((0.9, 0.9, 1.0, 1.0), "lower right"),
        ((1.0, 1.0, 1.0, 1.0), "lower right"),
    ],
)
def test_places_are_said_in_words(
    page: Page, place: tuple[float, float, float, float], words: str
) -> None:
    box = p.Box(class_name="pen", score=0.5, place=place, believed=True)
    assert page.parts.texts.say("en", f"page.place.{live._part(box)}") == words
