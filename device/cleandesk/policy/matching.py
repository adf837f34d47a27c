"""Which sighting belongs to which incident: by class and place, never by a tracker's id."""

from collections.abc import Sequence

from cleandesk.policy.geometry import centre, diagonals_apart, iou_and_containment
from cleandesk.policy.incident import Incident
from cleandesk.policy.sightings import Sighting

#: Least overlap of one thing's boxes in two looks: as IoU, or as share of the smaller box, for a
#: box around a part of it only. Two phones side by side stay below.
SAME_IOU, SAME_CONTAINMENT = 0.2, 0.6
#: The same across two classes of one rule, where the detector may take one for the other.
ACROSS_IOU = 0.4
#: An open incident goes before a candidate that fits about as well.
OPEN_FIRST = 0.2
#: A thing that lies may be slid so far, in its diagonals, and stay the same incident.
SLIDE_DIAGONALS = 2.0


def pair(
    incidents: Sequence[Incident], found: Sequence[Sighting], at: float, aspect: float
) -> dict[int, int]:
    """Pair sightings with incidents, best fit first; each is used once.

    Args:
        incidents: Of one rule.
        found: The rule's sightings in one look.
        at: The look's monotonic time, seconds.
        aspect: The picture's width over its height.

    Returns:
        Position of the sighting by position of its incident.
    """
    fits: list[tuple[float, int, int]] = []
    for i, incident in enumerate(incidents):
        x1, y1, x2, y2 = incident.place
        for j, sighting in enumerate(found):
            left, top, right, low = sighting.place
            if not incident.gait.roams and (left >= x2 or right <= x1 or top >= y2 or low <= y1):
                continue  # most pairs end here, which keeps a step of a full desk short
            fit = _fit(incident, sighting, at, aspect)
            if fit > 0:
                fits.append((fit + (OPEN_FIRST if incident.opened else 0), i, j))
    fits.sort(reverse=True)
    pairs: dict[int, int] = {}
    used: set[int] = set()
    for _, i, j in fits:
        if i not in pairs and j not in used:
            pairs[i] = j
            used.add(j)
    return pairs


def _fit(incident: Incident, sighting: Sighting, at: float, aspect: float) -> float:
    """Return how well a sighting fits an incident, 0 if it cannot be the same thing."""
    gait = incident.gait
    if gait.single:
        return 1.0
    same = sighting.class_name in (incident.class_name, incident.last_class)
    iou, containment = iou_and_containment(incident.place, sighting.place)
    if not same:
        return iou if iou >= ACROSS_IOU else 0.0
    if iou >= SAME_IOU or containment >= SAME_CONTAINMENT:
        return max(iou, containment / 2)
    if not gait.roams:
        return 0.0
    reach = min(gait.reach, gait.reach / 4 + gait.pace * max(at - incident.last, 0.0))
    apart = diagonals_apart(incident.place, sighting.place, aspect)
    return 0.1 * (1 - apart / reach) if apart < reach else 0.0


def origin_of(
    sighting: Sighting, unseen: Sequence[Incident], aspect: float, *, within_s: float
) -> Incident | None:
    """Return the open incident that may have been slid to where something new is seen.

    Args:
        sighting: Belongs to no incident.
        unseen: The rule's open incidents that this look did not show.
        aspect: The picture's width over its height.
        within_s: So short must its observed absence be.
    """
    near = [
        (diagonals_apart(incident.place, sighting.place, aspect), centre(incident.place), incident)
        for incident in unseen
        if sighting.class_name in (incident.class_name, incident.last_class)
        and not incident.gait.roams
        and incident.absent_s <= within_s
    ]
    best = min(near, key=lambda n: n[:2], default=None)
    return best[2] if best and best[0] <= SLIDE_DIAGONALS else None
