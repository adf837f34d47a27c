"""Whatever happens to an outbox, in whatever order: nothing leaves that was not entered before."""

import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from cleandesk.contract.messages import AckStatus, PrivacyState
from cleandesk.contract.mqtt import Publication
from cleandesk.link import Outbox, Paper
from cleandesk.link.pubacks import Pubacks
from cleandesk.link.retained import Retained
from cleandesk.link.senders import Senders
from cleandesk.link.shown import Shown
from tests.unit.link.make import (
    ADDRESS,
    FakeClock,
    acks,
    appeal,
    broker_settings,
    change,
    closed,
    commit,
    idle,
    new_id,
    outbox,
    privacy,
    response,
)

ACCEPTED, NOBODY_SUBSCRIBED = 0, 0x10


class Life(RuleBasedStateMachine):
    """A box on a broker that is this list: what was handed over, and what was confirmed."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "outbox.db"
        self.clock = FakeClock()
        self.said = 0
        self.open: list[str] = []
        self.arrived: set[tuple[str, bytes]] = set()
        self.start()

    def start(self) -> None:
        self.box: Outbox = outbox(self.path, clock=self.clock)
        self.open = [one.violation_id for one in self.box.open_violations()]
        self.retained = Retained(retry_s=10)
        self.senders = Senders(self.box, broker_settings(1883), ADDRESS)
        self.pubacks = Pubacks(self.box, self.retained)
        self.shown = Shown(self.box, self.retained, self.pubacks, ADDRESS)
        self.connect()

    @rule()
    def connect(self) -> None:
        """Begin a connection; what was on its way in the last one is not confirmed any more."""
        self.mids: list[int] = []
        self.next_mid = 0
        self.pubacks.connected()
        self.shown.connected()
        self.senders.connected()

    @rule(opened=st.integers(0, 2), ended=st.integers(0, 2))
    def commit(self, opened: int, ended: int) -> None:
        self.clock.mono += 1
        starts = [new_id() for _ in range(opened)]
        ends, self.open = self.open[:ended], [*self.open[ended:], *starts]
        commit(self.box, *map(closed, ends), *map(change, starts))

    @rule(what=st.sampled_from(["privacy", "appeal", "idle", "response", "same"]))
    def say(self, what: str) -> None:
        self.said += 1
        said: dict[str, Paper] = {
            "privacy": privacy(self.said, list(PrivacyState)[self.said % 5]),
            "appeal": appeal(new_id()),
            "idle": idle(self.said),
            "response": response(str(self.said).encode()),
            "same": response(b"same"),
        }
        self.box.say(said[what])

    @rule()
    def send(self) -> None:
        self.shown.publish(self.hand_over, self.clock.mono)
        for shipment in self.senders.due(self.clock.mono):
            self.pubacks.expect_shipment(self.hand_over(shipment.publication), shipment)

    def hand_over(self, publication: Publication) -> int:
        """Take a message as the broker does: by now its entry must be on the disk."""
        known = {(one.topic, one.payload) for one in self.box.ledger(limit=10_000)}
        assert (publication.topic, publication.payload) in known
        self.next_mid += 1
        self.mids.append(self.next_mid)
        self.arrived.add((publication.topic, publication.payload))
        return self.next_mid

    @rule(count=st.integers(1, 5), code=st.sampled_from([ACCEPTED, NOBODY_SUBSCRIBED]))
    def confirm(self, count: int, code: int) -> None:
        for mid in self.mids[:count]:
            self.pubacks.arrived(mid, code, self.clock.mono)
        del self.mids[:count]

    @rule(result=st.sampled_from(list(AckStatus)))
    def answer(self, result: AckStatus) -> None:
        waiting = self.box.pending(limit=5) + self.box.papers(answered=True, limit=2)
        heard = [one for one in waiting if any(one.payload == said for _, said in self.arrived)]
        self.senders.answered(self.box.settle(acks(heard, result)), self.clock.mono)

    @rule()
    def wait(self) -> None:
        self.clock.mono += 100
        self.box.tick()

    @rule()
    def restart(self) -> None:
        self.box.close()
        self.start()

    @precondition(lambda self: self.box.health().storage == "ok")
    @rule()
    def fill_the_disk(self) -> None:
        assert self.box._store is not None
        (pages,) = self.box._store._db.execute("PRAGMA page_count").fetchone()
        self.box._store._db.execute(f"PRAGMA max_page_count = {pages}")
        while self.box.health().storage == "ok":
            self.box.note("filler", "x" * 500)

    @rule()
    def free_the_disk(self) -> None:
        assert self.box._store is not None
        self.box._store._db.execute("PRAGMA max_page_count = 1000000")
        self.box.tick()

    @invariant()
    def the_chain_fits(self) -> None:
        verdict = self.box.verify()
        assert verdict.good
        assert verdict.gaps == ()

    def teardown(self) -> None:
        """In the end, with a disk and a broker that work, the ledger says what has arrived."""
        self.free_the_disk()
        self.connect()
        while True:
            self.send()
            waits = bool(self.mids)
            self.confirm(len(self.mids) or 1, ACCEPTED)
            self.answer(AckStatus.COMMITTED)
            if not waits and not self.box.waiting:
                break
        self.box.tick()
        sent = {(one.topic, one.payload) for one in self.box.ledger(limit=10_000) if one.sent_at}
        assert sent == self.arrived
        self.box.close()
        self.folder.cleanup()


TestLife = Life.TestCase
TestLife.settings = settings(
    max_examples=40,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
