"""Boxes as `make load` has them, with certificates of their own, sending from a thread."""

import asyncio
import random
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from cleandesk.contract import tls
from cleandesk_fleet.provision.authorities import Issuer
from cleandesk_fleet.subscriber.database import place_of
from tests.cluster.rabbitmq import Cluster
from tests.eventually import eventually
from tests.load.boxes import Box, Tally, address_of
from tests.load.programs import Logged, logged
from tests.system.subscriber_rig import Subscriber

_SITES = 3
_TICK_S = 0.05
_AT_ONCE = 20
_GOODBYE_S = 1.0
#: A box's connection is kept by it; the broker ends a silent one.
_HEALTH_S = 15.0
#: A third of a box's own, so that tests end sooner.
_ACK_TIMEOUT_S = 5.0
#: Some times what a box waits for an answer until it connects anew, on a busy machine.
PATIENCE_S = 400.0


class Fleet:
    """A site's worth of boxes on a cluster, with a subscriber.

    Args:
        cluster: Where they connect.
        subscribers: All on one log, not started yet.
        boxes: So many.
        rate: Events a second of all of them; may be changed at any time.

    Attributes:
        connected: How many boxes were let in so far.
    """

    def __init__(
        self,
        cluster: Cluster,
        subscribers: Sequence[Subscriber],
        *,
        boxes: int = 24,
        rate: float = 20,
    ) -> None:
        self.rate = rate
        self.connected = 0
        self._tally = Tally()
        contexts = [
            tls.context(cluster.issue(Issuer.BOXES, str(address_of(number, _SITES))))
            for number in range(boxes)
        ]
        self._boxes = [
            Box(number, _SITES, self._tally, cluster.port(0), context, ack_timeout_s=_ACK_TIMEOUT_S)
            for number, context in enumerate(contexts)
        ]
        self.subscribers = subscribers
        self._loop = asyncio.new_event_loop()
        self._sending = True
        self._thread = threading.Thread(target=self._run, name="fleet", daemon=True)
        self._ends = False
        self._started = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            for each in self.subscribers:
                stack.enter_context(each).started()
            self._started = stack.pop_all()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends = True
        self._thread.join(30)
        self._started.close()

    @property
    def sent(self) -> int:
        """How many events there were."""
        return self._tally.sent

    @property
    def answered(self) -> int:
        """How many of them were answered."""
        return len(self._tally.acked_at)

    def latencies_s(self, first: int = 0) -> list[float]:
        """Return the seconds from event to answer, in order of size, from an answer on."""
        return sorted(seconds for _, seconds in self._tally.acked_at[first:])

    def flows(self, events: int = 60) -> None:
        """Wait until so many more were answered."""
        enough = self.answered + events
        eventually(lambda: self.answered >= enough, "answers", within_s=PATIENCE_S)

    def drain(self) -> Logged:
        """Open no more events, wait until all are answered; returns what the log holds."""
        self._sending = False
        eventually(lambda: self.answered == self.sent, "all answers", within_s=PATIENCE_S)
        return logged(place_of(self.subscribers[0].place))

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._go())
        self._loop.close()

    async def _go(self) -> None:
        gate = asyncio.Semaphore(_AT_ONCE)

        async def connect(box: Box) -> None:
            async with gate:
                await box.connect()
                self.connected += 1

        await asyncio.gather(*(connect(box) for box in self._boxes))
        dice, last, opened, spoke = random.Random(1), time.monotonic(), 0.0, 0.0
        while not self._ends:
            now = time.monotonic()
            opened += (now - last) * self.rate if self._sending else 0
            last = now
            for box in dice.choices(self._boxes, k=int(opened)):
                box.open_event()
            opened %= 1
            if now - spoke > _HEALTH_S:
                spoke = now
                for box in self._boxes:
                    box.say_health()
            for box in self._boxes:
                box.pump()
            await asyncio.sleep(_TICK_S)
        for box in self._boxes:
            box.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await asyncio.sleep(_GOODBYE_S)


def subscriber(
    cluster: Cluster, home: Path, name: str = "subscriber", **more: object
) -> Subscriber:
    """Return a subscriber of the cluster, by its certificate's name, not started yet."""
    files = cluster.issue(Issuer.PEOPLE, name)
    broker = {
        "host": "localhost",
        "port": cluster.port(0),
        "tls": {"ca": str(files.ca), "cert": str(files.cert), "key": str(files.key)},
        "keepalive_s": 5,
        "retry_min_s": 0.1,
        "retry_max_s": 1,
    }
    return Subscriber(home, 0, name, client_id=name, broker=broker, **more)
