"""The desk answers the page: objections, the last input, the ledger, notes, the statement."""

import base64
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from cleandesk.contract.doctor_messages import DoctorCheck, DoctorCode
from cleandesk.contract.messages import BreakReason, Phase, PrivacyState
from cleandesk.contract.topics import Channel
from cleandesk.contract.worker_messages import AppealReason
from cleandesk.doctor.findings import passed
from cleandesk.link import Outbox, Paper
from cleandesk.settings import BoxSettings
from cleandesk.worker import protocol as p
from cleandesk.worker.aiming import Aiming
from cleandesk.worker.desk import AimUnknownError, Desk, Sources
from cleandesk.worker.idle import Idle
from cleandesk.worker.recent import Recent
from cleandesk.worker.spot_check import SpotChecks
from cleandesk.worker.statement import Choices, statement
from tests.contract.test_stills import envelope
from tests.eventually import eventually
from tests.unit.link.make import ADDRESS, change, closed, commit, jpeg, new_id, outbox
from tests.unit.worker.make import START, Process, SetClock

SETTINGS = BoxSettings.model_validate(
    {
        "site": "site",
        "box": "box",
        "zones": {"desk": {"polygon": [(0, 0), (1, 0), (1, 1)]}},
        "rules": [{"kind": "presence", "name": "no-phone", "classes": ["phone"], "zone": "desk"}],
        "broker": {"host": "localhost"},
        "breaks": {"length_s": 600, "count_per_day": 3},
        "worker": {"zone": "desk"},
        "idle": {"enabled": True},
    }
)


class Asked:
    """A desk on a real outbox."""

    def __init__(self, folder: Path) -> None:
        self.clock = SetClock()
        self.process = Process(folder, clock=self.clock, limits=SETTINGS.breaks)
        self.outbox: Outbox = outbox(folder / "outbox.db")
        self.recent, self.idle = Recent(), Idle(SETTINGS.idle.after_s)
        self.aiming = Aiming(self.clock, self.outbox.note)
        self.desk = Desk(
            SETTINGS,
            self.clock,
            Sources(
                mode=self.process.mode,
                outbox=self.outbox,
                recent=self.recent,
                spots=SpotChecks(["no-phone"], 6),
                aiming=self.aiming,
                idle=self.idle,
                connected=lambda: True,
                statement=lambda: statement(SETTINGS, Choices.of(SETTINGS)),
                examine=self._examine,
            ),
        )

    def _examine(self, *, aimed: bool) -> list[DoctorCheck]:
        if aimed:
            raise AimUnknownError("no picture")
        return [passed(DoctorCode.SAFE_MODE, "it runs")]

    def state(self) -> p.State:
        answer = self.desk.answer(p.GetState())
        assert isinstance(answer, p.State)
        return answer


@pytest.fixture
def asked(tmp_path: Path) -> Iterator[Asked]:
    made = Asked(tmp_path)
    yield made
    made.outbox.close()


def test_an_objection_is_entered_and_shown(asked: Asked) -> None:
    opened = change()
    asked.recent.take([opened])
    request = p.Object(
        violation_id=opened.violation_id, reason=AppealReason.NOT_MINE, note="the courier's"
    )
    assert asked.desk.answer(request) == p.Done()
    (entry,) = asked.outbox.ledger()
    assert entry.kind == Channel.APPEAL
    said = json.loads(entry.payload)
    assert (said["violation_id"], said["note"]) == (opened.violation_id, "the courier's")
    assert asked.state().violations[0].objected is AppealReason.NOT_MINE


def test_an_objection_to_nothing_known_is_refused_and_not_entered(asked: Asked) -> None:
    answer = asked.desk.answer(p.Object(violation_id="0" * 32, reason=AppealReason.WRONG))
    assert answer == p.Failed(reason="unknown_violation")
    assert asked.outbox.ledger() == []


def test_after_a_restart_the_page_shows_what_the_ledger_knows(asked: Asked) -> None:
    first, second = change(), change()
    commit(asked.outbox, first, second)
    commit(asked.outbox, closed(first.violation_id))
    asked.recent.take([second])
    asked.desk.answer(p.Object(violation_id=second.violation_id, reason=AppealReason.WRONG))
    again = Recent()
    again.load(asked.outbox.ledger(limit=100)[::-1])
    shown = {one.violation_id: one for one in again.list(first.opened.utc)}
    assert shown[first.violation_id].phase is Phase.CLOSE
    assert shown[second.violation_id].objected is AppealReason.WRONG
    late = first.opened.utc + timedelta(hours=25)
    assert [one.violation_id for one in again.list(late)] == [second.violation_id], "still open"


def test_what_is_open_is_shown_after_a_restart_however_far_back_it_opened(asked: Asked) -> None:
    opened = change()
    commit(asked.outbox, opened)
    again = Recent()
    again.load([], asked.outbox.open_violations())
    (shown,) = again.list(opened.opened.utc + timedelta(days=3))
    assert (shown.violation_id, shown.opened_at) == (opened.violation_id, opened.opened.utc)
    assert again.objected(opened.violation_id, AppealReason.NOT_MINE)


def test_the_state_says_what_the_site_allows_and_what_the_worker_took(asked: Asked) -> None:
    asked.process.mode.run_sensor()
    before = asked.state()
    assert (before.sensing, before.breaks_today, before.idle_on) == (True, 0, True)
    assert before.limits == p.Limits(length_s=600, count_per_day=3)
    begun = asked.desk.answer(p.StartBreak(reason=BreakReason.REST))
    assert isinstance(begun, p.State)
    assert (begun.sensing, begun.breaks_today) == (False, 1)
    assert begun.privacy.until == START + timedelta(seconds=600)
    asked.desk.told(begun.privacy)
    ended = asked.desk.answer(p.EndBreak())
    assert isinstance(ended, p.State)
    assert ended.privacy.state is PrivacyState.WORKING, "though the loop has not said so yet"


def test_the_age_of_the_last_input_goes_to_the_marker_and_nowhere_else(asked: Asked) -> None:
    assert asked.desk.answer(p.TellIdle(input_age_s=700)) == p.Done()
    assert asked.idle.age_s == 700
    assert asked.outbox.ledger() == []


def checked_to(asked: Asked) -> tuple[int, bool | None]:
    answer = asked.desk.answer(p.GetLedger())
    assert isinstance(answer, p.Ledger)
    return answer.checked_to, answer.whole


def test_the_ledger_is_shown_word_for_word_newest_first(asked: Asked) -> None:
    commit(asked.outbox, change())
    asked.desk.answer(p.Note(kind="paired"))
    answer = asked.desk.answer(p.GetLedger())
    assert isinstance(answer, p.Ledger)
    kept = asked.outbox.ledger()
    assert [one.number for one in answer.entries] == [one.number for one in kept]
    assert [one.payload.encode() for one in answer.entries] == [one.payload for one in kept]
    assert (answer.entries[0].kind, answer.entries[0].message_id) == ("note", "paired")
    assert answer.total == len(kept)
    eventually(lambda: checked_to(asked) == (len(kept), True))
    older = asked.desk.answer(p.GetLedger(before=kept[0].number, limit=1))
    assert isinstance(older, p.Ledger)
    assert [one.number for one in older.entries] == [kept[1].number]


def test_a_picture_is_shown_and_a_sealed_one_is_called_so(asked: Asked) -> None:
    asked.outbox.note_picture(jpeg(1))
    for content in (envelope(b"secret"), jpeg(2)):
        asked.outbox.say(Paper.still(ADDRESS, new_id(), new_id(), content), hold_s=60)
    answer = asked.desk.answer(p.GetLedger())
    assert isinstance(answer, p.Ledger)
    newest, sealed, shown = answer.entries
    assert base64.b64decode(newest.picture or "") == jpeg(2)
    assert (sealed.kind, sealed.picture) == ("still", None)
    assert sealed.payload == f"(application/pkcs7-mime, {len(envelope(b'secret'))} bytes)"
    assert base64.b64decode(shown.picture or "") == jpeg(1)
    assert (newest.payload, newest.sent_at) == ("", None)


def test_an_answer_with_many_pictures_fits_into_a_line(asked: Asked) -> None:
    for number in range(12):
        content = jpeg(number, 100_000)
        asked.outbox.say(Paper.still(ADDRESS, new_id(), new_id(), content))
    numbers: list[int] = []
    while not numbers or numbers[-1] > 1:
        before = numbers[-1] if numbers else None
        answer = asked.desk.answer(p.GetLedger(before=before))
        assert len(p.encode(answer)) < p.MAX_LINE
        assert isinstance(answer, p.Ledger)
        numbers += [entry.number for entry in answer.entries]
    assert numbers == list(range(12, 0, -1))


def test_the_statement_says_what_the_settings_turn_on(asked: Asked) -> None:
    answer = asked.desk.answer(p.GetStatement())
    assert isinstance(answer, p.Statement)
    texts = {fact.text for facts in answer.sections.values() for fact in facts}
    assert {"privacy.sensed.idle_on", "privacy.sensed.spot_checks"} <= texts
    assert {"privacy.breaks.length", "privacy.breaks.count"} <= texts


def test_a_picture_of_a_camera_that_stalled_is_no_picture(asked: Asked) -> None:
    aiming = asked.aiming
    aiming._on()
    aiming.offer(np.full((9, 16, 3), 90, np.uint8))
    assert isinstance(asked.desk.answer(p.Aim()), p.Picture)
    asked.clock.move(60)
    assert asked.desk.answer(p.Aim()) == p.Failed(reason="no_frame")


def test_no_view_is_started_in_a_break(asked: Asked) -> None:
    asked.desk.answer(p.StartBreak(reason=BreakReason.REST))
    assert asked.desk.answer(p.Aim()) == p.Failed(reason="on_break")
    assert asked.state().aiming_until is None
    assert asked.outbox.ledger() == []
