"""The enrolment service without its process: what it answers when something is not as usual."""

import json
from typing import Any

import anyio
import pytest
from sqlalchemy.exc import OperationalError
from starlette.applications import Starlette
from starlette.types import Message

from cleandesk.contract.topics import Address
from cleandesk_fleet.provision import boxes, making, pki
from cleandesk_fleet.provision.fleet import Fleet
from cleandesk_fleet.provision.service import Enrolment
from tests.unit.provision.conftest import request


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


def test_a_claim_that_cannot_be_removed_keeps_no_certificate_from_its_box(
    app: Starlette, fleet: Fleet, key: pki.PrivateKey
) -> None:
    with fleet.registry.change() as change:
        boxes.add_site(change, "s1")
    [made] = making.make(fleet, [Address("s1", "b1")], again=False)
    claim = made.folder / "claim.json"
    token = json.loads(claim.read_text())["token"]
    claim.unlink()
    claim.mkdir()  # which nobody unlinks
    body = json.dumps({"token": token, "request": request(key).decode()}).encode()
    status, said = post(app, "/v1/claim", body)
    assert status == 200
    assert b"BEGIN CERTIFICATE" in said


def test_a_request_that_is_cut_off_is_let_go(app: Starlette) -> None:
    assert post(app, "/v1/claim", b'{"token": "xxxxxx', cut=True)[0] == 400


def test_there_is_nothing_else(app: Starlette) -> None:
    assert post(app, "/", b"")[0] == 404
    assert post(app, "/v1/claim/../renew", b"")[0] == 404
