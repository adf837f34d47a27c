"""What boxes said about themselves while it fell to nobody to log it."""

from cleandesk_fleet.subscriber.database import FROZEN_S
from cleandesk_fleet.subscriber.intake import Cleared, Reading, Report

#: The least: a look may be late, where a commit takes long.
KEPT_S = 60.0
#: Of the one who lets go, and of the one who takes over.
_LOOKS_S = 5.0


def kept_s(keepalive_s: float) -> float:
    """Return how long nobody may judge: so long what boxes say is to be kept.

    Who is cut off from the broker without a word judges on until it misses the answer to a ping,
    twice `keepalive_s` at most. Then, or before, it may freeze: the database ends that.
    """
    return max(KEPT_S, 2 * keepalive_s + FROZEN_S + _LOOKS_S)


class Unlogged:
    """Keeps the newest word on each topic for a while: of each box three or four.

    Not every broker has a copy for who takes over: RabbitMQ's subscribers get none. Health need not
    be kept: a box tells all of it each minute.

    Args:
        kept_s: How long.
    """

    def __init__(self, kept_s: float = KEPT_S) -> None:
        self._kept_s = kept_s
        self._words: dict[str, tuple[float, Reading]] = {}

    def keep(self, reading: Report | Cleared, now: float) -> None:
        """Keep a word, in place of an older one."""
        topic = reading.topic
        self._words.pop(topic, None)
        self._words[topic] = (now, reading)
        self._forget_old(now)

    def recent(self, now: float) -> list[Reading]:
        """Return what is kept, oldest first."""
        self._forget_old(now)
        return [reading for _, reading in self._words.values()]

    def _forget_old(self, now: float) -> None:
        while self._words:
            topic = next(iter(self._words))
            if now - self._words[topic][0] <= self._kept_s:
                return
            del self._words[topic]

    def clear(self) -> None:
        """Forget all of it: it is logged."""
        self._words.clear()
