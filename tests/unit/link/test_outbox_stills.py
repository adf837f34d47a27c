"""Stills in the outbox: entered at once, held back, bounded, sent after what was said of them."""

import hashlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleandesk.contract.messages import AckResult, AckStatus
from cleandesk.contract.stills import StillHeaders
from cleandesk.link import Outbox
from cleandesk.link.pages import MAX_STILLS, MAX_STILLS_IN_MEMORY
from tests.eventually import eventually
from tests.mosquitto import Mosquitto, needs_mosquitto
from tests.unit.link.listener import Listener
from tests.unit.link.make import (
    BOOT,
    OTHER_BOOT,
    FakeClock,
    LinkMaker,
    appeal,
    jpeg,
    new_id,
    outbox,
    still,
)

DELAY_S = 60.0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "outbox.db"


def due(box: Outbox) -> list[str]:
    return [one.event_id for one in box.stills()]


def full(box: Outbox) -> None:
    assert box._store is not None
    (pages,) = box._store._db.execute("PRAGMA page_count").fetchone()
    box._store._db.execute(f"PRAGMA max_page_count = {pages}")


def test_it_is_in_the_ledger_at_once_and_due_after_the_delay(path: Path) -> None:
    box = outbox(path, clock=(clock := FakeClock()))
    box.say(said := still(), hold_s=DELAY_S)
    (entry,) = box.ledger()
    assert (entry.kind, entry.payload, entry.sent_at) == ("still", said.payload, None)
    assert (due(box), box.waiting) == ([], 0)
    clock.mono += DELAY_S - 0.01
    assert due(box) == []
    clock.mono += 0.01
    assert (due(box), box.waiting) == ([said.message_id], 1)
    assert box.papers(answered=True) == []


def test_a_restart_of_the_program_neither_shortens_nor_renews_the_delay(path: Path) -> None:
    box = outbox(path, clock=(clock := FakeClock()))
    box.say(said := still(), hold_s=DELAY_S)
    box.close()
    clock.mono += DELAY_S - 1
    again = outbox(path, clock=clock)
    assert due(again) == []
    clock.mono += 1
    assert due(again) == [said.message_id]


def test_after_a_new_power_on_all_of_the_delay_passes_again(path: Path) -> None:
    box = outbox(path, clock=FakeClock(mono=5000))
    box.say(said := still(), hold_s=DELAY_S)
    box.close()
    clock = FakeClock(mono=20)
    again = outbox(path, clock=clock, boot=OTHER_BOOT)
    assert due(again) == []
    clock.mono += DELAY_S - 0.01
    assert due(again) == []
    clock.mono += 0.01
    assert due(again) == [said.message_id]


def test_none_overtakes_one_that_is_held_back(path: Path) -> None:
    box = outbox(path, clock=(clock := FakeClock()))
    first, second = still(), still()
    box.say(first, hold_s=DELAY_S)
    box.say(second, hold_s=0)
    assert due(box) == []
    clock.mono += DELAY_S
    assert due(box) == [first.message_id, second.message_id]


def test_an_answer_by_its_id_or_its_digest_releases_it(box: Outbox) -> None:
    one, other, appealed = still(number=1), still(number=2), appeal(new_id())
    for paper in (one, other, appealed):
        box.say(paper)
    digest = f"sha256:{hashlib.sha256(other.payload).hexdigest()}"
    released = box.settle(
        [
            AckResult(id=one.message_id, result=AckStatus.COMMITTED),
            AckResult(id=digest, result=AckStatus.QUARANTINED),
        ]
    )
    assert released == {one.message_id, other.message_id}
    assert (due(box), box.waiting, box.health().refused) == ([], 1, 1)
    assert [entry.answer for entry in box.ledger()[::-1]] == ["committed", "quarantined", None]


def test_only_so_many_wait_and_the_entries_of_the_oldest_stay(box: Outbox) -> None:
    said = [still(number=number) for number in range(MAX_STILLS + 3)]
    for paper in said:
        box.say(paper)
    waiting = [one.event_id for one in box.stills(limit=1000)]
    assert waiting == [paper.message_id for paper in said[3:]]
    assert len(box.ledger(limit=1000)) == len(said)
    assert box.verify().good


def test_while_the_disk_takes_none_few_are_in_memory(box: Outbox) -> None:
    full(box)
    while box.health().storage == "ok":
        box.note("filler", "x" * 500)
    said = [still(number=number) for number in range(MAX_STILLS_IN_MEMORY + 5)]
    for paper in said:
        box.say(paper)
    assert sum(len(one.payload) for one in box._book.pages.drafts) < (
        (MAX_STILLS_IN_MEMORY + 1) * len(said[0].payload)
    )
    assert due(box) == []
    assert box._store is not None
    box._store._db.execute("PRAGMA max_page_count = 1000000")
    box.tick()
    assert due(box) == [paper.message_id for paper in said[5:]]


def test_a_sealed_one_is_shown_to_the_worker_beside_it(box: Outbox) -> None:
    box.note_picture(jpeg())
    (note,) = box.ledger()
    assert (note.kind, note.message_id, note.payload, box.waiting) == (
        "note",
        "sealed_still",
        jpeg(),
        0,
    )


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("say"), st.sampled_from([0.0, 5.0, 60.0])),
        st.tuples(st.just("pass"), st.sampled_from([0.5, 5.0, 30.0])),
        st.tuples(st.sampled_from(["restart", "power-on", "settle"]), st.just(0.0)),
    ),
    max_size=25,
)


@settings(max_examples=40, deadline=None)
@given(STEPS)
def test_none_is_due_before_its_time_and_each_is_once_it_is_over(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, float]]
) -> None:
    path = tmp_path_factory.mktemp("outbox") / "outbox.db"
    clock, boots = FakeClock(), 0
    box = outbox(path, clock=clock)
    until: dict[str, tuple[float, float]] = {}  # by still_id: how long, and when it is over
    for step, value in steps:
        match step:
            case "say":
                box.say(said := still(number=len(until)), hold_s=value)
                until[said.message_id] = value, clock.mono + value
            case "pass":
                clock.mono += value
            case "settle" if due(box):
                first = due(box)[0]
                box.settle([AckResult(id=first, result=AckStatus.COMMITTED)])
                del until[first]
            case "restart" | "power-on":
                box.close()
                if step == "power-on":
                    boots, clock.mono = boots + 1, 7.0 + boots
                    until = {id_: (hold, clock.mono + hold) for id_, (hold, _) in until.items()}
                box = outbox(path, clock=clock, boot=f"{boots:032x}" if boots else BOOT)
        over = [clock.mono >= moment for _, moment in until.values()]
        expected = list(until)[: over.index(False) if False in over else None]
        assert due(box) == expected
    box.close()


@needs_mosquitto
def test_it_is_sent_with_its_headers_until_it_is_answered_and_never_retained(
    broker: Mosquitto, box: Outbox, linked: LinkMaker
) -> None:
    violation_id = new_id()
    with Listener(broker.port, answers=False) as listener:
        linked(box, ack_timeout_s=0.2)
        box.say(said := still(violation_id))
        eventually(lambda: len(listener.of("still")) >= 2)
        first, second = listener.of("still")[:2]
        assert {first.payload, second.payload} == {said.payload}
        assert first.topic.endswith(f"/still/{violation_id}")
        assert not first.retain
        headers = StillHeaders.read(tuple(first.user.items()))
        assert (headers.still_id, headers.media_type) == (said.message_id, "image/jpeg")
        assert headers.sha256 == hashlib.sha256(said.payload).hexdigest()
        assert second.user == {**first.user, "replayed": "1"}
        listener.answer(f'[{{"id": "{said.message_id}", "result": "committed"}}]'.encode())
        eventually(lambda: not box.waiting)
    with Listener(broker.port) as late:
        eventually(lambda: late.of("status"))
        assert late.of("still") == []


@needs_mosquitto
def test_after_a_time_without_a_broker_the_objection_still_goes_first(
    broker: Mosquitto, box: Outbox, linked: LinkMaker
) -> None:
    violation_id = new_id()
    box.say(still(violation_id))
    box.say(appeal(violation_id))
    with Listener(broker.port) as listener:
        linked(box)
        eventually(lambda: not box.waiting)
        channels = [one.channel for one in listener.heard]
    assert channels.index("appeal") < channels.index("still")
