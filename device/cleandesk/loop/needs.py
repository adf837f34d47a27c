"""How often the rules need a look: what neither the gate nor the governor goes below. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from cleandesk.policy.incident import PATIENCE_LOOKS
from cleandesk.policy.policy import COUNTED_LOOKS, COUNTED_S
from cleandesk.settings import Rule

#: Of the shortest time of any rule, so much may pass unseen in a still scene.
SHARE = 0.5
#: Nothing on a desk goes unseen for longer than this, however patient the rules are.
AT_MOST_S = 2.0
#: A camera's pictures do not come exactly when they are due.
_JITTER = 1.25


@dataclass(frozen=True, slots=True)
class Needs:
    """What a set of rules needs.

    Attributes:
        deadline_s: In a still scene the next look comes within so many seconds. Less than the
            planned interval: each frame that is due is looked at.
        least_looks_per_s: A hot box may not look more rarely than this.
        settle_looks: After a change so many looks follow at the full rate: the detector finds some
            things in less than half of the looks, and a rule must see them in K of N.
    """

    deadline_s: float
    least_looks_per_s: float
    settle_looks: int


def needs_of(rules: Sequence[Rule], looks_per_s: float) -> Needs:
    """Return what rules need that were planned for so many looks a second.

    A change that the gate cannot see is looked at within half of the shortest dwell or clear time.
    However hot the box, N looks fit into a rule's dwell time and twice as many into its clear time,
    and the time between two looks is short enough to count as observed.
    """
    deadline_s = min(SHARE * min(rule.dwell_s, rule.clear_after_s) for rule in rules)
    counted_s = max(COUNTED_LOOKS / looks_per_s, COUNTED_S)
    least = max(
        _JITTER / counted_s,
        *(rule.of / rule.dwell_s if rule.dwell_s else looks_per_s for rule in rules),
        *(2 * rule.of / rule.clear_after_s for rule in rules),
    )
    return Needs(
        deadline_s=min(deadline_s, AT_MOST_S),
        least_looks_per_s=min(least, looks_per_s),
        settle_looks=max(PATIENCE_LOOKS, 2 * max(rule.of for rule in rules)),
    )
