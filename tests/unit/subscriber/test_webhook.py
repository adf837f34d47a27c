"""The webhook on a real server: signed, encrypted, bounded in time, and without a redirect."""

import json
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from pydantic import ValidationError

from cleandesk.config import ConfigError
from cleandesk_fleet.subscriber.notices.sending import PATIENCE, NotTakenError
from cleandesk_fleet.subscriber.notices.settings import WebhookSettings
from cleandesk_fleet.subscriber.notices.webhook import Webhook
from cleandesk_fleet.subscriber.notices.wording import MOST_LISTED
from tests.receivers import KEY, WebReceiver, certificate, secret_file
from tests.unit.subscriber.hostile import INJECTIONS
from tests.unit.subscriber.told import message, row


def webhook(receiver: WebReceiver, folder: Path, **more: object) -> Webhook:
    secret = secret_file(folder)
    return Webhook(
        WebhookSettings.model_validate({"url": receiver.url, "secret_file": secret} | more)
    )


def test_posts_what_happened_signed(tmp_path: Path) -> None:
    with WebReceiver() as receiver:
        webhook(receiver, tmp_path).send(message())
    (posted,) = receiver.posted
    assert posted.headers[":path"] == "/hook?fleet=1"
    assert posted.headers["content-type"] == "application/json"
    assert posted.name == message().name
    assert abs(int(posted.headers["webhook-timestamp"]) - time.time()) < 60
    assert posted.signed_by(KEY)
    assert not posted.signed_by(KEY[::-1])
    assert json.loads(posted.body) == {
        "type": "cleandesk.severe_violations",
        "timestamp": "2026-05-04T08:00:30.000Z",
        "data": {
            "count": 1,
            "violations": [row() | {"opened_at": "2026-05-04T08:00:00.000Z"}],
            "not_listed": [],
        },
    }


def test_the_same_message_has_the_same_words_each_time(tmp_path: Path) -> None:
    with WebReceiver() as receiver:
        for _ in range(2):
            webhook(receiver, tmp_path).send(message())
    first, second = receiver.posted
    assert (first.name, first.body) == (second.name, second.body)


def test_a_flood_is_summed_up(tmp_path: Path) -> None:
    rows = [row(n, site="s1" if n % 2 else "s2") for n in range(MOST_LISTED + 301)]
    with WebReceiver() as receiver:
        webhook(receiver, tmp_path).send(message(*rows))
    (posted,) = receiver.posted
    assert posted.data["count"] == len(rows)
    assert len(posted.violations) == MOST_LISTED
    assert [(one["site"], one["count"]) for one in posted.data["not_listed"]] == [
        ("s1", 150),
        ("s2", 151),
    ]
    assert len(posted.body) < 32_000


def test_hostile_words_of_a_box_arrive_as_words(tmp_path: Path) -> None:
    words = [text.encode("utf-8", "replace").decode() for text in INJECTIONS]
    with WebReceiver() as receiver:
        webhook(receiver, tmp_path).send(message(*(row(rule=text) for text in words)))
    assert [one["rule"] for one in receiver.posted[0].violations] == words


def test_it_is_encrypted_to_a_server_that_the_authority_vouches_for(tmp_path: Path) -> None:
    files = certificate(tmp_path)
    with WebReceiver(files) as receiver:
        webhook(receiver, tmp_path, ca=files[0]).send(message())
        with pytest.raises(NotTakenError, match="CERTIFICATE_VERIFY_FAILED"):
            webhook(receiver, tmp_path).send(message())
    assert len(receiver.posted) == 1


def refuse(handler: BaseHTTPRequestHandler) -> None:
    handler.send_error(503, "Busy")


def redirect(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(307)
    handler.send_header("Location", handler.path)
    handler.end_headers()


def vanish(handler: BaseHTTPRequestHandler) -> None:
    handler.close_connection = True


def nonsense(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"\x00\xff" * 1000)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (refuse, "HTTP 503 'Busy'"),
        (redirect, "HTTP 307"),
        (vanish, "RemoteDisconnected"),
        (nonsense, "BadStatusLine"),
    ],
)
def test_whatever_is_no_2xx_is_not_taken(tmp_path: Path, answer: object, why: str) -> None:
    with WebReceiver(answer=answer) as receiver:  # type: ignore[arg-type]
        with pytest.raises(NotTakenError, match=why):
            webhook(receiver, tmp_path).send(message())
        assert len(receiver.posted) == 1, "no redirect is followed"


def drip(handler: BaseHTTPRequestHandler, head: bytes = b"HTTP/1.1 200 ") -> None:
    """Answer without ever coming to an end, each byte in time."""
    handler.wfile.write(head)
    for _ in range(150):
        try:
            handler.wfile.write(b"x")
        except OSError:
            return
        time.sleep(0.1)


def drip_a_body(handler: BaseHTTPRequestHandler) -> None:
    """The same after the head, when the connection has handed its socket to the response."""
    drip(handler, b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")


@pytest.mark.parametrize("answer", [lambda _: time.sleep(3), drip, drip_a_body])
def test_a_receiver_that_holds_on_is_left_after_a_time(tmp_path: Path, answer: object) -> None:
    with WebReceiver(answer=answer) as receiver:  # type: ignore[arg-type]
        began = time.monotonic()
        with pytest.raises(NotTakenError):
            webhook(receiver, tmp_path, timeout_s=0.3).send(message())
        assert time.monotonic() - began < 10 * PATIENCE * 0.3


def test_nobody_there_is_not_taken(tmp_path: Path) -> None:
    with WebReceiver() as receiver:
        pass
    with pytest.raises(NotTakenError, match=r"refused.*is notices\.webhook\.url right"):
        webhook(receiver, tmp_path).send(message())


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://example.org/hook", "write https"),
        ("http://localhost.example.org/", "write https"),
        ("ftp://localhost/", "write https://host/path"),
        ("https://", "write https://host/path"),
        ("https://user:password@example.org/", "leave out the password"),
        ("https://example.org/a b", "without blanks"),
        ("https://example.org/\r\nX: y", "without blanks"),
        ("https://example.org:99999/", "url"),
    ],
)
def test_an_address_that_would_give_things_away_is_refused(
    tmp_path: Path, url: str, why: str
) -> None:
    with pytest.raises(ValidationError, match=why):
        WebhookSettings(url=url, secret_file=tmp_path / "secret")


@pytest.mark.parametrize(
    ("text", "mode", "why"),
    [
        (None, 0o600, "No such file"),
        ("", 0o600, "it is empty"),
        ("whsec_" + "A" * 44, 0o644, "others can read it; chmod 600"),
        ("whsec_c2hvcnQ=", 0o600, "no key of 24 to 64 bytes"),
        ("not base64 at all!", 0o600, "no key of 24 to 64 bytes"),
    ],
)
def test_a_key_that_cannot_be_used_is_told_with_the_fix(
    tmp_path: Path, text: str | None, mode: int, why: str
) -> None:
    path = tmp_path / "secret"
    if text is not None:
        path.write_text(text, encoding="utf-8")
        path.chmod(mode)
    with pytest.raises(ConfigError, match=why) as wrong:
        Webhook(WebhookSettings(url="https://example.org/", secret_file=path))
    assert "notices.webhook.secret_file" in str(wrong.value)
    assert not text or text not in str(wrong.value)
