"""The enrolment service without its process: what it answers when something is not as usual."""

from typing import Any

import anyio
import pytest
from sqlalchemy.exc import OperationalError
from starlette.applications import Starlette
from starlette.types import Message

from cleandesk_fleet.provision.fleet import Fleet
from cleandesk_fleet.provision.service import Enrolment


def post(app: Starlette, path: str, body: bytes, *, cut: bool = False) -> tuple[int, bytes]:
    """Send one request to an application; returns status and body."""
    sent: list[Message] = []
    parts: list[Message] = [{"type": "http.request", "body": body, "more_body": cut}]
    parts.append({"type": "http.disconnect"})

    async def receive() -> Message:
        return parts.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    scope: dict[str, Any] = {"type": "http", "method": "POST", "path": path, "headers": []}
    scope |= {"query_string": b"", "client": ("192.0.2.1", 5), "state": {}, "root_path": ""}
    anyio.run(app, scope, receive, send)
    return sent[0]["status"], sent[1]["body"]


@pytest.fixture
def app(fleet: Fleet) -> Starlette:
    return Enrolment(fleet).app()


def test_a_state_that_cannot_be_written_is_said_and_asked_again_for(
    app: Starlette, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked() -> None:
        raise OperationalError("BEGIN IMMEDIATE", {}, Exception("database is locked"))

    monkeypatch.setattr(fleet.registry, "change", locked)
    status, said = post(app, "/v1/claim", b'{"token": "xxxxxxxxxxxxxxxx", "request": "x"}')
    assert status == 503
    assert b'"unavailable"' in said
    assert b"BEGIN" not in said


def test_a_request_that_is_cut_off_is_let_go(app: Starlette) -> None:
    assert post(app, "/v1/claim", b'{"token": "xxxxxx', cut=True)[0] == 400


def test_there_is_nothing_else(app: Starlette) -> None:
    assert post(app, "/", b"")[0] == 404
    assert post(app, "/v1/claim/../renew", b"")[0] == 404
