"""The idle marker: absent from the desk, and no input at the computer. Pure."""

from dataclasses import dataclass

from cleandesk.clock import Instant

#: A companion that has said nothing for so long is not running: nothing is known of the input.
SILENT_S = 90.0


@dataclass(frozen=True, slots=True)
class _Word:
    age_s: float
    told: float  # monotonic


class Idle:
    """Whether the marker stands. Told in the companion's thread, stepped in the frame loop's.

    Args:
        after_s: No input for so long, seconds.
    """

    def __init__(self, after_s: float) -> None:
        self._after_s = after_s
        self._word: _Word | None = None  # replaced as a whole: another thread reads it
        self._stale: _Word | None = None
        self.stands = False

    @property
    def age_s(self) -> float | None:
        """Age of the last input, as the companion last said; None once it is silent."""
        word = self._word
        return None if word is None or word is self._stale else word.age_s

    def tell(self, age_s: float, now: Instant) -> None:
        """Take the companion's word: the age of the last input, seconds."""
        self._word = _Word(age_s, now.mono)

    def step(self, absent_since: Instant | None, now: Instant) -> bool:
        """Say whether the marker has begun or ended.

        Args:
            absent_since: Since when nobody is at the desk; None: somebody is, or nobody can tell.
            now: The present moment.
        """
        word = self._word
        if word is not None and now.mono - word.told > SILENT_S:
            self._stale = word  # and not whatever was said meanwhile
        age_s = self.age_s
        quiet = age_s is not None and age_s >= self._after_s
        stands = quiet and absent_since is not None
        changed, self.stands = stands != self.stands, stands
        return changed
