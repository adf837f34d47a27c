"""E-mail by a real mail server: encrypted, signed in, plain words and no picture."""

import socket
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from pydantic import ValidationError

from cleandesk_fleet.subscriber.notices.choosing import Way
from cleandesk_fleet.subscriber.notices.mail import Mail
from cleandesk_fleet.subscriber.notices.sending import NotTakenError
from cleandesk_fleet.subscriber.notices.settings import MailSettings
from cleandesk_fleet.subscriber.notices.wording import MOST_LISTED
from tests.receivers import MailReceiver, certificate
from tests.unit.subscriber.hostile import INJECTIONS
from tests.unit.subscriber.told import message, row


def mail(receiver: MailReceiver, **more: object) -> Mail:
    settings: dict[str, object] = {
        "host": "localhost",
        "port": receiver.port,
        "encryption": "none",
        "from": "cleandesk@example.org",
        "to": ["ops@example.org", "site@example.org"],
    }
    return Mail(MailSettings.model_validate(settings | more))


def test_says_what_happened_in_plain_words() -> None:
    with MailReceiver() as receiver:
        mail(receiver).send(message(way=Way.MAIL))
    (got,) = receiver.mails
    assert receiver.to == ["ops@example.org", "site@example.org"]
    assert got["Subject"] == "cleandesk: violation (high) at s1/b1"
    assert got["From"] == "cleandesk@example.org"
    assert got["Message-ID"] == f"<{message().name}@example.org>"
    assert got["Auto-Submitted"] == "auto-generated"
    first, *_ = got.get_content().splitlines()
    assert first == "2026-05-04 08:00:00Z  s1/b1  no-phone (phone), high"
    assert "it proves nothing by itself" in got.get_content()
    assert [part.get_content_type() for part in got.walk()] == ["text/plain"]


def test_a_clock_that_may_be_wrong_is_told() -> None:
    with MailReceiver() as receiver:
        mail(receiver).send(message(row(clock_synced=False), way=Way.MAIL))
    assert "the box's clock may be wrong" in receiver.mails[0].get_content()


def test_a_flood_is_summed_up() -> None:
    rows = [row(number, site=f"s{number % 3}") for number in range(MOST_LISTED + 300)]
    with MailReceiver() as receiver:
        mail(receiver).send(message(*rows, way=Way.MAIL))
    (got,) = receiver.mails
    assert got["Subject"] == f"cleandesk: {len(rows)} violations at 3 sites"
    lines = got.get_content().splitlines()
    assert sum("no-phone" in line for line in lines) == MOST_LISTED
    assert "and 100 more of severity high at s0" in lines


def test_hostile_words_of_a_box_steer_nothing() -> None:
    rows = [row() | {"rule": text, "class": text} for text in INJECTIONS]
    with MailReceiver() as receiver:
        mail(receiver).send(message(*rows, way=Way.MAIL))
    (got,) = receiver.mails
    assert receiver.to == ["ops@example.org", "site@example.org"]
    assert got["Bcc"] is None
    lines = got.get_content().splitlines()
    assert all(line.isprintable() for line in lines)
    assert len(lines) == len(INJECTIONS) + 3, "no text begins a line of its own"


def test_it_is_encrypted_and_signed_in(tmp_path: Path) -> None:
    files = certificate(tmp_path)
    password = tmp_path / "password"
    password.touch(mode=0o600)
    password.write_text("correct horse\n", encoding="utf-8")
    more = {"encryption": "starttls", "user": "ops", "password_file": password}
    with MailReceiver(files, "correct horse") as receiver:
        mail(receiver, ca=files[0], **more).send(message(way=Way.MAIL))
        with pytest.raises(NotTakenError, match="CERTIFICATE_VERIFY_FAILED"):
            mail(receiver, **more).send(message(way=Way.MAIL))
        password.write_text("wrong\n", encoding="utf-8")
        with pytest.raises(NotTakenError, match="535 ") as wrong:
            mail(receiver, ca=files[0], **more).send(message(way=Way.MAIL))
    assert len(receiver.mails) == 1
    assert "horse" not in str(wrong.value)


def test_a_server_without_encryption_gets_nothing() -> None:
    with MailReceiver() as receiver:
        with pytest.raises(NotTakenError, match="STARTTLS"):
            mail(receiver, encryption="starttls").send(message(way=Way.MAIL))
        assert receiver.mails == []


def test_an_address_that_is_refused_holds_up_no_other_one(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with MailReceiver(refuses=frozenset({"ops@example.org"})) as receiver:
        mail(receiver).send(message(way=Way.MAIL))
    assert receiver.to == ["site@example.org"]
    assert "refused some of notices.mail.to" in caplog.text


@pytest.mark.parametrize("fails", ["451 later", "554 never"])
def test_what_the_server_does_not_take_is_not_taken(fails: str) -> None:
    with MailReceiver(fails=fails) as receiver, pytest.raises(NotTakenError, match=fails):
        mail(receiver).send(message(way=Way.MAIL))


def drip(server: socket.socket, left: threading.Event) -> None:
    """Greet without ever coming to an end, each byte in time."""
    connection, _ = server.accept()
    with connection:
        for _ in range(500):
            try:
                connection.sendall(b"220-still there\r\n")
            except OSError:
                left.set()
                return
            time.sleep(0.02)


@pytest.mark.parametrize("found_after_s", [0, 1.5], ids=["at once", "late"])
def test_a_server_that_holds_on_is_left_after_a_time(
    monkeypatch: pytest.MonkeyPatch, found_after_s: float
) -> None:
    find = socket.getaddrinfo

    def find_slowly(*arguments: Any, **named: Any) -> Any:
        time.sleep(found_after_s)
        return find(*arguments, **named)

    monkeypatch.setattr(socket, "getaddrinfo", find_slowly)
    left = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:
        dripping = threading.Thread(target=drip, args=[server, left])
        dripping.start()
        receiver = SimpleNamespace(port=server.getsockname()[1])
        with pytest.raises(NotTakenError):
            mail(cast("MailReceiver", receiver), timeout_s=0.3).send(message(way=Way.MAIL))
        dripping.join()
    assert left.is_set()


def test_nobody_there_is_not_taken() -> None:
    receiver = MailReceiver()
    with pytest.raises(NotTakenError, match=r"refused.*are host, port"):
        mail(receiver).send(message(way=Way.MAIL))


@pytest.mark.parametrize(
    "changes",
    [
        {"host": "mail.example.org", "encryption": "none"},
        {"user": "ops"},
        {"from": "a@example.org\nBcc: b@example.org"},
        {"to": ["a@example.org, b@example.org"]},
        {"to": []},
    ],
)
def test_settings_that_would_go_wrong_are_refused(changes: dict[str, object]) -> None:
    right = {"host": "localhost", "from": "a@example.org", "to": ["b@example.org"]}
    MailSettings.model_validate(right)
    with pytest.raises(ValidationError):
        MailSettings.model_validate(right | changes)
