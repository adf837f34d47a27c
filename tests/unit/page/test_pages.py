"""Violations and objections, the ledger, the statement, settings and the aiming view."""

import base64
import html
from datetime import UTC, datetime

import pytest

from cleandesk.contract.messages import Phase
from cleandesk.contract.worker_messages import AppealReason
from cleandesk.worker import protocol as p
from tests.fake_box import JPEG, VIOLATION, entry, shown
from tests.unit.page.conftest import OWN, Page, send


def test_a_violation_is_shown_with_all_that_it_says(page: Page) -> None:
    worker = page.worker()
    assert "None in the last 24 hours." in worker.get("/violations").text
    page.box.change(violations=[shown(suspended=True)])
    text = worker.get("/violations").text
    for words in (
        "Phone",
        "Open",
        "no-phone",
        "desk",
        "high",
        "09:30:00",
        "cannot tell",
        VIOLATION,
    ):
        assert words in text


def test_an_objection_goes_to_the_box_word_for_word(page: Page) -> None:
    worker = page.worker()
    page.box.change(violations=[shown()])
    sent = send(
        worker,
        "/violations",
        page="/violations",
        violation=VIOLATION,
        reason="not_mine",
        note=" Mine is blue.\r\nThis <one> is ñ ",
    )
    assert sent.headers["location"] == "/violations?said=objected"
    assert page.box.asked[-1] == p.Object(
        violation_id=VIOLATION,
        reason=AppealReason.NOT_MINE,
        note="Mine is blue.\nThis <one> is ñ",
    )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"reason": ""}, "Choose what is wrong"),
        ({"reason": "boring"}, "Choose what is wrong"),
        ({"note": "x" * 501}, "longer than 500"),
    ],
)
def test_an_objection_that_does_not_do_keeps_the_readers_words(
    page: Page, changes: dict[str, str], words: str
) -> None:
    worker = page.worker()
    page.box.change(violations=[shown()])
    asked = len(page.box.asked)
    form = {"violation": VIOLATION, "reason": "wrong", "note": "my words"} | changes
    refused = send(worker, "/violations", page="/violations", **form)
    assert refused.status_code == 422
    assert words in refused.text
    assert form["note"] in refused.text
    assert "<details open>" in refused.text
    assert len(page.box.asked) == asked


def test_what_was_objected_to_is_said_and_not_asked_again(page: Page) -> None:
    worker = page.worker()
    page.box.change(violations=[shown(phase=Phase.CLOSE, objected=AppealReason.WRONG)])
    text = worker.get("/violations").text
    assert "You objected:</b> It is wrong" in text
    assert "Send the objection" not in text


def test_the_ledger_is_shown_word_for_word(page: Page) -> None:
    worker = page.worker()
    payload = '{"note":"<b>&\\"ñ","a":  1}'
    page.box.entries = [entry(1, payload=payload, answered="committed")]
    text = worker.get("/sent").text
    words = text.split('<pre class="words" tabindex="0">')[1].split("</pre>")[0]
    assert html.unescape(words) == payload
    assert "<" not in words
    for part in (page.box.entries[0].chain, "privacy-1", "committed", "/privacy", "Entry 1"):
        assert part in text
    assert "The chain of checksums fits." in text


def test_a_ledger_that_was_changed_raises_an_alarm(page: Page) -> None:
    worker = page.worker()
    page.box.whole = False
    text = worker.get("/sent").text
    assert 'role="alert">The chain of checksums does not fit.' in text
    assert "chain of checksums fits" not in text


def test_a_check_that_goes_on_is_no_alarm_and_no_promise(page: Page) -> None:
    worker = page.worker()
    page.box.entries, page.box.whole = [entry(n) for n in range(1, 8)], None
    text = worker.get("/sent").text
    assert "it fits up to entry 7 so far" in text
    assert "chain of checksums fits" not in text
    assert 'role="alert"' not in text


def test_every_entry_can_be_reached_page_by_page(page: Page) -> None:
    worker = page.worker()
    page.box.entries = [entry(n) for n in range(1, 46)]
    path, seen = "/sent", []
    while path:
        text = worker.get(path).text
        seen += [int(part.split("<")[0]) for part in text.split("<small>Entry ")[1:]]
        older = text.split('rel="next" href="')
        path = older[1].split('"')[0] if len(older) > 1 else ""
    assert seen == list(range(45, 0, -1))


@pytest.mark.parametrize("before", ["x", "-1", "1.5", "99999999999999999999", "", "９"])  # noqa: RUF001
def test_a_place_in_the_ledger_that_is_none_is_not_found(page: Page, before: str) -> None:
    assert page.worker().get("/sent", params={"before": before}).status_code == 404


def test_a_picture_that_was_sent_is_shown_as_it_was(page: Page) -> None:
    worker = page.worker()
    page.box.entries = [
        entry(1),
        entry(2, kind="still", payload="", picture=base64.b64encode(JPEG).decode()),
    ]
    assert 'src="/sent/2/picture.jpg"' in worker.get("/sent").text
    picture = worker.get("/sent/2/picture.jpg")
    assert (picture.content, picture.headers["content-type"]) == (JPEG, "image/jpeg")
    for missing in ("1", "3", "x"):
        assert worker.get(f"/sent/{missing}/picture.jpg").status_code == 404


def test_what_was_not_sent_is_not_called_sent(page: Page) -> None:
    worker = page.worker()
    page.box.entries = [entry(1, sent_at=None), entry(2, kind="note", sent_at=None)]
    text = worker.get("/sent").text
    assert "Not sent yet" in text
    assert "Stays in the box" in text


def test_an_empty_message_is_said_to_be_empty(page: Page) -> None:
    worker = page.worker()
    page.box.entries = [entry(1, kind="active", payload="")]
    assert "what stood under this topic was taken away" in worker.get("/sent").text


def test_the_statement_is_shown_and_nothing_of_it_is_left_out(page: Page) -> None:
    worker = page.worker()
    page.box.statement = p.Statement(
        sections={
            "page.menu.sent": [
                p.Fact(text="page.break.count", values={"count": "4"}),
                p.Fact(text="privacy.unheard_of", values={"what": "all"}),
                p.Fact(text="page.break.count"),
            ]
        }
    )
    text = html.unescape(worker.get("/privacy").text)
    assert "A day: 4 breaks" in text
    assert "privacy.unheard_of {'what': 'all'}" in text
    assert ">page.break.count<" in text


def test_a_new_pin_ends_all_other_sessions(page: Page) -> None:
    here, there = page.worker(), page.worker()
    new = "402857"
    done = send(here, "/settings/pin", page="/settings", present=OWN, new=new, again=new)
    assert done.headers["location"] == "/settings?said=pin_changed"
    assert page.box.asked[-1] == p.Note(kind="pin_changed")
    assert here.get("/").status_code == 200
    assert there.get("/").headers["location"] == "/sign-in"
    assert send(page.reader(), "/sign-in", pin=OWN).status_code == 403
    assert send(page.reader(), "/sign-in", pin=new).headers["location"] == "/"


def test_a_new_pin_needs_the_present_one_and_guessing_it_makes_one_wait(page: Page) -> None:
    worker = page.worker()
    form = {"present": "000000", "new": "402857", "again": "402857"}
    for _ in range(3):
        refused = send(worker, "/settings/pin", page="/settings", **form)
        assert refused.status_code == 422
    assert "Try again in 6 s" in refused.text
    refused = send(worker, "/settings/pin", page="/settings", **form | {"present": OWN})
    assert "too many wrong PINs" in refused.text


def test_the_aiming_view_is_started_by_hand_only(page: Page) -> None:
    worker = page.worker()
    asked = len(page.box.asked)
    assert "Show the picture" in worker.get("/aim").text
    assert worker.get("/aim/picture.jpg").status_code == 409
    assert worker.get("/aim/start").status_code == 405
    assert len(page.box.asked) == asked
    assert send(worker, "/aim/start").headers["location"] == "/aim"
    assert page.box.asked[-1:] == [p.Aim()]
    page.box.change(aiming_until=datetime(2026, 3, 2, 9, 5, tzinfo=UTC))
    assert "10:05:00" in worker.get("/aim").text
    picture = worker.get("/aim/picture.jpg")
    assert (picture.content, picture.headers["content-type"]) == (JPEG, "image/jpeg")
    assert picture.headers["cache-control"] == "no-store"
    send(worker, "/aim/stop")
    assert page.box.asked[-1:] == [p.StopAiming()]


def test_the_aiming_view_is_for_the_worker_alone(page: Page) -> None:
    page.box.change(aiming_until=datetime(2026, 3, 2, 9, 5, tzinfo=UTC))
    assert page.reader().get("/aim/picture.jpg").headers["location"] == "/sign-in"
    assert page.box.asked == []
