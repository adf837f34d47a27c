"""Keeps a fanless box below the heat at which its processor slows itself down. Pure.

A Raspberry Pi throttles from 80 degrees Celsius on; then looks come late at random. Looking more
rarely before that, but never more rarely than the rules need, keeps them on time.
"""

import logging

from cleandesk.clock import Instant
from cleandesk.contract.health import GovernorState
from cleandesk.vitals import Heat

log = logging.getLogger(__name__)

#: From here on each step lowers the rate; from HOT_C on it goes to the least at once; below COOL_C
#: it may rise again. Celsius.
WARM_C, HOT_C, COOL_C = 75.0, 78.0, 70.0
#: Seconds between two steps down, and between two steps up: a heat sink answers in minutes.
LOWER_EVERY_S, RAISE_EVERY_S = 5.0, 60.0
_LOWER, _RAISE = 0.8, 1.15


class Governor:
    """Says how often to look.

    Args:
        most: Looks a second, as planned.
        least: Looks a second, as the rules need them.
        now: The present moment.
    """

    def __init__(self, most: float, least: float, now: Instant) -> None:
        self._most, self._least = most, min(least, most)
        self._read = self._set_at = now.mono
        self.looks_per_s = most
        self.state = GovernorState.FULL
        self.since = now

    def need(self, least: float) -> None:
        """Never look more rarely than that, looks a second, from now on."""
        self._least = min(least, self._most)
        self.looks_per_s = max(self.looks_per_s, self._least)

    def due(self, now: Instant) -> bool:
        """Say whether it is time for `step`."""
        return now.mono - self._read >= LOWER_EVERY_S

    def step(self, heat: Heat, now: Instant) -> bool:
        """Take a reading and decide anew; say whether the state changed.

        Between COOL_C and WARM_C, and when the machine stops telling, the rate stays as it is.
        """
        self._read = now.mono
        celsius = heat.celsius
        if heat.throttled or (celsius is not None and celsius >= HOT_C):
            self._set(self._least, now)
        elif celsius is not None and celsius >= WARM_C:
            self._set(max(self._least, _LOWER * self.looks_per_s), now)
        elif _cool(heat) and now.mono - self._set_at >= RAISE_EVERY_S:
            self._set(min(self._most, _RAISE * self.looks_per_s), now)
        return self._judge(heat, now)

    def _set(self, looks_per_s: float, now: Instant) -> None:
        self.looks_per_s = looks_per_s
        self._set_at = now.mono

    def _judge(self, heat: Heat, now: Instant) -> bool:
        if heat.throttled:
            state = GovernorState.THROTTLED
        elif self.looks_per_s < self._most:
            state = GovernorState.WARM
        else:
            state = GovernorState.FULL
        if state is self.state:
            return False
        self.state, self.since = state, now
        log.log(
            logging.INFO if state is GovernorState.FULL else logging.WARNING,
            "the box is %s",
            {"full": "cool", "warm": "warm: it looks more rarely", "throttled": "throttled"}[state],
            extra={"celsius": heat.celsius, "looks_per_s": round(self.looks_per_s, 2)},
        )
        return True


def _cool(heat: Heat) -> bool:
    """Say whether the rate may rise; where only throttling is told, its end has to do."""
    return heat.throttled is False if heat.celsius is None else heat.celsius < COOL_C
