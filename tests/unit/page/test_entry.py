"""Pairing, signing in and out, and the button's reset."""

import pytest

from cleandesk.page.store import digest
from cleandesk.page.visit import SESSION_COOKIE
from cleandesk.worker.protocol import Note
from tests.fake_box import FakeBox
from tests.unit.page.conftest import LABEL, OWN, Page, send, token


def notes(box: FakeBox) -> list[str]:
    return [line.kind for line in box.asked if isinstance(line, Note)]


def test_without_a_pin_there_is_only_the_entrance(page: Page) -> None:
    reader = page.reader()
    for path in ("/", "/violations", "/sent", "/privacy", "/settings", "/aim"):
        assert reader.get(path).headers["location"] == "/sign-in", path
    shown = reader.get("/sign-in")
    assert shown.status_code == 200
    assert "label on the box" in shown.text
    assert "AB:<wbr>AB" in shown.text
    assert page.box.asked == []


def test_the_labels_pin_lets_one_set_a_pin_and_nothing_else(page: Page) -> None:
    reader = page.reader()
    assert send(reader, "/sign-in", pin=LABEL).headers["location"] == "/pair"
    assert reader.get("/").headers["location"] == "/pair"
    assert notes(page.box) == []
    assert send(reader, "/pair", new=OWN, again=OWN).headers["location"] == "/?said=paired"
    assert notes(page.box) == ["paired"]
    assert "Looking at the desk" in reader.get("/").text


def test_after_pairing_the_label_counts_no_longer(page: Page) -> None:
    page.worker()
    refused = send(page.reader(), "/sign-in", pin=LABEL)
    assert refused.status_code == 403
    assert "That PIN is wrong." in refused.text


def test_of_two_who_pair_the_first_wins(page: Page) -> None:
    first, second = page.reader(), page.reader()
    for reader in (first, second):
        send(reader, "/sign-in", pin=LABEL)
    send(first, "/pair", new=OWN, again=OWN)
    assert second.get("/pair").headers["location"] == "/sign-in"


@pytest.mark.parametrize(
    ("new", "again", "words"),
    [
        ("12345", "12345", "6 to 12 digits"),
        ("7391640000000", "7391640000000", "6 to 12 digits"),
        ("73916a", "73916a", "digits only"),
        ("739164", "739165", "differ"),
        ("123456", "123456", "too easy"),
        (LABEL, LABEL, "number on the label"),
    ],
)
def test_a_pin_that_does_not_do_is_refused_with_the_reason(
    page: Page, new: str, again: str, words: str
) -> None:
    reader = page.reader()
    send(reader, "/sign-in", pin=LABEL)
    refused = send(reader, "/pair", new=new, again=again)
    assert refused.status_code == 422
    assert words in refused.text
    assert notes(page.box) == []
    assert not page.parts.entrance.paired


def test_what_cannot_be_ledgered_is_not_done(page: Page) -> None:
    reader = page.reader()
    send(reader, "/sign-in", pin=LABEL)
    form = reader.get("/pair")
    page.box.go_away()
    answer = reader.post("/pair", data={"token": token(form.text), "new": OWN, "again": OWN})
    assert answer.status_code == 503
    assert not page.parts.entrance.paired


def test_the_button_makes_the_page_forget_pin_sessions_and_companion(page: Page) -> None:
    worker = page.worker()
    page.store.companion = digest("a token")
    page.box.change(pin_resets=1)
    assert worker.get("/").headers["location"] == "/sign-in"
    assert notes(page.box) == ["paired", "pin_reset"]
    assert not page.parts.entrance.is_companion("a token")
    assert send(page.reader(), "/sign-in", pin=OWN).status_code == 403
    assert send(page.reader(), "/sign-in", pin=LABEL).headers["location"] == "/pair"
    assert notes(page.box) == ["paired", "pin_reset"]


def test_a_box_that_lost_its_count_resets_nothing_and_the_next_press_does(page: Page) -> None:
    page.box.change(pin_resets=3)
    worker = page.worker()
    page.box.change(pin_resets=0)
    assert worker.get("/").status_code == 200
    page.box.change(pin_resets=1)
    assert worker.get("/").headers["location"] == "/sign-in"


def test_signing_out_ends_the_session_even_without_the_box(page: Page) -> None:
    worker = page.worker()
    kept = worker.cookies[SESSION_COOKIE]
    form = worker.get("/")
    page.box.go_away()
    assert worker.post("/sign-out", data={"token": token(form.text)}).status_code == 303
    page.box.start()
    other = page.reader()
    other.cookies.set(SESSION_COOKIE, kept)
    assert other.get("/").headers["location"] == "/sign-in"


def test_signing_in_gives_a_new_token_each_time(page: Page) -> None:
    tokens = {page.worker().cookies[SESSION_COOKIE] for _ in range(3)}
    assert len(tokens) == 3


def test_the_cookie_is_for_this_host_over_https_and_hidden_from_scripts(page: Page) -> None:
    reader = page.reader()
    header = send(reader, "/sign-in", pin=LABEL).headers["set-cookie"]
    assert header.startswith("__Host-cleandesk=")
    for word in ("HttpOnly", "Secure", "SameSite=strict", "Path=/"):
        assert word in header
    assert "Domain" not in header
