"""One thing at one place, from its first sight to its end: the state machine of all rules.

A candidate starts with a strong sighting. It opens when K of the last N looks had a strong sighting
and it has been there for the dwell time. Open, any sighting keeps it up; it is gone when it was
*seen* to be absent for the clear time. Time between two looks counts up to a limit only, so that
neither a stalled camera nor a restart is ever absence, or presence.
"""

from collections import Counter
from dataclasses import dataclass, field

from cleandesk.clock import Instant
from cleandesk.policy.change import Place
from cleandesk.policy.gait import LYING, Gait
from cleandesk.policy.geometry import between
from cleandesk.policy.sightings import Sighting
from cleandesk.settings import Rule

#: A candidate is forgotten after so many looks without a sighting, or twice its window.
PATIENCE_LOOKS = 10
#: A person who stands before a place is taken to be there still for so many looks unseen.
COVER_LOOKS = 10
#: A thing that lies moves by jitter and nudges: its place goes half way with each sighting.
FOLLOW = 0.5


@dataclass(slots=True, eq=False)
class Incident:
    """A candidate or an open violation.

    Times are seconds of `Instant.mono`.

    Attributes:
        place: Where it was last seen.
        class_name: Of a candidate the class most often seen, of an open one fixed.
        last_class: As what it was last seen.
        score: Best so far.
        first: First sight.
        last: Last sight.
        gait: How it may move.
        present_s: Observed time from first to last sight.
        absent_s: Observed absence since the last sight, unhidden.
        covered_s: Time since the last sight in which a person hid the place.
        missed: Unhidden looks since the last sight.
        hits: The last looks as bits, 1 for a strong sighting, the latest lowest.
        origin: Of a candidate: the open incident that may have moved here.
    """

    place: Place
    class_name: str
    last_class: str
    score: float
    first: float
    last: float
    gait: Gait = LYING
    present_s: float = 0.0
    absent_s: float = 0.0
    covered_s: float = 0.0
    missed: int = 0
    hits: int = 0
    violation_id: str | None = None
    opened: Instant | None = None
    suspended_since: float | None = None
    origin: "Incident | None" = None
    seen_as: Counter[str] = field(default_factory=Counter)
    _cover_looks: int = 0

    @classmethod
    def begin(cls, sighting: Sighting, at: float, gait: Gait) -> "Incident":
        """Return a candidate at its first, strong sighting."""
        return cls(
            place=sighting.place,
            class_name=sighting.class_name,
            last_class=sighting.class_name,
            score=sighting.score,
            first=at,
            last=at,
            gait=gait,
            hits=1,
            seen_as=Counter((sighting.class_name,)),
        )

    def sight(self, sighting: Sighting, rule: Rule, at: float, elapsed_s: float) -> None:
        """Take a look in which it was seen; `elapsed_s` is the countable time since the last."""
        self.place = between(self.place, sighting.place, 1.0 if self.gait.roams else FOLLOW)
        self.last_class = sighting.class_name
        self.score = max(self.score, sighting.score)
        self.last = at
        self.present_s += self.absent_s + self.covered_s + elapsed_s
        self.absent_s = self.covered_s = 0.0
        self.missed = self._cover_looks = 0
        self._push(sighting.strong, rule)
        if self.opened is None and sighting.strong:
            self.seen_as[sighting.class_name] += 1
            self.class_name = self.seen_as.most_common(1)[0][0]

    def miss(self, rule: Rule, elapsed_s: float, *, covered: bool) -> None:
        """Take a look in which it was not seen.

        Args:
            rule: Its rule; for at most its `grace_s` the look does not count if hidden.
            elapsed_s: Countable time since the last look.
            covered: A person hides the place.
        """
        self._cover_looks = COVER_LOOKS if covered else max(self._cover_looks - 1, 0)
        if self._cover_looks and self.covered_s < rule.grace_s:
            self.covered_s += elapsed_s
            return
        self.absent_s += elapsed_s
        self.missed += 1
        self._push(hit=False, rule=rule)

    def _push(self, hit: bool, rule: Rule) -> None:  # noqa: FBT001 - one bit
        self.hits = ((self.hits << 1) | hit) & ((1 << rule.of) - 1)

    def confirmed(self, rule: Rule) -> bool:
        """Say whether enough of the last looks had a strong sighting."""
        return self.hits.bit_count() >= rule.hits

    def ripe(self, rule: Rule) -> bool:
        """Say whether a candidate is a violation by now."""
        return self.confirmed(rule) and self.present_s >= rule.dwell_s

    def forgotten(self, rule: Rule) -> bool:
        """Say whether a candidate came to nothing."""
        return self.missed >= max(PATIENCE_LOOKS, 2 * rule.of)

    def gone(self, rule: Rule) -> bool:
        """Say whether an open incident was seen to be over, in as many looks as opening takes."""
        return self.absent_s >= rule.clear_after_s and self.missed >= rule.of

    def open(self, violation_id: str, at: Instant) -> None:
        """Make a violation of a candidate."""
        self.violation_id, self.opened, self.origin = violation_id, at, None
        self.seen_as.clear()

    def moved_from(self) -> "Incident | None":
        """Return the open incident that this candidate is, unless that was seen meanwhile."""
        origin = self.origin
        return origin if origin and origin.last < self.first else None

    def take_over(self, moved: "Incident") -> None:
        """Go on where the thing lies now, as a candidate has found it."""
        self.place, self.last_class = moved.place, moved.last_class
        self.score = max(self.score, moved.score)
        self.last, self.present_s = moved.last, self.present_s + moved.present_s
        self.absent_s = self.covered_s = 0.0
        self.missed = self._cover_looks = 0
