"""The box's settings: what a configuration file may say, and what each key means."""

import re
from collections.abc import Iterator
from datetime import datetime, time
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime, BeforeValidator, Field, model_validator

from cleandesk.config_words import choices
from cleandesk.contract.connection import BrokerSettings
from cleandesk.contract.messages import Fraction, Severity
from cleandesk.contract.topics import MAX_COMMON_NAME
from cleandesk.problems import Location, Misfit
from cleandesk.settings_base import Duration, Name, Point, Positive, Settings, TimeZone
from cleandesk.settings_worker import (
    BreakSettings,
    GpioSettings,
    IdleSettings,
    PageSettings,
    SafeModeSettings,
    SpotCheckSettings,
    WorkerSettings,
)

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

_CLOCK_FACE = re.compile(r"[0-2][0-9]:[0-5][0-9](:[0-5][0-9])?")


def _clock_face(value: object) -> object:
    """Refuse what YAML makes of a bare 17:30 (1050), and a zone beside the schedule's own."""
    if isinstance(value, time):
        face = value.tzinfo is None
    else:
        face = isinstance(value, str) and _CLOCK_FACE.fullmatch(value) is not None
    if not face:
        raise ValueError(f'{value!r} is no time of day; write it like "08:30", in quotes')
    return value


TimeOfDay = Annotated[time, BeforeValidator(_clock_face)]


class CameraSettings(Settings):
    """Where pictures come from."""

    source: str = Field(
        "picamera2",
        min_length=1,
        description="picamera2, /dev/videoN, rtsp://…, http(s)://…, a video file or a folder",
    )
    width: int = Field(1280, ge=160, le=4096, description="Wanted picture width, pixels")
    height: int = Field(720, ge=120, le=3072, description="Wanted picture height, pixels")
    realtime: bool = Field(True, description="Pace recordings by their own time")
    repeat: bool = Field(False, description="Begin a recording again at its end")
    starts_at: AwareDatetime | None = Field(
        None, description="Of a recording: the moment of its first frame; default is now"
    )
    picture_s: Positive = Field(
        0.2, description="In a folder: seconds from one picture to the next"
    )
    timeout_s: Positive = Field(5, description="No frame for so long: the camera is stalled")
    black_after_s: Positive = Field(5, description="Dark pictures for so long: a fault")
    frozen_after_s: Positive | None = Field(
        None,
        description="Identical frames for so long: a fault; default is 30 for cameras and streams, "
        "never for recordings",
    )


class DetectorSettings(Settings):
    """Which model looks, and how."""

    manifest: Path | None = Field(
        None, description="The model's manifest; default: the one that came with the software"
    )
    threads: int | None = Field(None, ge=1, le=16, description="Default: all cores but one")
    precision: Literal["auto", "fp32", "int8"] = Field(
        "auto", description="Numbers the model is run in; auto: those that this CPU is faster with"
    )
    min_score: Fraction | None = Field(
        None, description="Weaker detections are dropped at once; default: what the rules need"
    )


class Zone(Settings):
    """A part of the picture."""

    polygon: Annotated[list[Point], Field(min_length=3, max_length=32)] = Field(
        description="Corners [x, y] as fractions of the picture, in order"
    )


class Hours(Settings):
    """From one time of day to another; past midnight when `until` is not later."""

    days: Annotated[list[Day], Field(min_length=1)] = Field(
        description="mon, tue, wed, thu, fri, sat, sun"
    )
    start: TimeOfDay = Field(alias="from", description="HH:MM in the schedule's time zone")
    end: TimeOfDay = Field(alias="until", description="HH:MM; up to here, not including it")


class Schedule(Settings):
    """When a rule applies. Without a trusted clock it does not."""

    timezone: TimeZone = Field(description="Of the hours, such as Europe/Berlin")
    hours: Annotated[list[Hours], Field(min_length=1, max_length=21)] = Field(
        description="When the rule applies; spans may overlap"
    )

    def covers(self, utc: datetime) -> bool:
        """Say whether a moment lies within these hours."""
        local = utc.astimezone(ZoneInfo(self.timezone))
        days: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
        today, yesterday = days[local.weekday()], days[local.weekday() - 1]
        now = local.time()
        return any(_covers(hours, today, yesterday, now) for hours in self.hours)


def _covers(hours: Hours, today: Day, yesterday: Day, now: time) -> bool:
    if hours.start < hours.end:
        return today in hours.days and hours.start <= now < hours.end
    return (today in hours.days and now >= hours.start) or (
        yesterday in hours.days and now < hours.end
    )


#: What is this many times weaker than a sighting still keeps a violation up.
HOLD_SHARE = 2.5


class _RuleBase(Settings):
    name: Name = Field(description="Stands in every event")
    zone: Name = Field(description="One of `zones`")
    severity: Severity = Field(Severity.MEDIUM, description="low, medium or high")
    min_score: Fraction | None = Field(
        None, gt=0, description="What counts as a sighting; default: the model's word, by class"
    )
    hold_score: Fraction | None = Field(
        None,
        description="What keeps a violation up once it stands; default: 2.5 times less",
    )
    hits: int = Field(3, ge=1, le=60, description="Sightings needed …")
    of: int = Field(5, ge=1, le=60, description="… among so many looks")
    dwell_s: Duration = Field(5, description="It must have been there for so long")
    clear_after_s: Duration = Field(10, ge=1, description="Seen clean for so long: it closes")
    grace_s: Duration = Field(
        60, description="It outlives a restart, or a person standing in front, of so long"
    )
    schedule: Schedule | None = Field(None, description="When the rule applies; default: always")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        misfits: list[tuple[Location, str, str]] = []
        if self.hits > self.of:
            reason = f"{self.hits} sightings among {self.of} looks can never be"
            misfits.append((("hits",), reason, "lower 'hits' or raise 'of'"))
        if self.hold_score is not None and self.hold_score > (self.min_score or 1.0):
            reason = f"{self.hold_score} is above min_score {self.min_score}"
            misfits.append((("hold_score",), reason, "lower it"))
        if misfits:
            raise Misfit(*misfits)
        return self

    def least(self, threshold: float) -> float:
        """Return the score of a sighting of a class that the model has this threshold for."""
        return threshold if self.min_score is None else self.min_score

    def hold(self, threshold: float) -> float:
        """Return the score that keeps a standing violation up, of such a class."""
        least = self.least(threshold)
        return least / HOLD_SHARE if self.hold_score is None else min(self.hold_score, least)


class PresenceRule(_RuleBase):
    """An object that must not lie in a zone: each one that does is one violation."""

    kind: Literal["presence"] = Field("presence", description="What kind of rule this is")
    classes: Annotated[list[str], Field(min_length=1)] = Field(
        description="Classes of the model that must not lie there"
    )


class PeopleRule(_RuleBase):
    """More than so many people in a zone. They are counted, never recognised."""

    kind: Literal["people"] = Field(description="What kind of rule this is")
    more_than: int = Field(1, ge=0, le=20, description="So many people are allowed")


class PhoneAtScreenRule(_RuleBase):
    """A phone held up at the screen: it overlaps a person, above the desk line."""

    kind: Literal["phone_at_screen"] = Field(description="What kind of rule this is")
    desk_line: Fraction = Field(0.6, description="Height of the desk's far edge, 0 is the top")
    overlap: Fraction = Field(0.3, description="So much of the phone's box lies on the person's")


Rule = Annotated[PresenceRule | PeopleRule | PhoneAtScreenRule, Field(discriminator="kind")]


class OutboxSettings(Settings):
    """Where events wait for the subscriber's word."""

    path: Path = Field(Path("outbox.db"), description="SQLite file; relative to this file")
    max_events: int = Field(
        100_000, ge=10, le=10_000_000, description="Events kept; the oldest go first"
    )
    max_mb: Positive = Field(64, description="Payload bytes kept; the oldest go first")


class LedgerSettings(Settings):
    """How long the ledger of messages about the worker is kept. It lies in the outbox's file."""

    keep_days: int = Field(
        92, ge=1, le=400, description="Entries kept for so long; what waits to be sent stays longer"
    )
    max_mb: Positive = Field(64, description="And so much of them; the oldest go first")


class StillSettings(Settings):
    """Redacted pictures of violations: the thing alone, no person, no face, nothing readable."""

    enabled: bool = Field(False, description="Whether a violation may carry a picture of the thing")
    delay_s: Duration = Field(
        60, description="Held back for so long, for the worker to object; it is in the ledger first"
    )
    margin: float = Field(
        0.5,
        ge=0,
        le=2,
        description="Shown around the thing, in coarse blocks, in lengths of its longer side",
    )
    longest_side: int = Field(
        320, ge=64, le=1280, description="Pixels; fewer make less readable what a sheet says"
    )
    person_score: Fraction = Field(
        0.01,
        gt=0,
        description="What may be a person from this score on is filled; lower hides more. Ten "
        "times lower while somebody seems to be about",
    )
    encrypt_to: Path | None = Field(
        None,
        description="The site's certificate, PEM, RSA: only its key opens the pictures; default: "
        "not encrypted",
    )


class BoxSettings(Settings):
    """A whole configuration file."""

    schema_version: Literal[1] = Field(1, alias="schema", description="Version of this file's form")
    site: Name = Field(description="Who runs the box")
    box: Name = Field(description="This box; with the site it is the certificate's common name")
    camera: CameraSettings = Field(
        default_factory=CameraSettings, description="Where pictures come from"
    )
    looks_per_s: float = Field(5, gt=0, le=60, description="How often the desk is looked at")
    gate: Literal["on", "off"] = Field(
        "on", description="Look less often while nothing changes, as far as the rules allow"
    )
    area: Zone | None = Field(
        None, description="Pixels outside are blanked before anything looks at them; default: none"
    )
    detector: DetectorSettings = Field(
        default_factory=DetectorSettings, description="Which model looks, and how"
    )
    zones: Annotated[dict[Name, Zone], Field(min_length=1, max_length=32)] = Field(
        description="Named parts of the picture, for the rules"
    )
    rules: Annotated[list[Rule], Field(min_length=1, max_length=64)] = Field(
        description="What must not be seen, where, and for how long"
    )
    broker: BrokerSettings = Field(description="How to reach the MQTT broker")
    outbox: OutboxSettings = Field(
        default_factory=OutboxSettings, description="Where events wait for the subscriber's word"
    )
    ledger: LedgerSettings = Field(
        default_factory=LedgerSettings,
        description="How long the ledger of messages about the worker is kept",
    )
    stills: StillSettings = Field(
        default_factory=StillSettings, description="Redacted pictures of violations; off by default"
    )
    health_every_s: float = Field(60, ge=1, le=3600, description="How often health is published")
    breaks: BreakSettings = Field(
        default_factory=BreakSettings, description="Limits on the worker's breaks"
    )
    worker: WorkerSettings = Field(
        default_factory=WorkerSettings, description="Whether the worker is at the desk"
    )
    idle: IdleSettings = Field(default_factory=IdleSettings, description="The idle marker")
    spot_checks: SpotCheckSettings = Field(
        default_factory=SpotCheckSettings, description="Looks that somebody asks for"
    )
    safe_mode: SafeModeSettings = Field(
        default_factory=SafeModeSettings, description="When a box that crashes stops to look"
    )
    page: PageSettings = Field(
        default_factory=PageSettings, description="The worker's page, a process of its own"
    )
    gpio: GpioSettings = Field(
        default_factory=GpioSettings, description="The worker's button and the light"
    )

    @model_validator(mode="after")
    def _names_fit(self) -> Self:
        misfits: list[tuple[Location, str, str]] = []
        if len(self.site) + 1 + len(self.box) > MAX_COMMON_NAME:
            reason = f"'{self.site}/{self.box}' is longer than {MAX_COMMON_NAME} characters"
            misfits.append((("box",), reason, "shorten site or box"))
        names: set[str] = set()
        for i, rule in enumerate(self.rules):
            if rule.name in names:
                reason = f"another rule is called '{rule.name}' too"
                misfits.append((("rules", i, "name"), reason, "give it a name of its own"))
            names.add(rule.name)
            if rule.zone not in self.zones:
                fix = choices(rule.zone, sorted(self.zones))
                misfits.append((("rules", i, "zone"), f"no zone is called '{rule.zone}'", fix))
        misfits += self._workers()
        if misfits:
            raise Misfit(*misfits)
        return self

    def _workers(self) -> Iterator[tuple[Location, str, str]]:
        zone = self.worker.zone
        if zone is not None and zone not in self.zones:
            fix = choices(zone, sorted(self.zones))
            yield ("worker", "zone"), f"no zone is called '{zone}'", fix
        if self.idle.enabled and zone is None:
            reason = "nobody can be idle who is never absent: no worker.zone is named"
            yield ("idle", "enabled"), reason, "name worker.zone, or turn it off"
        if not self.page.enabled and self.gpio.button is None:
            reason = "with neither page nor button the worker could not take a break, nor end one"
            yield ("page", "enabled"), reason, "turn it on, or name gpio.button"
