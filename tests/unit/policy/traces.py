"""A small simulator of a desk, a noisy detector and a box that is killed, stalled and paused."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random

import numpy as np
from hypothesis import HealthCheck, settings

from cleandesk.clock import Instant
from cleandesk.contract.messages import CloseReason, Phase
from cleandesk.detector.detections import Detections
from cleandesk.policy import Change, Place, Policy, PolicyState
from cleandesk.policy.geometry import covered
from cleandesk.settings import PeopleRule, PhoneAtScreenRule, PresenceRule, Rule, Zone

NAMES = ("phone", "paper", "notebook", "cup", "person")
SIZE = (1280, 720)
BOOT, OTHER_BOOT = "a" * 32, "b" * 32
START = datetime(2025, 3, 3, 9, 0, tzinfo=UTC)  # a Monday
LOOK_S = 0.2
#: The model's own, for every class.
THRESHOLD = 0.5
#: The box saves its state so often while something is open.
SAVE_EVERY_S = 10.0
#: The box tells the policy so often that the camera cannot tell.
FAULT_TOLD_S = 5.0

PHONE_AT: Place = (0.30, 0.60, 0.38, 0.72)
ZONES = {
    "desk": Zone(polygon=[(0.0, 0.4), (1.0, 0.4), (1.0, 1.0), (0.0, 1.0)]),
    "room": Zone(polygon=[(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)]),
}
PHONE_RULE = PresenceRule(name="phone", zone="desk", classes=["phone"])
SHEET_RULE = PresenceRule(name="sheets", zone="desk", classes=["paper", "notebook"])
PEOPLE_RULE = PeopleRule(name="people", zone="room", kind="people", more_than=1)
SCREEN_RULE = PhoneAtScreenRule(name="screen", zone="room", kind="phone_at_screen")

#: How hard the property tests search: the same cases each time, or many new ones on demand.
SEARCH = settings(
    max_examples=1000 if os.environ.get("POLICY_SEARCH") == "long" else 30,
    derandomize="POLICY_SEARCH" not in os.environ,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)

Found = tuple[str, float, Place]


class Ids:
    """Numbers as ids: unique, the same in each run, and picklable."""

    def __init__(self) -> None:
        self.given = 0

    def __call__(self) -> str:
        self.given += 1
        return f"{self.given:032x}"


@dataclass
class Wall:
    """Both clocks of the box: a wall clock may jump and be untrusted, the monotonic one neither."""

    ahead_s: float = 0.0
    synced: bool = True
    booted: float = 0.0

    def at(self, seconds: float) -> Instant:
        """Return the moment so many seconds into the trace."""
        utc = START + timedelta(seconds=seconds + self.ahead_s)
        return Instant(1000.0 + seconds - self.booted, utc, self.synced)


def policy(
    *rules: Rule, ids: Ids | None = None, boot: str = BOOT, look_s: float = LOOK_S
) -> Policy:
    """Return a policy for the simulated desk."""
    return Policy(
        rules,
        ZONES,
        NAMES,
        threshold_of=lambda _: THRESHOLD,
        new_id=ids or Ids(),
        look_s=look_s,
        boot=boot,
    )


def frame(*found: Found) -> Detections:
    """Return detections of one frame; places as fractions of the picture."""
    ranked = sorted(found, key=lambda f: -f[1])
    width, height = SIZE
    return Detections(
        np.array([f[2] for f in ranked], np.float32).reshape(-1, 4)
        * np.array([width, height, width, height], np.float32),
        np.array([f[1] for f in ranked], np.float32),
        np.array([NAMES.index(f[0]) for f in ranked], np.int64),
        NAMES,
        SIZE,
    )


@dataclass
class Thing:
    """What really is there: a class at a place, from a second of the trace to another.

    Attributes:
        seen: Share of looks in which the detector finds it.
        looks_like: Another class the detector takes it for in half of the looks.
        moves: From such seconds on, it lies at another place.
    """

    class_name: str
    place: Place
    begin: float
    end: float
    seen: float = 1.0
    score: float = 0.8
    looks_like: str | None = None
    moves: tuple[tuple[float, Place], ...] = ()

    def at(self, t: float) -> Place | None:
        """Return where it is, or None."""
        if not self.begin <= t < self.end:
            return None
        return [self.place, *(place for since, place in self.moves if t >= since)][-1]


@dataclass
class Desk:
    """A desk and a detector with its faults.

    Attributes:
        dim: From such seconds on, all scores are multiplied.
        hidden: Between such seconds nothing below this box is seen.
        jitter: Error of a box's edges, in shares of its size.
        noise: Error of a score.
        blips: False detections a look.
    """

    things: list[Thing]
    seed: int = 0
    dim: list[tuple[float, float]] = field(default_factory=list)
    hidden: list[tuple[float, float, Place]] = field(default_factory=list)
    jitter: float = 0.05
    noise: float = 0.05
    blips: float = 0.0

    def __post_init__(self) -> None:
        self._random = Random(self.seed)

    def look(self, t: float) -> Detections:
        """Return what the detector finds at a second of the trace."""
        return frame(*self._true(t), *self._false())

    def _true(self, t: float) -> Iterator[Found]:
        light = [1.0, *(factor for since, factor in self.dim if t >= since)][-1]
        screens = [box for begin, end, box in self.hidden if begin <= t < end]
        for thing in self.things:
            place = thing.at(t)
            draw, flip = self._random.random(), self._random.random()
            if place is None or draw >= thing.seen:
                continue
            if thing.class_name != "person" and any(covered(place, s) > 0.5 for s in screens):
                continue
            name = thing.looks_like if thing.looks_like and flip < 0.5 else thing.class_name
            score = (thing.score + self._random.uniform(-self.noise, self.noise)) * light
            yield name, min(score, 1.0), self._shaken(place)

    def _false(self) -> Iterator[Found]:
        if self._random.random() < self.blips:
            x, y = self._random.uniform(0, 0.9), self._random.uniform(0, 0.9)
            name = self._random.choice(NAMES)
            yield name, self._random.uniform(0.15, 0.95), (x, y, x + 0.06, y + 0.08)

    def _shaken(self, place: Place) -> Place:
        x1, y1, x2, y2 = place
        w, h = (x2 - x1) * self.jitter, (y2 - y1) * self.jitter
        shake = self._random.uniform
        return x1 + shake(-w, w), y1 + shake(-h, h), x2 + shake(-w, w), y2 + shake(-h, h)


@dataclass(frozen=True)
class Fault:
    """The camera fails for so long; the box says so again and again."""

    at: float
    lasts: float


@dataclass(frozen=True)
class Stall:
    """No frame comes for so long, and nobody has noticed."""

    at: float
    lasts: float


@dataclass(frozen=True)
class Pause:
    """The worker takes a break."""

    at: float
    lasts: float


@dataclass(frozen=True)
class Kill:
    """The process dies, and a new one goes on from what was saved; perhaps after a power cut."""

    at: float
    lasts: float
    power_cut: bool = False


@dataclass(frozen=True)
class Jump:
    """The wall clock is set, by so many seconds."""

    at: float
    by: float
    lasts: float = 0.0


@dataclass(frozen=True)
class Distrust:
    """The wall clock is not to be trusted for so long; looking goes on."""

    at: float
    lasts: float = 0.0
    synced: bool = False


Event = Fault | Stall | Pause | Kill | Jump | Distrust


class Run:
    """A box that looks at a desk while things happen to it; keeps what it would commit."""

    def __init__(self, desk: Desk, *rules: Rule, look_s: float = LOOK_S) -> None:
        self.desk, self.rules, self.look_s = desk, rules, look_s
        self.ids, self.wall, self.boot = Ids(), Wall(), BOOT
        self.policy = policy(*rules, ids=self.ids, look_s=look_s)
        self.changes: list[Change] = []
        self._saved: tuple[float, bytes | None] = (0.0, None)
        self.t = 0.0

    def until(self, end: float, events: Sequence[Event] = ()) -> list[Change]:
        """Look until a second of the trace, through all events before it; returns all changes."""
        for event in sorted(events, key=lambda e: e.at):
            self._look_until(event.at)
            self._meet(event)
        self._look_until(end)
        return self.changes

    def _look_until(self, end: float) -> None:
        while self.t < end:
            self.commit(self.policy.step(self.desk.look(self.t), self.wall.at(self.t)))
            self.t = round(self.t + self.look_s, 6)

    def commit(self, changes: list[Change]) -> None:
        """Save changes and state together, as the box does; the state also now and then."""
        self.changes += changes
        due = self.policy.open_count and self.t - self._saved[0] >= SAVE_EVERY_S
        if changes or due:
            self._saved = self.t, self.policy.snapshot().model_dump_json().encode()

    def _meet(self, event: Event) -> None:
        ends = self.t + event.lasts
        match event:
            case Fault():
                while self.t < ends:
                    self.commit(self.policy.suspend(self.wall.at(self.t)))
                    self.t = min(self.t + FAULT_TOLD_S, ends)
            case Stall():
                self.t = ends
            case Pause():
                self.commit(self.policy.close_all(CloseReason.BREAK, self.wall.at(self.t)))
                self.t = ends
            case Kill():
                self.t = ends
                self._restart(power_cut=event.power_cut)
            case Jump():
                self.wall.ahead_s += event.by
            case Distrust():
                self.wall.synced = event.synced

    def _restart(self, *, power_cut: bool) -> None:
        if power_cut:
            self.boot = OTHER_BOOT if self.boot == BOOT else BOOT
            self.wall.booted = self.t
        self.policy = policy(*self.rules, ids=self.ids, boot=self.boot, look_s=self.look_s)
        if self._saved[1] is not None:
            state = PolicyState.model_validate_json(self._saved[1])
            self.commit(self.policy.restore(state, self.wall.at(self.t)))


@dataclass
class Life:
    """One violation, from all that was said about it."""

    opened: Change
    updates: list[Change] = field(default_factory=list)
    closed: Change | None = None

    @property
    def reason(self) -> CloseReason | None:
        """Why it closed; None while it is open."""
        return self.closed.reason if self.closed else None


def lives(changes: Sequence[Change]) -> list[Life]:
    """Return the violations in order of opening; fails if what was said makes no sense."""
    found: dict[str, Life] = {}
    for change in changes:
        if change.phase is Phase.OPEN:
            assert change.violation_id not in found, "an id was used twice"
            found[change.violation_id] = Life(change)
            assert change.reason is None
            assert change.opened == change.at
            continue
        life = found[change.violation_id]
        assert life.closed is None, "something was said after the close"
        assert (change.rule, change.class_name) == (life.opened.rule, life.opened.class_name)
        assert change.opened.utc == life.opened.at.utc
        assert change.score >= life.opened.score
        assert change.dwell_s >= life.opened.dwell_s
        if change.phase is Phase.CLOSE:
            assert change.reason is not None
            life.closed = change
        else:
            before = life.updates[-1].suspended if life.updates else False
            assert change.suspended is not before, "an update that says nothing new"
            life.updates.append(change)
    return list(found.values())


def reasons(changes: Sequence[Change]) -> list[CloseReason | None]:
    """Return why each violation closed, in order of opening."""
    return [life.reason for life in lives(changes)]
