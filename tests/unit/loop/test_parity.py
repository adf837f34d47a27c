"""With the gate the policy says what it says without: the same violations, in the same frames.

Both see the same trace: a desk on which things come and go, a detector that misses some, a sensor
with noise. Only the gate's policy is spared the frames that show nothing new.
"""

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from cleandesk.contract.messages import Phase
from cleandesk.loop import Gate, needs_of
from cleandesk.policy import Change, Place
from cleandesk.settings import PresenceRule, Rule
from tests.unit.loop.scenes import Pictures
from tests.unit.loop.search import SEARCH
from tests.unit.policy.traces import LOOK_S, PEOPLE_RULE, Desk, Thing, Wall, policy

SCENES = settings(SEARCH, max_examples=max(200, SEARCH.max_examples))

PHONE = PresenceRule(name="phone", zone="desk", classes=["phone"], dwell_s=4, clear_after_s=4)
PAPER = PresenceRule(name="paper", zone="desk", classes=["paper", "notebook"], dwell_s=8)
RULES = (PHONE, PAPER, PEOPLE_RULE)
NEEDS = needs_of(RULES, 1 / LOOK_S)
LENGTH_S = 60.0
#: Each thing has a place of its own, so that nothing is taken for another that was slid there.
PLACES: list[Place] = [(x, 0.5, x + 0.06, 0.59) for x in (0.02, 0.3, 0.55, 0.8)]

seeds = st.integers(0, 2**32 - 1)


@dataclass
class Scene:
    """What happens in front of the box."""

    things: list[Thing]
    contrast: dict[int, float]
    noise: float
    seed: int
    light: list[tuple[float, float]] = field(default_factory=list)


@dataclass
class Run:
    """A policy behind a gate, or without one."""

    scene: Scene
    gated: bool
    rules: tuple[Rule, ...] = RULES
    looks: int = 0
    frames: int = 0
    changes: list[Change] = field(default_factory=list)

    def __post_init__(self) -> None:
        scene, wall = self.scene, Wall()
        desk = Desk(scene.things, scene.seed)
        shown = Pictures(
            scene.things, scene.contrast, noise=scene.noise, seed=scene.seed, light=scene.light
        )
        made = policy(*self.rules)
        gate = Gate(NEEDS, LOOK_S)
        for number in range(round(LENGTH_S / LOOK_S)):
            t = round(number * LOOK_S, 6)
            at, found, plane = wall.at(t), desk.look(t), shown.plane(t)
            self.frames += 1
            if self.gated and gate.skips(plane, at.mono, unsettled=made.unsettled):
                self.changes += made.unchanged(at)
                continue
            self.changes += made.step(found, at)
            gate.saw(made.sighted)
            self.looks += 1

    def opened(self) -> list[tuple[str, float]]:
        return [(c.rule, c.at.mono) for c in self.changes if c.phase is Phase.OPEN]

    def closed(self) -> list[tuple[str, float]]:
        return [(c.rule, c.at.mono) for c in self.changes if c.phase is Phase.CLOSE]


@st.composite
def scenes(
    draw: st.DrawFn, *, contrast: st.SearchStrategy[float], seen: st.SearchStrategy[float]
) -> Scene:
    things = []
    for place in draw(st.permutations(PLACES))[: draw(st.integers(0, 4))]:
        begin = draw(st.floats(0, 40))
        end = begin + draw(st.floats(0.5, 50))
        name = draw(st.sampled_from(["phone", "paper", "cup"]))
        things.append(Thing(name, place, begin, end, seen=draw(seen), score=0.75))
    levels = {number: draw(contrast) for number in range(len(things))}
    return Scene(
        things,
        levels,
        noise=draw(st.floats(0, 1.2)),
        seed=draw(seeds),
        light=draw(st.lists(st.tuples(st.floats(0, 60), st.floats(-30, 30)), max_size=2)),
    )


visible = st.one_of(st.floats(25, 100), st.floats(-60, -25))
invisible = st.floats(-0.5, 0.5)


@SCENES
@given(scenes(contrast=visible, seen=st.floats(0.75, 1)))
def test_what_is_seen_to_come_opens_in_the_same_frame(scene: Scene) -> None:
    gated, plain = Run(scene, gated=True), Run(scene, gated=False)
    assert gated.opened() == plain.opened()


@SEARCH
@given(scenes(contrast=visible, seen=st.floats(0.75, 1)))
def test_what_is_seen_to_go_closes_within_a_few_looks(scene: Scene) -> None:
    """Without a gate a miss just before it went counts as absence already, or not, by chance."""
    gated, plain = Run(scene, gated=True).closed(), Run(scene, gated=False).closed()
    late = LENGTH_S - NEEDS.deadline_s + 1000
    assert [rule for rule, at in gated if at < late] == [rule for rule, at in plain if at < late]
    for (_, one), (_, other) in zip(gated, plain, strict=False):
        assert abs(one - other) <= NEEDS.deadline_s


@SCENES
@given(scenes(contrast=invisible, seen=st.just(1.0)))
def test_what_nobody_can_see_come_opens_within_the_deadline(scene: Scene) -> None:
    """Nothing opens besides; what stands for the deadline longer than its rule asks opens."""
    gated, plain = Run(scene, gated=True).opened(), Run(scene, gated=False).opened()
    for rule, at in gated:
        assert any(rule == name and 0 <= at - since <= NEEDS.deadline_s for name, since in plain)
    sure = [
        thing
        for thing in scene.things
        for rule in (PHONE, PAPER)
        if thing.class_name in rule.classes
        and min(thing.end, LENGTH_S) - thing.begin > rule.dwell_s + NEEDS.deadline_s + 2 * LOOK_S
    ]
    assert len(sure) <= len(gated) <= len(plain)


@SEARCH
@given(scenes(contrast=visible, seen=st.floats(0.4, 0.75)))
def test_what_flickers_opens_as_often(scene: Scene) -> None:
    gated, plain = Run(scene, gated=True), Run(scene, gated=False)
    assert len(gated.opened()) == len(plain.opened())


def test_a_still_desk_with_things_on_it_is_looked_at_by_the_deadline() -> None:
    phone = Thing("phone", PLACES[0], 0, 100, score=0.9)
    mug = Thing("cup", PLACES[1], 0, 100, score=0.9)
    run = Run(Scene([phone, mug], {0: 40, 1: 40}, noise=0.6, seed=4), gated=True)
    assert len(run.opened()) == 1
    assert run.looks < 0.25 * run.frames


def test_a_repeated_sighting_is_no_look() -> None:
    """One mistake of the detector in a still scene never opens anything, however still it is."""
    blip = Thing("phone", PLACES[0], 10.0, 10.1, score=0.95)
    run = Run(Scene([blip], {0: 0.0}, noise=0.3, seed=5), gated=True)
    assert run.opened() == []
