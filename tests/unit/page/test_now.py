"""The state, as the worker reads it, and breaks."""

from datetime import UTC, datetime, timedelta

import pytest

from cleandesk.contract.messages import BreakLimit, BreakReason, CameraFault, Phase, PrivacyState
from cleandesk.page.visit import LANGUAGE_COOKIE
from cleandesk.worker import protocol as p
from tests.fake_box import SINCE, shown
from tests.unit.page.conftest import Page, send, token


@pytest.mark.parametrize(
    ("state", "reason", "words"),
    [
        (PrivacyState.WORKING, None, "Looking at the desk"),
        (PrivacyState.BREAK, BreakReason.REST, "On a break"),
        (PrivacyState.ABSENT, None, "Nobody at the desk"),
        (PrivacyState.OFF, None, "The camera is off."),
        (PrivacyState.FAULT, CameraFault.BLACK, "The picture is black"),
    ],
)
def test_each_state_is_said_in_words(
    page: Page, state: PrivacyState, reason: str | None, words: str
) -> None:
    worker = page.worker()
    page.box.be(state, reason=reason)
    html = worker.get("/").text
    assert words in html
    assert f"state-{state.value}" in html
    assert ("End the break" in html) is (state is PrivacyState.BREAK)


def test_a_break_begins_with_its_reason_and_ends(page: Page) -> None:
    worker = page.worker()
    for reason in BreakReason:
        assert send(worker, "/break", reason=reason).headers["location"] == "/?said=break_started"
        assert page.box.asked[-1:] == [p.StartBreak(reason=reason)]
        assert send(worker, "/break/end").headers["location"] == "/?said=break_ended"
        assert page.box.asked[-1:] == [p.EndBreak()]
    assert "Your break has ended." in worker.get("/?said=break_ended").text


def test_a_break_without_a_known_reason_is_no_form_of_ours(page: Page) -> None:
    assert send(page.worker(), "/break", reason="smoking").status_code == 403


def test_a_sensor_that_still_stops_is_not_called_stopped(page: Page) -> None:
    worker = page.worker()
    page.box.be(PrivacyState.BREAK)
    page.box.change(sensing=True)
    html = worker.get("/").text
    assert "The camera is being stopped." in html
    assert "It takes no picture" not in html


def test_limits_are_shown_and_going_beyond_them_too(page: Page) -> None:
    worker = page.worker()
    until = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
    page.box.be(PrivacyState.BREAK, until=until, beyond=[BreakLimit.LENGTH, BreakLimit.COUNT])
    page.box.change(limits=p.Limits(length_s=1800, count_per_day=4), breaks_today=5)
    html = worker.get("/").text
    for words in (
        "One break: 30 min",
        "A day: 4 breaks",
        "5, the site&#39;s limit is 4",
        "longer than agreed, more breaks than agreed",
        'title="2026-03-02 09:30:00 UTC">10:30:00</time>',
    ):
        assert words in html


def test_a_spot_check_is_announced_while_it_runs(page: Page) -> None:
    worker = page.worker()
    assert "spot check" not in worker.get("/").text
    page.box.change(spot_check=True, last_spot_check_at=page.clock.now().utc)
    status = worker.get("/").text.split('role="status"')[1].split("</div>")[0]
    assert "runs a spot check now" in status


def test_a_spot_check_of_long_ago_is_not_shown(page: Page) -> None:
    worker = page.worker()
    page.box.change(last_spot_check_at=page.clock.now().utc - timedelta(days=2))
    assert "spot check" not in worker.get("/").text


def test_safe_mode_is_told_with_its_reason_and_breaks_can_be_taken(page: Page) -> None:
    worker = page.worker()
    why = "3 starts in a row crashed; the last: OSError: <no camera>"
    page.box.be(PrivacyState.OFF, reason="safe_mode")
    page.box.change(safe_mode=why)
    html = worker.get("/").text
    assert "<dd>Safe mode</dd>" in html
    assert "The box crashed again and again" in html
    assert "3 starts in a row crashed; the last: OSError: &lt;no camera&gt;" in html
    assert 'name="reason" value="water"' in html


def test_everything_else_of_the_state_is_there(page: Page) -> None:
    worker = page.worker()
    page.box.change(
        connected=False,
        idle_on=True,
        idle=True,
        aiming_until=SINCE,
        violations=[shown(), shown(violation_id="f" * 32, phase=Phase.CLOSE)],
    )
    html = worker.get("/").text
    for words in (
        "Not connected; messages wait here",
        "Sent, you are marked idle",
        "Aiming view open until",
        "<dt>Open violations</dt><dd>1</dd>",
    ):
        assert words in html


def test_times_are_the_boxs_with_utc_as_their_title(page: Page) -> None:
    html = page.worker().get("/").text
    assert (
        '<time datetime="2026-03-02T08:30:00.000Z" title="2026-03-02 08:30:00 UTC">09:30:00</time>'
        in html
    )


def test_a_box_that_does_not_answer_is_said_so_and_nothing_else(page: Page) -> None:
    worker = page.worker()
    page.box.go_away()
    for path in ("/", "/violations", "/sent", "/privacy", "/settings", "/aim"):
        answer = worker.get(path)
        assert answer.status_code == 503
        assert "The box does not answer" in answer.text
        assert "Looking at the desk" not in answer.text
    assert worker.get("/certificate").status_code == 200
    page.box.start()
    assert "Looking at the desk" in worker.get("/").text


@pytest.mark.parametrize("reason", list(p.Failed.model_fields["reason"].annotation.__args__))  # type: ignore[union-attr]
def test_what_the_box_refuses_is_told_in_words(page: Page, reason: str) -> None:
    worker = page.worker()
    page.box.fails = p.Failed.model_validate({"reason": reason})
    refused = send(worker, "/break", reason="rest")
    assert refused.status_code == 409
    assert page.parts.texts.say("en", f"page.error.{reason}") in refused.text.replace("&#39;", "'")


def test_the_language_can_be_chosen_and_the_reader_stays_where_they_are(page: Page) -> None:
    worker = page.worker()
    form = {"token": token(worker.get("/").text), "language": "es", "path": "/settings"}
    assert worker.post("/language", data=form).headers["location"] == "/settings"
    assert worker.cookies[LANGUAGE_COOKIE] == "es"
    assert "Mira la mesa" in worker.get("/").text


@pytest.mark.parametrize("path", ["https://evil.example", "//evil.example", "/\\evil.example", ""])
def test_the_language_leads_nowhere_else(page: Page, path: str) -> None:
    worker = page.worker()
    form = {"token": token(worker.get("/").text), "language": "es", "path": path}
    assert worker.post("/language", data=form).headers["location"] == "/"


def test_an_address_can_make_the_page_say_only_what_it_may(page: Page) -> None:
    worker = page.worker()
    assert 'class="said"' not in worker.get("/?said=page.error.failed").text
    assert 'class="said"' not in worker.get("/?said=<b>").text
