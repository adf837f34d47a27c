"""A break on a real box: the sensor stands still, through a kill, and only the worker ends it."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cleandesk.contract.health import Health
from cleandesk.contract.messages import BreakReason, Phase, PrivacyState
from cleandesk.contract.topics import Command
from cleandesk.worker import protocol as p
from tests.company import Company, company_of
from tests.eventually import eventually
from tests.mosquitto import needs_mosquitto
from tests.page_client import PageClient
from tests.rig import (
    CLIP,
    TRUTH,
    Rig,
    frame_of,
    presence,
    wait_for_health,
    wait_for_privacy,
)
from tests.system.conftest import MakeRig

pytestmark = [pytest.mark.system, needs_mosquitto]


@pytest.fixture
def rig(make_rig: MakeRig, tmp_path: Path) -> Rig:
    visit = json.loads(TRUTH.read_text())["visits"][0] if TRUTH.exists() else {}
    at = float(visit.get("from_s", visit.get("start_s", 12.0))) + 6
    folder = frame_of(CLIP, at, tmp_path / "pictures")
    return make_rig(
        camera={"source": str(folder), "repeat": True},
        rules=[presence("phone")],
        breaks={"length_s": 3600, "count_per_day": 1},
    )


@pytest.fixture
def company(rig: Rig) -> Iterator[Company]:
    with company_of(rig.broker.port) as company:
        yield company


def _frames(rig: Rig, *, more_than: int = -1) -> int:
    return wait_for_health(rig.broker.port, lambda h: h.camera.frames > more_than).camera.frames


def _health_after(rig: Rig, moment: datetime) -> Health:
    return wait_for_health(rig.broker.port, lambda h: h.at > moment)


def test_a_break_stops_the_sensor_through_a_kill_until_the_worker_ends_it(
    rig: Rig, company: Company
) -> None:
    rig.start_subscriber()
    rig.start_box()
    eventually(lambda: [row for row in rig.violations() if row["closed_at"] is None], "a violation")
    with rig.page() as page:
        state = page.state(p.StartBreak(reason=BreakReason.WATER))
        assert not state.sensing
        assert (state.privacy.state, state.privacy.reason) == (PrivacyState.BREAK, "water")
        assert state.breaks_today == 1
    told = wait_for_privacy(rig.broker.port, lambda one: one.state is PrivacyState.BREAK)
    assert (told.reason, told.beyond) == ("water", None)
    assert told.until is not None
    eventually(
        lambda: [row for row in rig.events() if row["phase"] == Phase.CLOSE],
        "the end of the violation",
    )
    assert {row["reason"] for row in rig.events() if row["phase"] == Phase.CLOSE} == {"break"}

    first = _health_after(rig, datetime.now(UTC))
    later = _health_after(rig, first.at + timedelta(seconds=2))
    assert later.camera.frames == first.camera.frames, "the source is not read"

    rig.kill("box")
    killed_at = datetime.now(UTC)
    (rig.home / "page.sock").unlink()
    rig.start_box()
    with rig.page() as page:
        state = page.state(p.GetState())
        assert not state.sensing
        assert state.privacy.state is PrivacyState.BREAK
        assert state.privacy.since == told.since
        assert _health_after(rig, killed_at).camera.frames == 0, (
            "nothing was read since the restart"
        )

        answer = company.ask(Command.SPOT_CHECK, {"look_s": 1}, b"spot")
        assert (answer["outcome"], "findings" in answer) == ("on_break", True)
        assert answer["findings"] == []
        assert not page.state(p.GetState()).sensing

        refused = company.ask(Command.BREAK, {"reason": "end"}, b"end")
        assert refused["outcome"] == "invalid"
        assert page.state(p.GetState()).privacy.state is PrivacyState.BREAK

        page.state(p.EndBreak())
        eventually(lambda: page.state(p.GetState()).sensing, "sensing")
        wait_for_privacy(rig.broker.port, lambda one: one.state is PrivacyState.WORKING)
        _frames(rig, more_than=0)

        kinds = {entry.message_id for entry in _notes(page)}
        assert {"break_by_page", "break_ended_by_page"} <= kinds
    assert rig.stop("box") == 0


def _notes(page: PageClient) -> list[p.Entry]:
    ledger = page.ask(p.GetLedger(limit=200))
    assert isinstance(ledger, p.Ledger)
    assert ledger.whole is not False, "on a slow machine it may still be checked"
    return [entry for entry in ledger.entries if entry.kind == "note"]


def test_the_company_can_begin_a_break_and_not_end_it(rig: Rig, company: Company) -> None:
    rig.start_box()
    _frames(rig, more_than=0)
    answer = company.ask(Command.BREAK, {"reason": "rest"}, b"\x00\xff1")
    assert answer["outcome"] == "done"
    told = wait_for_privacy(rig.broker.port, lambda one: one.state is PrivacyState.BREAK)
    assert told.reason == "rest"
    with rig.page() as page:
        assert not page.state(p.GetState()).sensing
        page.state(p.EndBreak())
        eventually(lambda: page.state(p.GetState()).sensing, "sensing")
        # The same request once more is answered, and does nothing.
        company.send(Command.BREAK, {"reason": "rest"}, b"\x00\xff1")
        eventually(lambda: len(company.to(b"\x00\xff1")) > 1, "the same answer")
        assert company.to(b"\x00\xff1")[1] == answer
        assert page.state(p.GetState()).sensing
        # One more is beyond the site's limit: it is reported, if the day is known, and not refused.
        second = company.ask(Command.BREAK, {"reason": "call"}, b"2")
        told = wait_for_privacy(rig.broker.port, lambda one: one.reason == "call")
        assert told.beyond == (["count"] if second["clock_synced"] else None)


def test_a_spot_check_says_what_lies_there(rig: Rig, company: Company) -> None:
    rig.start_box()
    wait_for_privacy(rig.broker.port, lambda one: one.state is PrivacyState.WORKING)
    with rig.page() as page:
        company.send(Command.SPOT_CHECK, {"look_s": 5}, b"look")
        eventually(lambda: page.state(p.GetState()).spot_check, "the page to say so")
        eventually(lambda: company.to(b"look"), "the answer")
        (answer,) = company.to(b"look")
        assert answer["outcome"] == "done"
        assert answer["looks"] > 1
        assert {finding["class"] for finding in answer["findings"]} >= {"phone"}
        assert answer["verdicts"][0]["rule"] == "no-phone"
        assert not page.state(p.GetState()).spot_check
        ledger = page.ask(p.GetLedger())
        assert isinstance(ledger, p.Ledger)
        assert b"look".hex() in {entry.message_id for entry in ledger.entries}


def test_a_damaged_state_is_a_break(rig: Rig) -> None:
    rig.start_box()
    _frames(rig, more_than=0)
    rig.kill("box")
    (rig.home / "outbox.db.worker").write_bytes(b"\x00" * 40)
    rig.start_box()
    wait_for_privacy(rig.broker.port, lambda one: one.state is PrivacyState.BREAK)
    with rig.page() as page:
        assert not page.state(p.GetState()).sensing


def test_garbage_and_slow_readers_on_the_socket_stop_nothing(rig: Rig) -> None:
    rig.start_box()
    before = _frames(rig, more_than=0)
    with rig.page() as slow, rig.page() as rude:
        slow.send(b'{"ask":"watch"}\n')  # and never reads
        rude.send(b"\xff\x00 no line" * 2000)
    for _ in range(20):
        rig.page().close()
    with rig.page() as page:
        wrong = page.ask(p.Failed(reason="off"))
        assert isinstance(wrong, p.Failed)
        assert wrong.reason == "invalid"
        assert page.state(p.GetState()).sensing
    assert _frames(rig, more_than=before) > before
    assert rig.alive("box")


def _picture(page: PageClient) -> p.Picture:
    """Ask for the aiming view's picture, and again where the camera was too slow to give one."""

    def came() -> p.Picture | None:
        answer = page.ask(p.Aim())
        return answer if isinstance(answer, p.Picture) else None

    return eventually(came, "the picture")


def test_the_page_draws_each_look_and_aims_by_hand(rig: Rig) -> None:
    rig.start_box()
    _frames(rig, more_than=0)
    with rig.page() as watching, rig.page() as page:
        watching.send(b'{"ask":"watch"}\n')
        drawing = watching.receive()
        assert isinstance(drawing, p.Drawing)
        assert {box.class_name for box in drawing.boxes if box.believed} >= {"phone"}
        assert set(drawing.zones) == {"desk"}

        picture = _picture(page)
        assert page.state(p.GetState()).aiming_until == picture.until
        assert "aiming_view" in {note.message_id for note in _notes(page)}
        assert isinstance(page.ask(p.StopAiming()), p.Done)
        assert page.state(p.GetState()).aiming_until is None
        page.state(p.StartBreak(reason=BreakReason.REST))
        refused = page.ask(p.Aim())
        assert isinstance(refused, p.Failed)
        assert refused.reason == "on_break"
