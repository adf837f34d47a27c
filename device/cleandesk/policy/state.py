"""What outlives the process: the open violations, as a value that the outbox keeps."""

from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from cleandesk.clock import Instant
from cleandesk.contract.messages import CloseReason, Count, Fraction, Id, Phase, Seconds, Severity
from cleandesk.policy.change import Change
from cleandesk.policy.gait import gait_of
from cleandesk.policy.incident import Incident
from cleandesk.settings import Rule

#: Between two boots, UTC may seem to have gone back by so much and still be right.
CLOCK_SLACK_S = 2.0

Mono = Annotated[float, Field(allow_inf_nan=False)]


class _Value(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Moment(_Value):
    """An `Instant`, saved."""

    mono: Mono
    utc: AwareDatetime
    synced: bool

    @classmethod
    def of(cls, at: Instant) -> Self:
        """Return the saved form."""
        return cls(mono=at.mono, utc=at.utc, synced=at.synced)

    def instant(self, shift_s: float = 0.0) -> Instant:
        """Return the moment, its monotonic time moved by some seconds."""
        return Instant(self.mono + shift_s, self.utc, self.synced)


class OpenViolation(_Value):
    """One open violation; the fields are those of `Incident` and `Change`."""

    violation_id: Id
    rule: str
    fingerprint: str = Field(description="Of the rule and its zone, when it was saved")
    class_name: str
    last_class: str
    zone: str
    severity: Severity
    place: tuple[Fraction, Fraction, Fraction, Fraction]
    score: Fraction
    first: Mono
    last: Mono
    opened: Moment
    suspended_since: Mono | None
    present_s: Seconds
    absent_s: Seconds
    covered_s: Seconds
    missed: Count

    @classmethod
    def of(cls, incident: Incident, rule: Rule, fingerprint: str) -> Self:
        """Return an open incident as a value.

        Raises:
            ValueError: It is a candidate still.
        """
        if incident.violation_id is None or incident.opened is None:
            raise ValueError(f"a candidate of rule {rule.name!r} is no violation: open it first")
        return cls(
            violation_id=incident.violation_id,
            rule=rule.name,
            fingerprint=fingerprint,
            class_name=incident.class_name,
            last_class=incident.last_class,
            zone=rule.zone,
            severity=rule.severity,
            place=incident.place,
            score=incident.score,
            first=incident.first,
            last=incident.last,
            opened=Moment.of(incident.opened),
            suspended_since=incident.suspended_since,
            present_s=incident.present_s,
            absent_s=incident.absent_s,
            covered_s=incident.covered_s,
            missed=incident.missed,
        )

    def incident(self, rule: Rule, shift_s: float) -> Incident:
        """Return the incident again, its monotonic times moved by some seconds."""
        since = self.suspended_since
        return Incident(
            place=self.place,
            class_name=self.class_name,
            last_class=self.last_class,
            score=self.score,
            first=self.first + shift_s,
            last=self.last + shift_s,
            gait=gait_of(rule, self.class_name),
            present_s=self.present_s,
            absent_s=self.absent_s,
            covered_s=self.covered_s,
            missed=self.missed,
            violation_id=self.violation_id,
            opened=self.opened.instant(shift_s),
            suspended_since=None if since is None else since + shift_s,
        )

    def change(self, phase: Phase, at: Instant, reason: CloseReason | None = None) -> Change:
        """Return what to report of it."""
        x1, y1, x2, y2 = (round(edge, 4) for edge in self.place)
        return Change(
            violation_id=self.violation_id,
            phase=phase,
            rule=self.rule,
            class_name=self.class_name,
            zone=self.zone,
            severity=self.severity,
            place=(x1, y1, x2, y2),
            score=round(self.score, 4),
            dwell_s=round(self.last - self.first, 3),
            opened=self.opened.instant(),
            at=at,
            suspended=self.suspended_since is not None,
            reason=reason,
        )


class PolicyState(_Value):
    """A policy between two looks. Candidates are not kept: they come again by themselves."""

    schema_version: Literal[1] = Field(1, alias="schema")
    boot: Id = Field(description="The power-on that `mono` belongs to")
    at: Moment | None = Field(None, description="The last look, or the last word of the camera")
    violations: tuple[OpenViolation, ...] = ()

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)

    def away_s(self, boot: str, now: Instant) -> float | None:
        """Return the seconds since this state was true; None if nobody can tell.

        Within one power-on the monotonic clock tells, across two only a wall clock that was
        trusted at both ends.
        """
        if self.at is None:
            return None
        if boot == self.boot:
            return max(now.mono - self.at.mono, 0.0)
        away = (now.utc - self.at.utc).total_seconds()
        known = self.at.synced and now.synced and away >= -CLOCK_SLACK_S
        return max(away, 0.0) if known else None

    def shift_s(self, boot: str, now: Instant) -> float:
        """Return what to add to saved monotonic times so that they fit the present boot."""
        return 0.0 if self.at is None or boot == self.boot else now.mono - self.at.mono
