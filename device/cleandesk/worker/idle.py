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
        self._age_s: float | None = None
        self.stands = False

    @property
    def age_s(self) -> float | None:
        """Age of the last input, as the companion had said at the last step; None: it is silent."""
        return self._age_s

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
            word = None
        self._age_s = None if word is None else word.age_s
        quiet = self._age_s is not None and self._age_s >= self._after_s
        stands = quiet and absent_since is not None
        changed, self.stands = stands != self.stands, stands
        return changed
