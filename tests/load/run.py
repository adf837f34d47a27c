"""One run: boxes at a steady rate against everything else, and what came of it."""

import asyncio
import random
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.load.boxes import Box, Tally
from tests.load.programs import Logged, Programs, running

#: So many boxes connect at once: a broker's queue of connections is short.
_AT_ONCE = 50
_TICK_S = 0.02
_HEALTH_S = 60.0
_SITES = 20
_WARM_UP_S = 3.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do.

    Attributes:
        rate: Events a second of all boxes together.
        seconds: For so long.
        subscribers: On one log.
        batch: So many events may share a commit.
        kill: One of them is killed half-way, and started again two seconds later.
        drain_s: So long all events may take to be answered in the end.
    """

    boxes: int
    rate: float
    seconds: float
    database: str
    subscribers: int
    batch: int
    kill: bool = False
    drain_s: float = 120.0

    @property
    def name(self) -> str:
        """As a table's row names it."""
        killed = ", one killed" if self.kill else ""
        return f"{self.database}, {self.subscribers} subscriber(s), {self.boxes} boxes{killed}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it.

    Attributes:
        answered_a_s: Events answered a second while boxes sent, after the first seconds.
        latencies_ms: From event to ack, of all events, in order.
        waiting: Events that were not answered in time, and are still in their boxes' outboxes.
        lost: Events that were answered and are not in the log.
        doubled: Events that are in the log more than once.
        cpu_us: Processor time of each part for one event.
        memory_mb: The largest subscriber's memory each second.
        seconds: For each second, how many events were answered.
    """

    plan: Plan
    sent: int
    answered_a_s: float
    latencies_ms: Sequence[float]
    waiting: int
    lost: int
    doubled: int
    again: int
    logged: Logged
    cpu_us: dict[str, float]
    memory_mb: Sequence[float]
    seconds: Sequence[int]

    def latency_ms(self, share: float) -> float:
        """Return a quantile of event to ack."""
        if not self.latencies_ms:
            return float("nan")
        ordered = sorted(self.latencies_ms)
        return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


def measure(plan: Plan, folder: Path) -> Outcome:
    """Do one run."""
    with running(
        folder, database=plan.database, subscribers=plan.subscribers, batch=plan.batch
    ) as programs:
        return asyncio.run(_Run(plan, programs).outcome())


class _Run:
    def __init__(self, plan: Plan, programs: Programs) -> None:
        self._plan, self._programs = plan, programs
        self._tally = Tally()
        self._boxes = [
            Box(number, _SITES, self._tally, programs.broker.port) for number in range(plan.boxes)
        ]
        self._memory: list[float] = []

    async def outcome(self) -> Outcome:
        await self._connect()
        health = asyncio.ensure_future(self._health())
        memory = asyncio.ensure_future(self._watch_memory())
        kill = asyncio.ensure_future(self._kill()) if self._plan.kill else None
        before = self._programs.cpu_s()
        began = time.monotonic()
        await self._send(began)
        ended = time.monotonic()
        after = self._programs.cpu_s()
        answered = len(self._tally.acked_at)
        if kill is not None:
            await kill
        await self._drain()
        for task in (health, memory):
            task.cancel()
        for box in self._boxes:
            box.close()
        await asyncio.sleep(0)
        return self._told(began, ended, answered, before, after)

    async def _connect(self) -> None:
        gate = asyncio.Semaphore(_AT_ONCE)

        async def one(box: Box) -> None:
            async with gate:
                await box.connect()

        await asyncio.gather(*(one(box) for box in self._boxes))

    async def _send(self, began: float) -> None:
        """Open events at random boxes, at the plan's rate, whether or not answers come."""
        dice = random.Random(1)
        opened = 0
        while (now := time.monotonic()) < began + self._plan.seconds:
            due = int((now - began) * self._plan.rate) - opened
            opened += due
            for box in dice.choices(self._boxes, k=due):
                box.open_event()
                box.pump()
            await asyncio.sleep(_TICK_S)

    async def _drain(self) -> None:
        """Wait for the rest, sending again what is due."""
        give_up = time.monotonic() + self._plan.drain_s
        while any(box.waiting for box in self._boxes) and time.monotonic() < give_up:
            for box in self._boxes:
                if box.waiting:
                    box.pump()
            await asyncio.sleep(0.25)

    async def _health(self) -> None:
        """Each box speaks each minute, one after the other."""
        pause_s = _HEALTH_S / len(self._boxes)
        while True:
            for box in self._boxes:
                box.say_health()
                await asyncio.sleep(pause_s)

    async def _watch_memory(self) -> None:
        while True:
            self._memory.append(self._programs.memory_mb())
            await asyncio.sleep(1)

    async def _kill(self) -> None:
        await asyncio.sleep(self._plan.seconds / 2)
        victim = self._programs.subscribers[0]
        victim.kill()
        await asyncio.sleep(2)
        await asyncio.to_thread(victim.start)

    def _told(
        self,
        began: float,
        ended: float,
        answered: int,
        before: dict[str, float],
        after: dict[str, float],
    ) -> Outcome:
        tally, logged = self._tally, self._programs.logged()
        steady = [at for at, _ in tally.acked_at if began + _WARM_UP_S <= at < ended]
        a_second = [0] * (int(ended - began) + 1)
        for at, _ in tally.acked_at:
            if at < ended:
                a_second[int(at - began)] += 1
        waiting = sum(box.waiting for box in self._boxes)
        return Outcome(
            plan=self._plan,
            sent=tally.sent,
            answered_a_s=len(steady) / max(ended - began - _WARM_UP_S, 1e-9),
            latencies_ms=[seconds * 1000 for _, seconds in tally.acked_at],
            waiting=waiting,
            lost=max(tally.sent - waiting - logged.distinct, 0),
            doubled=logged.events - logged.distinct,
            again=tally.again,
            logged=logged,
            cpu_us={part: (after[part] - before[part]) / max(answered, 1) * 1e6 for part in after},
            memory_mb=self._memory,
            seconds=a_second,
        )


def median(values: Sequence[float]) -> float:
    """Return the median; not a number where there is nothing."""
    return statistics.median(values) if values else float("nan")
