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

    def recent(self, now: float) -> list[Reading]:
        """Return what is kept, oldest first, but for what is too old, which is forgotten."""
        for topic, (said, _) in list(self._words.items()):
            if now - said <= KEPT_S:
                break
            del self._words[topic]
        return [reading for _, reading in self._words.values()]

    def clear(self) -> None:
        """Forget all of it: it is logged."""
        self._words.clear()
