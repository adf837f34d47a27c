"""A broker, an outbox and links for each test, ended after it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cleandesk.link import Link, Outbox
from tests.mosquitto import Mosquitto
from tests.unit.link import make as making
from tests.unit.link.make import LinkMaker, new_link, outbox


@pytest.fixture(autouse=True)
def _close_what_was_opened() -> Iterator[None]:
    yield
    while making.OPENED:
        making.OPENED.pop().close()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path) as running:
        yield running


@pytest.fixture
def box(tmp_path: Path) -> Outbox:
    return outbox(tmp_path / "outbox.db")


@pytest.fixture
def linked(broker: Mosquitto) -> Iterator[LinkMaker]:
    """Start a link that is stopped at the end."""
    made: list[Link] = []

    def make(box: Outbox, **settings: float) -> Link:
        link = new_link(box, broker.port, **settings)
        made.append(link)
        link.start()
        return link

    yield make
    for link in made:
        link.stop()
