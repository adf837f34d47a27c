"""What each kind of rule makes of an observation: its sightings."""

from dataclasses import dataclass

from cleandesk.policy.change import Place
from cleandesk.policy.geometry import covered, hull
from cleandesk.policy.observation import PERSON, PHONE, Observation, Thing
from cleandesk.settings import PeopleRule, PhoneAtScreenRule, PresenceRule, Rule

#: So much of a box must lie in the zone to be a sighting, and to keep a violation up.
IN_ZONE, STAYS_IN_ZONE = 0.5, 0.25
#: A phone held up may sink so far below the desk line before it counts as put down.
DESK_LINE_SLACK = 0.05


@dataclass(frozen=True, slots=True)
class Sighting:
    """One thing that a rule is about, in one look.

    Attributes:
        strong: Counts towards a violation; a weak one only keeps it up (hysteresis).
    """

    place: Place
    score: float
    class_name: str
    strong: bool


def sightings(rule: Rule, seen: Observation, zone: int) -> list[Sighting]:
    """Return what a rule sees, best first, each thing once.

    Args:
        rule: Any kind.
        seen: One look.
        zone: The rule's zone, as its position in `Thing.shares`.
    """
    match rule:
        case PresenceRule():
            return _presence(rule, seen, zone)
        case PeopleRule():
            return _people(rule, seen, zone)
        case PhoneAtScreenRule():
            return _phone_at_screen(rule, seen, zone)


def classes_of(rule: Rule) -> frozenset[str]:
    """Return the detector's classes that a rule cannot do without."""
    match rule:
        case PresenceRule():
            return frozenset(rule.classes)
        case PeopleRule():
            return frozenset((PERSON,))
        case PhoneAtScreenRule():
            return frozenset((PERSON, PHONE))


def _things(rule: Rule, seen: Observation, zone: int, classes: frozenset[str]) -> list[Thing]:
    """Return the things that may matter to a rule, of several boxes of one thing the best."""
    found: list[Thing] = []
    taken: set[int] = set()
    for position, thing in enumerate(seen.things):
        if (
            thing.score >= rule.hold(thing.threshold)
            and thing.class_name in classes
            and thing.shares[zone] >= STAYS_IN_ZONE
            and taken.isdisjoint(thing.twins)
        ):
            taken.add(position)
            found.append(thing)
    return found


def _strong(rule: Rule, thing: Thing, zone: int) -> bool:
    return thing.score >= rule.least(thing.threshold) and thing.shares[zone] >= IN_ZONE


def _presence(rule: PresenceRule, seen: Observation, zone: int) -> list[Sighting]:
    return [
        Sighting(thing.place, thing.score, thing.class_name, _strong(rule, thing, zone))
        for thing in _things(rule, seen, zone, classes_of(rule))
    ]


def _people(rule: PeopleRule, seen: Observation, zone: int) -> list[Sighting]:
    """One sighting for all of them: its score is that of the last person needed."""
    people = _things(rule, seen, zone, frozenset((PERSON,)))
    sure = [person for person in people if _strong(rule, person, zone)]
    strong = len(sure) > rule.more_than
    counted = sure if strong else people
    if len(counted) <= rule.more_than:
        return []
    place = hull([person.place for person in counted])
    return [Sighting(place, counted[rule.more_than].score, PERSON, strong)]


def _phone_at_screen(rule: PhoneAtScreenRule, seen: Observation, zone: int) -> list[Sighting]:
    found: list[Sighting] = []
    for phone in _things(rule, seen, zone, frozenset((PHONE,))):
        height = (phone.place[1] + phone.place[3]) / 2
        on_person = max((covered(phone.place, by) for by in seen.persons), default=0.0)
        if on_person < rule.overlap / 2 or height >= rule.desk_line + DESK_LINE_SLACK:
            continue
        strong = (
            _strong(rule, phone, zone) and on_person >= rule.overlap and height < rule.desk_line
        )
        found.append(Sighting(phone.place, phone.score, PHONE, strong))
    return found
