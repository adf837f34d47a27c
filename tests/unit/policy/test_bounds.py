"""Memory and time of a step stay bounded, whatever is seen and for however long."""

import pickle
from random import Random

from cleandesk.contract.messages import Phase
from cleandesk.policy import Change
from cleandesk.policy.watch import MAX_INCIDENTS
from tests.unit.policy.traces import (
    PEOPLE_RULE,
    PHONE_RULE,
    SCREEN_RULE,
    SHEET_RULE,
    Found,
    Wall,
    frame,
    lives,
    policy,
)

RULES = (PHONE_RULE, SHEET_RULE, PEOPLE_RULE, SCREEN_RULE)
DAYS = 30
LOOK_S = 300.0


def crowd(random: Random, lasting: list[Found]) -> list[Found]:
    """Return up to forty things: some that last for hours, the others anywhere, once."""
    if random.random() < 0.2:
        lasting.append(anything(random))
    if len(lasting) > 25 or (lasting and random.random() < 0.1):
        lasting.pop(random.randrange(len(lasting)))
    seen = [found for found in lasting if random.random() < 0.8]
    return seen + [anything(random) for _ in range(random.randrange(15))]


def anything(random: Random) -> Found:
    name = random.choice(("phone", "paper", "notebook", "person", "cup"))
    x, y, w, h = (
        random.uniform(low, high) for low, high in ((0, 0.9), (0, 0.9), (0.02, 0.3), (0.02, 0.3))
    )
    return name, random.uniform(0.1, 1.0), (x, y, min(x + w, 1.0), min(y + h, 1.0))


def test_a_month_of_clutter_leaves_memory_flat() -> None:
    """Sizes are those of the whole policy, and of the state that is saved."""
    random, wall, subject = Random(7), Wall(), policy(*RULES, look_s=LOOK_S)
    empty = len(pickle.dumps(subject))
    sizes: list[int] = []
    changes: list[Change] = []
    lasting: list[Found] = []
    for look in range(int(DAYS * 86_400 / LOOK_S)):
        changes += subject.step(frame(*crowd(random, lasting)), wall.at(look * LOOK_S))
        assert len(subject.progress()) <= MAX_INCIDENTS * len(RULES)
        if look % 288 == 287:
            sizes.append(len(pickle.dumps(subject)) - empty)
            assert len(subject.snapshot().model_dump_json()) < 100_000
    assert len(sizes) == DAYS
    assert max(sizes[10:]) < 1.5 * max(sizes[:10])
    assert max(sizes) < 200_000
    assert len([c for c in changes if c.phase is Phase.OPEN]) > 300
    lives(changes)


def test_a_desk_full_of_phones_opens_no_more_than_the_bound() -> None:
    phones: list[Found] = [
        ("phone", 0.9, (x / 11, 0.42 + y / 20, x / 11 + 0.05, 0.42 + y / 20 + 0.03))
        for x in range(10)
        for y in range(10)
    ]
    subject, wall = policy(PHONE_RULE), Wall()
    changes = [c for i in range(100) for c in subject.step(frame(*phones), wall.at(i / 5))]
    assert len(changes) == MAX_INCIDENTS == subject.open_count


def test_blips_make_room_for_what_stays() -> None:
    random, wall, subject = Random(3), Wall(), policy(PHONE_RULE)
    stays: Found = ("phone", 0.7, (0.45, 0.6, 0.53, 0.72))
    changes: list[Change] = []
    for look in range(150):
        blips: list[Found] = []
        for _ in range(30):
            x, y = random.uniform(0, 0.4), random.uniform(0.4, 0.97)
            blips.append(("phone", 0.9, (x, y, x + 0.01, y + 0.01)))
        changes += subject.step(frame(*blips, *([stays] if look > 50 else [])), wall.at(look / 5))
    assert len([c for c in changes if c.place[0] > 0.44]) == 1
