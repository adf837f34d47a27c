"""Whatever happens to an outbox, in whatever order: nothing is lost in silence."""

import json
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from cleandesk.contract.messages import AckStatus
from cleandesk.link import Outbox
from tests.unit.link.make import MAKER, FakeClock, acks, change, closed, everything, new_id, outbox

MAX_EVENTS = 12


class Life(RuleBasedStateMachine):
    """An outbox of twelve events, against a plain list of what was ever committed."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "outbox.db"
        self.clock = FakeClock()
        self.committed: dict[tuple[str, int], bytes] = {}
        self.settled: set[tuple[str, int]] = set()
        self.open: dict[str, None] = {}
        self.state = b"0"
        self.box = self.new()

    def new(self) -> Outbox:
        return outbox(self.path, max_events=MAX_EVENTS, clock=self.clock)

    def keep_in_mind(self) -> None:
        for one in everything(self.box):
            event = json.loads(one.payload)
            self.committed.setdefault((event["epoch"], event["seq"]), one.payload)

    @rule(opened=st.integers(0, 4), ended=st.integers(0, 3))
    def commit(self, opened: int, ended: int) -> None:
        self.clock.mono += 1
        ends = list(self.open)[:ended]
        starts = [new_id() for _ in range(opened)]
        self.state = str(int(self.state) + 1).encode()
        changes = [*(closed(id_) for id_ in ends), *(change(id_) for id_ in starts)]
        self.box.commit(changes, self.state, make=MAKER)
        self.open = dict.fromkeys([*(id_ for id_ in self.open if id_ not in ends), *starts])
        self.keep_in_mind()

    @rule(which=st.sets(st.integers(0, MAX_EVENTS)), result=st.sampled_from(list(AckStatus)))
    def settle(self, which: set[int], result: AckStatus) -> None:
        waiting = everything(self.box)
        named = [waiting[at] for at in sorted(which) if at < len(waiting)]
        assert self.box.settle(acks(named, result)) == {one.event_id for one in named}
        events = [json.loads(one.payload) for one in named]
        self.settled |= {(event["epoch"], event["seq"]) for event in events}
        self.keep_in_mind()  # what is released may make room for what waits in memory

    @rule()
    def restart(self) -> None:
        written = self.box.health().storage == "ok"
        self.box.close()
        self.box = self.new()
        if not written:
            self.go_back_to_what_was_committed()

    def go_back_to_what_was_committed(self) -> None:
        """Answers that were not written are given again; the policy starts from its old state."""
        waiting = [json.loads(one.payload) for one in everything(self.box)]
        self.settled -= {(event["epoch"], event["seq"]) for event in waiting}
        self.state = self.box.state() or b"0"
        self.open = dict.fromkeys(one.violation_id for one in self.box.open_violations())

    @precondition(lambda self: self.box.health().storage == "ok")
    @rule()
    def restart_without_the_sidecar(self) -> None:
        self.box.close()
        self.path.with_name("outbox.db.mark").unlink()
        self.box = self.new()

    @precondition(lambda self: self.box.health().storage == "ok")
    @rule()
    def fill_the_disk(self) -> None:
        assert self.box._store is not None
        (pages,) = self.box._store._db.execute("PRAGMA page_count").fetchone()
        self.box._store._db.execute(f"PRAGMA max_page_count = {pages}")

    @rule()
    def free_the_disk(self) -> None:
        assert self.box._store is not None
        self.box._store._db.execute("PRAGMA max_page_count = 1000000")
        self.box.tick()
        assert self.box.health().storage == "ok"
        self.keep_in_mind()

    @invariant()
    def every_event_waits_or_was_answered_or_is_reported(self) -> None:
        health = self.box.health()
        waiting = {
            (event["epoch"], event["seq"]): one.payload
            for one in everything(self.box)
            for event in [json.loads(one.payload)]
        }
        in_memory = {(record.epoch, record.seq) for record in self.box._book.queue}
        lost = {
            (one.epoch, seq) for one in health.lost_ranges for seq in range(one.first, one.last + 1)
        }
        numbers = {(health.epoch, seq) for seq in range(1, health.next_seq)}
        assert numbers <= waiting.keys() | in_memory | self.settled | lost
        assert all(self.committed[key] == payload for key, payload in waiting.items())
        assert waiting.keys().isdisjoint(self.settled)
        assert list(waiting) == sorted(waiting)
        assert health.depth == len(waiting) + len(in_memory)
        assert len(waiting) <= MAX_EVENTS

    @invariant()
    def state_and_open_violations_are_the_newest(self) -> None:
        assert (self.box.state() or b"0") == self.state
        assert {one.violation_id for one in self.box.open_violations()} == set(self.open)

    def teardown(self) -> None:
        self.box.close()
        self.folder.cleanup()


TestLife = Life.TestCase
TestLife.settings = settings(
    max_examples=40,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
