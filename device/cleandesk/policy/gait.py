"""How things may move from one look to the next."""

from dataclasses import dataclass

from cleandesk.policy.observation import PERSON
from cleandesk.settings import PeopleRule, PhoneAtScreenRule, Rule


@dataclass(frozen=True, slots=True)
class Gait:
    """How a thing may move between two looks.

    Attributes:
        roams: It goes about: its place follows at once and by nearness, and where it is not seen
            it has left; what lies still may be hidden instead.
        pace: Its diagonals a second.
        reach: Its diagonals at most.
        single: There is one for the rule, wherever it is.
    """

    roams: bool = False
    pace: float = 0.0
    reach: float = 0.0
    single: bool = False


LYING = Gait()
#: 1.4 m/s for a person of 1.7 m.
WALKING = Gait(roams=True, pace=1.0, reach=1.0)
#: A hand at 1 m/s for a phone of 15 cm.
HELD = Gait(roams=True, pace=7.0, reach=3.0)
COUNTED = Gait(roams=True, single=True)


def gait_of(rule: Rule, class_name: str) -> Gait:
    """Return how what a rule is about may move."""
    if isinstance(rule, PeopleRule):
        return COUNTED
    if isinstance(rule, PhoneAtScreenRule):
        return HELD
    return WALKING if class_name == PERSON else LYING
