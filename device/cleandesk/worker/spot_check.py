"""A spot check: looks for a while, because somebody asked, and says what is there."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from cleandesk.clock import Instant
from cleandesk.contract.commands import Finding, Outcome, SpotCheckResponse, Verdict
from cleandesk.policy import Progress
from cleandesk.policy.change import Place
from cleandesk.policy.geometry import iou_and_containment
from cleandesk.worker.limiter import HOUR_S, Limiter

Reply = Callable[[SpotCheckResponse], None]

#: Two boxes of one class are one thing if they share so much (intersection over union).
_SAME = 0.3
_MOST = 64
_DIGITS = 4


@dataclass(frozen=True, slots=True)
class _Thing:
    class_name: str
    score: float
    place: Place
    looks: int


class _Check:
    """One spot check that runs."""

    def __init__(self, look_s: float, reply: Reply, now: Instant) -> None:
        self.began, self.look_s, self.reply = now, look_s, reply
        self.looks = 0
        self.things: list[_Thing] = []

    def look(self, seen: Sequence[tuple[str, float, Place]]) -> None:
        """Count a look, best first, and what it saw; each thing gains at most one look by it."""
        self.looks += 1
        free = list(range(len(self.things)))
        for class_name, score, place in seen:
            at = self._find(class_name, place, free)
            if at is not None:
                free.remove(at)
                known = self.things[at]
                best = (score, place) if score > known.score else (known.score, known.place)
                self.things[at] = replace(
                    known, score=best[0], place=best[1], looks=known.looks + 1
                )
            elif len(self.things) < _MOST:
                self.things.append(_Thing(class_name, score, place, 1))

    def saw(self, class_name: str, place: Place) -> bool:
        """Say whether a thing of this class was seen there."""
        return self._find(class_name, place, range(len(self.things))) is not None

    def _find(self, class_name: str, place: Place, free: Sequence[int]) -> int | None:
        shares = {
            at: iou_and_containment(self.things[at].place, place)[0]
            for at in free
            if self.things[at].class_name == class_name
        }
        best = max(shares, key=shares.__getitem__, default=None)
        return best if best is not None and shares[best] >= _SAME else None


class SpotChecks:
    """The one that runs, if any. `begin` and `running` from any thread, the rest from the loop's.

    Args:
        rules: Names of the rules, for the verdicts.
        per_hour: How many are done in any hour.
    """

    def __init__(self, rules: Sequence[str], per_hour: int) -> None:
        self._rules = rules
        self._limiter = Limiter(per_hour, HOUR_S)
        self._guard = threading.Lock()
        self._check: _Check | None = None
        self.last: Instant | None = None

    @property
    def running(self) -> bool:
        """Whether somebody's spot check runs now."""
        return self._check is not None

    def judge_by(self, rules: Sequence[str]) -> None:
        """Give the verdicts of these rules from now on."""
        self._rules = rules

    def begin(self, look_s: float, reply: Reply, now: Instant) -> bool:
        """Begin one; False if one runs, or there were too many.

        Args:
            look_s: Look for so long, seconds.
            reply: Gets the answer, in the loop's thread.
            now: The present moment.
        """
        with self._guard:
            if self._check is not None or self._limiter.full(now.mono):
                return False
            self._limiter.count(now.mono)
            self._check, self.last = _Check(look_s, reply, now), now
            return True

    def look(self, seen: Sequence[tuple[str, float, Place]]) -> None:
        """Take one look: class, score and place of what is told, best first."""
        if self._check is not None:
            self._check.look(seen)

    def step(self, now: Instant, progress: Callable[[], Sequence[Progress]]) -> Sequence[Progress]:
        """Answer once the time is over; return what is open then and was seen in the check."""
        check = self._check
        if check is None or now.mono - check.began.mono < check.look_s:
            return ()
        if not check.looks:
            self._answer(_short(Outcome.OFF, now, "the camera gave no picture to believe"))
            return ()
        rows = progress()
        self._answer(
            SpotCheckResponse(
                outcome=Outcome.DONE,
                at=now.utc,
                clock_synced=now.synced,
                looked_s=round(now.mono - check.began.mono, 3),
                looks=check.looks,
                findings=[
                    Finding(
                        class_name=thing.class_name,
                        score=round(thing.score, _DIGITS),
                        place=thing.place,
                        looks=thing.looks,
                    )
                    for thing in check.things
                ],
                verdicts=list(self._verdicts(rows)),
            )
        )
        return [row for row in rows if row.open and check.saw(row.class_name, row.place)]

    def break_began(self, now: Instant) -> None:
        """End one that runs: nothing that it saw is told."""
        if self._check is not None:
            self._answer(_short(Outcome.ON_BREAK, now, "a break began meanwhile"))

    def _answer(self, response: SpotCheckResponse) -> None:
        with self._guard:
            check, self._check = self._check, None
        if check is not None:
            check.reply(response)

    def _verdicts(self, progress: Sequence[Progress]) -> list[Verdict]:
        open_now = {row.rule: row.violation_id for row in progress if row.open}
        return [
            Verdict(rule=rule, violated=rule in open_now, violation_id=open_now.get(rule))
            for rule in self._rules
        ]


def _short(outcome: Outcome, now: Instant, detail: str) -> SpotCheckResponse:
    return SpotCheckResponse(outcome=outcome, detail=detail, at=now.utc, clock_synced=now.synced)
