"""A page in this process, before a fake box on a real socket."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pytest
from starlette.testclient import TestClient

from cleandesk.clock import Instant
from cleandesk.contract import pin_hash
from cleandesk.page.app import make
from cleandesk.page.client import BoxClient
from cleandesk.page.entrance import Entrance
from cleandesk.page.parts import Parts, templates
from cleandesk.page.settings import PageSettings
from cleandesk.page.store import Store
from cleandesk.page.texts import Texts
from cleandesk.page.viewers import Viewers
from tests.fake_box import FakeBox

LABEL, OWN = "582930", "739164"
FINGERPRINT = ":".join(["AB"] * 32)
ADDRESS = "https://cleandesk-desk-1.local"
PHONE = ("192.168.1.20", 50000)


class HandClock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self._now = Instant(1000.0, datetime(2026, 3, 2, 9, 0, tzinfo=UTC), synced=True)

    def now(self) -> Instant:
        return self._now

    def pass_(self, seconds: float) -> None:
        self._now = replace(
            self._now, mono=self._now.mono + seconds, utc=self._now.utc + timedelta(seconds=seconds)
        )


@dataclass
class Page:
    """The page and all around it."""

    box: FakeBox
    clock: HandClock
    store: Store
    parts: Parts

    def reader(self, **headers: str) -> TestClient:
        """Return a new browser on the home network."""
        return TestClient(
            make(self.parts),
            base_url=ADDRESS,
            client=PHONE,
            headers=headers,
            follow_redirects=False,
            raise_server_exceptions=False,
        )

    def worker(self) -> TestClient:
        """Return a browser whose reader has paired and signed in."""
        reader = self.reader()
        if not self.parts.entrance.paired:
            assert send(reader, "/sign-in", pin=LABEL).headers["location"] == "/pair"
            done = send(reader, "/pair", new=OWN, again=OWN)
        else:
            done = send(reader, "/sign-in", pin=OWN)
        assert done.headers["location"].startswith("/"), done.text
        return reader


def token(html: str) -> str:
    """Return the token of a page's forms."""
    found = re.search(r'name="token" value="([^"]+)"', html)
    assert found, html
    return found[1]


def send(reader: httpx2.Client, path: str, *, page: str | None = None, **fields: str):  # type: ignore[no-untyped-def]  # noqa: ANN201
    """Send a form as it stands on a page."""
    form = reader.get(page or ("/" if path not in {"/sign-in", "/pair"} else path))
    return reader.post(path, data={"token": token(form.text)} | fields)


@pytest.fixture
def box(tmp_path: Path) -> Iterator[FakeBox]:
    fake = FakeBox(tmp_path / "page.sock").start()
    yield fake
    fake.close()


@pytest.fixture
def page(tmp_path: Path, box: FakeBox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    monkeypatch.setattr(pin_hash, "_N", 2**4)
    clock = HandClock()
    store = Store(tmp_path / "page.db")
    client = BoxClient(box.socket, patience_s=5)
    settings = PageSettings.model_validate(
        {"schema": 1, "box": "desk-1", "page": {"timezone": "Europe/Berlin"}}
    )
    parts = Parts(
        settings=settings,
        entrance=Entrance.open(store, client, pin_hash.hashed(LABEL), clock),
        box=client,
        texts=Texts(),
        templates=templates(),
        clock=clock,
        fingerprint=FINGERPRINT,
        viewers=Viewers(),
    )
    yield Page(box, clock, store, parts)
    store.close()
