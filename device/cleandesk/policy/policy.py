"""The policy: takes looks at the desk, gives what changed. Pure; time and ids come from outside."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from cleandesk.clock import Instant
from cleandesk.contract.messages import CloseReason, Phase
from cleandesk.detector.detections import Detections
from cleandesk.policy.change import Change, Progress
from cleandesk.policy.observation import PERSON, PERSON_SCORE, Observer
from cleandesk.policy.sightings import classes_of
from cleandesk.policy.state import Moment, OpenViolation, PolicyState
from cleandesk.policy.watch import RuleWatch
from cleandesk.settings import Rule, Zone

#: Between two looks at most so many look intervals count as observed, and a second in any case.
COUNTED_LOOKS, COUNTED_S = 5, 1.0


class RuleError(ValueError):
    """Rules that do not fit the zones or the model, with everything that is wrong with them."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class Policy:
    """All rules of a box. Not safe for use by several threads at once."""

    def __init__(
        self,
        rules: Sequence[Rule],
        zones: Mapping[str, Zone],
        names: tuple[str, ...],
        *,
        threshold_of: Callable[[str], float],
        new_id: Callable[[], str],
        look_s: float,
        boot: str,
    ) -> None:
        """Prepare to look.

        Args:
            rules: What must not be; their names differ.
            zones: Where, by name.
            names: The model's classes, in its order.
            threshold_of: The score from which the model is believed about a class; for rules that
                name none.
            new_id: Gives a new id of 32 hexadecimal digits at each call.
            look_s: Seconds from one look to the next, as planned.
            boot: Id of this power-on, 32 hexadecimal digits.

        Raises:
            RuleError: A rule names a zone that is missing or a class that the model lacks.
        """
        self._names, self._new_id = names, new_id
        self._thresholds = {name: threshold_of(name) for name in names}
        self._watches: dict[str, RuleWatch] = {}
        self._arrange(rules, zones)
        self._counted_s = max(COUNTED_LOOKS * look_s, COUNTED_S)
        self._boot = boot
        self._now: Instant | None = None
        self._last_look: float | None = None
        self._ended = float("-inf")

    def _arrange(self, rules: Sequence[Rule], zones: Mapping[str, Zone]) -> list[RuleWatch]:
        """Watch these rules; a watch whose rule and zone stay goes on. Return those that do not."""
        names, threshold_of = self._names, self._thresholds.__getitem__
        problems = [*_problems(rules, zones, names)]
        if problems:
            raise RuleError(problems)
        #: For each of the model's classes: weaker detections can change nothing. Infinite for
        #: those that no rule is about.
        self.floors = tuple(_floor(name, rules, threshold_of) for name in names)
        self._observer = Observer(zones, names, threshold_of=threshold_of, floors=self.floors)
        index = self._observer.zone_index
        before, self._watches = self._watches, {}
        for rule in rules:
            watch = RuleWatch(
                rule, zones[rule.zone], zone_index=index[rule.zone], new_id=self._new_id
            )
            old = before.get(rule.name)
            if old is not None and old.fingerprint == watch.fingerprint:
                watch = before.pop(rule.name)
                watch.zone_index = index[rule.zone]
            self._watches[rule.name] = watch
        return list(before.values())

    def rearrange(
        self, rules: Sequence[Rule], zones: Mapping[str, Zone], at: Instant
    ) -> list[Change]:
        """Watch other rules from now on. What is open under one that stays the same goes on.

        Args:
            rules: As at the start.
            zones: As at the start.
            at: The present moment.

        Returns:
            What closed, with the reason `config`: its rule or zone is gone or another.

        Raises:
            RuleError: As at the start; then nothing has changed.
        """
        gone = self._arrange(rules, zones)
        self._now = at
        return [change for watch in gone for change in watch.close_all(CloseReason.CONFIG, at)]

    @property
    def open_count(self) -> int:
        """How many violations are open."""
        return sum(watch.open_count for watch in self._watches.values())

    @property
    def scheduled_rules_active(self) -> bool:
        """Whether rules with hours can be kept: the clock was trusted at the last word."""
        scheduled = any(watch.rule.schedule for watch in self._watches.values())
        return not scheduled or (self._now is not None and self._now.synced)

    @property
    def unsettled(self) -> bool:
        """Whether something is on its way to open, to close or to be resumed.

        Until it is settled, looks that are left out could delay it.
        """
        return any(watch.unsettled for watch in self._watches.values())

    @property
    def sighted(self) -> tuple[int, ...]:
        """How many things each rule was about in the last look, weak sightings too."""
        return tuple(watch.sighted for watch in self._watches.values())

    def step(self, detections: Detections, at: Instant) -> list[Change]:
        """Take one look.

        A frame from before the last `close_all` is left out: what it shows has been closed.

        Args:
            detections: Of one frame, by the model whose classes the policy was made with.
            at: When the frame was taken.

        Returns:
            What opened, closed or was resumed.

        Raises:
            ValueError: The detections are of another model.
        """
        if at.mono <= self._ended:
            return []
        seen = self._observer.observe(detections)
        elapsed_s = self._elapsed_s(at.mono)
        self._now = at
        changes: list[Change] = []
        for watch in self._watches.values():
            looks, attended = watch.attend(at, camera=True)
            changes += attended
            if looks:
                changes += watch.look(seen, at, elapsed_s)
        return changes

    def unchanged(self, at: Instant) -> list[Change]:
        """Take note of a frame that shows what the last look saw.

        It is no look: a sighting that was repeated without looking would count as K of N at once,
        and one mistake must be none. But its time is observed time, and belongs to what the last
        look saw. So do not call it while `unsettled`.

        Args:
            at: When the frame was taken.

        Returns:
            What closed, as hours end.
        """
        if at.mono <= self._ended:
            return []
        self._now, self._last_look = at, at.mono
        return [
            change
            for watch in self._watches.values()
            for change in watch.attend(at, camera=True)[1]
        ]

    def _elapsed_s(self, mono: float) -> float:
        """Return the observed seconds since the last look: none after a fault or a restart."""
        last, self._last_look = self._last_look, mono
        return 0.0 if last is None else min(max(mono - last, 0.0), self._counted_s)

    def suspend(self, at: Instant) -> list[Change]:
        """Take note that the camera cannot tell at present; nothing is closed by that.

        To be called again while the fault lasts: hours end meanwhile, and after a day nobody can
        vouch for what was open. The next `step` resumes.
        """
        self._now, self._last_look = at, None
        return [
            change
            for watch in self._watches.values()
            for change in watch.attend(at, camera=False)[1]
        ]

    def close_all(self, reason: CloseReason, at: Instant) -> list[Change]:
        """End what is open and forget what was on the way, at a break's begin and end."""
        self._now, self._last_look, self._ended = at, None, at.mono
        return [
            change for watch in self._watches.values() for change in watch.close_all(reason, at)
        ]

    def snapshot(self) -> PolicyState:
        """Return the state as a value; at least what is open survives in it."""
        return PolicyState(
            boot=self._boot,
            at=Moment.of(self._now) if self._now else None,
            violations=tuple(v for watch in self._watches.values() for v in watch.saved()),
        )

    def restore(self, state: PolicyState, at: Instant) -> list[Change]:
        """Go on with what an earlier process had open, before the first look.

        A violation goes on under its id if the box was away for no longer than its rule's
        `grace_s`; else it closes, with the reason `restart`, or `config` if its rule is gone or
        has changed.

        Raises:
            RuntimeError: There was a look already.
        """
        if self._now is not None:
            raise RuntimeError(
                "the policy has looked already, and a restored state would double what it sees: "
                "call restore() before the first step()"
            )
        self._now = at
        away_s, shift_s = state.away_s(self._boot, at), state.shift_s(self._boot, at)
        changes: list[Change] = []
        for saved in state.violations:
            reason = self._refusal(saved, away_s)
            if reason:
                changes.append(saved.change(Phase.CLOSE, at, reason))
            else:
                self._watches[saved.rule].adopt(saved, shift_s=shift_s)
        return changes

    def _refusal(self, saved: OpenViolation, away_s: float | None) -> CloseReason | None:
        watch = self._watches.get(saved.rule)
        if watch is None or watch.fingerprint != saved.fingerprint:
            return CloseReason.CONFIG
        if away_s is None or away_s > watch.rule.grace_s:
            return CloseReason.RESTART
        return None

    def progress(self) -> list[Progress]:
        """Return all that is open or on the way to it, rule by rule."""
        return [row for watch in self._watches.values() for row in watch.progress()]


def _floor(name: str, rules: Sequence[Rule], threshold_of: Callable[[str], float]) -> float:
    """Return the least score of a class that matters: to a rule, or as a person in the way."""
    needed = [rule.hold(threshold_of(name)) for rule in rules if name in classes_of(rule)]
    if name == PERSON:
        needed.append(PERSON_SCORE)
    return min(needed, default=float("inf"))


def _problems(
    rules: Sequence[Rule], zones: Mapping[str, Zone], names: tuple[str, ...]
) -> Iterator[str]:
    for rule in rules:
        if rule.zone not in zones:
            yield f"rule '{rule.name}': no zone '{rule.zone}'; there is {', '.join(sorted(zones))}"
        for name in sorted(classes_of(rule) - set(names)):
            yield (
                f"rule '{rule.name}': the model knows no class '{name}'; it knows "
                f"{', '.join(names)}: name one of these, or choose another model"
            )
