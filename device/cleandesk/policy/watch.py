"""One rule at work: its incidents, its hours, and what changes with each look."""

from collections.abc import Callable, Iterator
from hashlib import sha256

from cleandesk.clock import Instant
from cleandesk.contract.messages import CloseReason, Phase
from cleandesk.policy.change import Change, Progress
from cleandesk.policy.gait import gait_of
from cleandesk.policy.geometry import covered
from cleandesk.policy.incident import Incident
from cleandesk.policy.matching import origin_of, pair
from cleandesk.policy.observation import Observation
from cleandesk.policy.sightings import Sighting, sightings
from cleandesk.policy.state import OpenViolation
from cleandesk.settings import Rule, Zone

#: Of one rule, open and candidates together; bounds memory and the time of a step.
MAX_INCIDENTS = 32
#: What was slid along the desk is found again within so much of the time that clears it.
SLIDE_SHARE = 0.5
#: A person hides a place if so much of it lies under the person's box.
HIDDEN_SHARE = 0.5
#: Suspended for longer, a violation can no longer be vouched for.
SUSPENDED_AT_MOST_S = 24 * 3600.0


class RuleWatch:
    """Keeps the incidents of one rule.

    Attributes:
        zone_index: The zone's place among those of the observations.
    """

    def __init__(
        self, rule: Rule, zone: Zone, *, zone_index: int, new_id: Callable[[], str]
    ) -> None:
        self.rule = rule
        self.fingerprint = sha256(
            f"{rule.model_dump_json(exclude_defaults=True)}{zone.model_dump_json()}".encode()
        ).hexdigest()
        self.zone_index = zone_index
        self._new_id = new_id
        self._open: list[Incident] = []
        self._candidates: list[Incident] = []
        self.sighted = 0

    @property
    def open_count(self) -> int:
        """How many violations of this rule are open."""
        return len(self._open)

    @property
    def unsettled(self) -> bool:
        """Whether there are candidates, or something open was not seen in the last look."""
        return bool(self._candidates) or any(
            incident.missed or incident.covered_s or incident.suspended_since is not None
            for incident in self._open
        )

    def attend(self, at: Instant, *, camera: bool) -> tuple[bool, list[Change]]:
        """Suspend, resume or end what is open, as hours, clock and camera demand.

        Returns:
            Whether the rule looks now, and what changed.
        """
        schedule = self.rule.schedule
        if schedule and at.synced and not schedule.covers(at.utc):
            return False, self.close_all(CloseReason.OFF, at)
        blind = not camera or (schedule is not None and not at.synced)
        if blind:
            self._candidates.clear()
        return not blind, list(self._judge(blind=blind, at=at))

    def _judge(self, *, blind: bool, at: Instant) -> Iterator[Change]:
        for incident in list(self._open):
            since = incident.suspended_since
            if since is not None and at.mono - since > SUSPENDED_AT_MOST_S:
                yield self._close(incident, CloseReason.EXPIRED, at)
            elif blind and since is None:
                incident.suspended_since = at.mono
                yield self._change(incident, Phase.UPDATE, at)
            elif not blind and since is not None:
                incident.suspended_since = None
                yield self._change(incident, Phase.UPDATE, at)

    def look(self, seen: Observation, at: Instant, elapsed_s: float) -> list[Change]:
        """Take one look.

        Args:
            seen: What the frame shows.
            at: When it was taken.
            elapsed_s: Time since the last look that may count as observed.
        """
        found = sightings(self.rule, seen, self.zone_index)
        self.sighted = len(found)
        incidents = [*self._open, *self._candidates]
        pairs = pair(incidents, found, at.mono, seen.aspect) if incidents and found else {}
        unseen: list[Incident] = []
        for i, incident in enumerate(incidents):
            if i in pairs:
                incident.sight(found[pairs[i]], self.rule, at.mono, elapsed_s)
            else:
                incident.miss(self.rule, elapsed_s, covered=_hidden(incident, seen))
                unseen.append(incident)
        used = set(pairs.values())
        fresh = [s for j, s in enumerate(found) if s.strong and j not in used]
        self._candidates = [c for c in self._candidates if not c.forgotten(self.rule)]
        for sighting in fresh:
            self._begin(sighting, [i for i in unseen if i.opened], at.mono, seen.aspect)
        return [*self._ripen(at), *self._end(at)]

    def _begin(self, sighting: Sighting, unseen: list[Incident], at: float, aspect: float) -> None:
        """Start a candidate; where there is no room, in place of the one unseen for longest."""
        if len(self._open) + len(self._candidates) >= MAX_INCIDENTS:
            oldest = max(self._candidates, key=lambda c: c.missed, default=None)
            if oldest is None or not oldest.missed:
                return
            self._candidates.remove(oldest)
        candidate = Incident.begin(sighting, at, gait_of(self.rule, sighting.class_name))
        candidate.origin = origin_of(
            sighting, unseen, aspect, within_s=SLIDE_SHARE * self.rule.clear_after_s
        )
        self._candidates.append(candidate)

    def _ripen(self, at: Instant) -> Iterator[Change]:
        """Open what has been there for long enough, or find that it only moved."""
        for candidate in [c for c in self._candidates if c.ripe(self.rule)]:
            self._candidates.remove(candidate)
            origin = candidate.moved_from()
            if origin is not None and origin in self._open:
                origin.take_over(candidate)
                continue
            candidate.open(self._new_id(), at)
            self._open.append(candidate)
            yield self._change(candidate, Phase.OPEN, at)

    def _end(self, at: Instant) -> Iterator[Change]:
        """Close what was seen to be gone, unless it may be what turned up beside it."""
        moving = [candidate.moved_from() for candidate in self._candidates]
        for incident in [i for i in self._open if i.gone(self.rule)]:
            if incident not in moving:
                yield self._close(incident, CloseReason.CLEARED, at)

    def close_all(self, reason: CloseReason, at: Instant) -> list[Change]:
        """End everything and forget all candidates."""
        self._candidates.clear()
        return [self._close(incident, reason, at) for incident in list(self._open)]

    def _close(self, incident: Incident, reason: CloseReason, at: Instant) -> Change:
        self._open.remove(incident)
        return self._change(incident, Phase.CLOSE, at, reason)

    def _change(
        self, incident: Incident, phase: Phase, at: Instant, reason: CloseReason | None = None
    ) -> Change:
        return self._saved(incident).change(phase, at, reason)

    def _saved(self, incident: Incident) -> OpenViolation:
        return OpenViolation.of(incident, self.rule, self.fingerprint)

    def saved(self) -> list[OpenViolation]:
        """Return what is open, as a value."""
        return [self._saved(incident) for incident in self._open]

    def adopt(self, saved: OpenViolation, *, shift_s: float) -> None:
        """Go on with a violation of an earlier process, its times moved onto this boot's clock."""
        self._open.append(saved.incident(self.rule, shift_s))

    def progress(self) -> Iterator[Progress]:
        """Yield all that is open or on the way."""
        for incident in [*self._open, *self._candidates]:
            yield Progress(
                rule=self.rule.name,
                zone=self.rule.zone,
                class_name=incident.class_name,
                place=incident.place,
                present_s=incident.present_s,
                dwell_s=self.rule.dwell_s,
                open=incident.opened is not None,
                suspended=incident.suspended_since is not None,
                violation_id=incident.violation_id,
            )


def _hidden(incident: Incident, seen: Observation) -> bool:
    """Say whether a person stands before a thing that lies; who roams has left instead."""
    return not incident.gait.roams and any(
        covered(incident.place, person) >= HIDDEN_SHARE for person in seen.persons
    )
