"""What a look saw, for people: class, score and place of each thing, and what a site is told."""

from collections.abc import Callable, Sequence

from cleandesk.detector import Detections
from cleandesk.policy.change import Place
from cleandesk.policy.observation import PERSON
from cleandesk.policy.sightings import classes_of
from cleandesk.settings import Rule

_DIGITS = 4


class Sight:
    """Knows from which score each class is believed.

    Args:
        rules: The box's.
        names: The model's classes, in its order.
        threshold_of: The score from which the model is believed about a class.
        presence: The site is told whether anybody is at the desk.
    """

    def __init__(
        self,
        rules: Sequence[Rule],
        names: tuple[str, ...],
        threshold_of: Callable[[str], float],
        *,
        presence: bool = False,
    ) -> None:
        self._names, self._threshold_of, self._presence = names, threshold_of, presence
        self.rearrange(rules)

    def rearrange(self, rules: Sequence[Rule]) -> None:
        """Believe what these rules do from now on."""
        threshold_of, presence = self._threshold_of, self._presence
        self._tells_people = presence or any(PERSON in classes_of(rule) for rule in rules)
        self._from = {
            name: min(
                (rule.least(threshold_of(name)) for rule in rules if name in classes_of(rule)),
                default=threshold_of(name) if name == PERSON else float("inf"),
            )
            for name in self._names
        }

    def all(self, found: Detections) -> list[tuple[str, float, Place, bool]]:
        """Return class, score, place as fractions, and whether it is believed; best first."""
        width, height = found.size
        return [
            (name, score, _place(box, width, height), score >= self._from[name])
            for name, score, box in found
        ]

    def told(self, found: Detections) -> list[tuple[str, float, Place]]:
        """Return those that are believed, and people only where the site is told of them anyway."""
        return [
            (name, score, place)
            for name, score, place, sure in self.all(found)
            if sure and (name != PERSON or self._tells_people)
        ]


def _place(box: Place, width: int, height: int) -> Place:
    x1, y1, x2, y2 = box
    return (_share(x1, width), _share(y1, height), _share(x2, width), _share(y2, height))


def _share(edge: float, whole: int) -> float:
    return round(min(1.0, max(0.0, edge / whole)), _DIGITS)
