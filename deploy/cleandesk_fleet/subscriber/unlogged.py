"""What boxes said about themselves while it fell to nobody to log it."""

from cleandesk_fleet.subscriber.intake import Cleared, Reading, Report

#: Between one who judges and the next there is less, also where the first one froze.
KEPT_S = 60.0


class Unlogged:
    """Keeps the newest word on each topic for a minute.

    Not every broker has a copy for who takes over: RabbitMQ's subscribers get none. Health need not
    be kept: a box tells all of it each minute.
    """

    def __init__(self) -> None:
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
            if now - self._words[topic][0] <= KEPT_S:
                return
            del self._words[topic]

    def clear(self) -> None:
        """Forget all of it: it is logged."""
        self._words.clear()
