"""What is sensed, sent and kept, worked out from the running configuration: facts, no words.

Each fact names a text of `texts/<language>.yaml` and what fills its placeholders; the command
`cleandesk privacy` and the worker's page put them into words from the same files.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import cv2
import numpy as np

from cleandesk.policy.observation import PERSON
from cleandesk.policy.sightings import classes_of
from cleandesk.settings import (
    BoxSettings,
    Hours,
    PeopleRule,
    PhoneAtScreenRule,
    PresenceRule,
    Rule,
    Zone,
)
from cleandesk.worker.protocol import Fact, Statement

#: How long a subscriber keeps pictures where the site says nothing else.
STILL_HOURS = 72


@dataclass(frozen=True, slots=True)
class Choices:
    """What a site may turn on.

    Attributes:
        break_minutes: Its limit on a break's length; None is no limit.
        breaks_a_day: Its limit on their count.
        idle: It asks for the idle marker.
        spot_checks: It may ask for spot checks.
        still_delay_s: Pictures of violations are sent, so long after; None: they are not.
    """

    break_minutes: float | None = None
    breaks_a_day: int | None = None
    idle: bool = False
    spot_checks: bool = False
    still_delay_s: float | None = None

    @classmethod
    def of(cls, settings: BoxSettings) -> Self:
        """Return what a configuration turns on."""
        limits = settings.breaks
        return cls(
            break_minutes=None if limits.length_s is None else limits.length_s / 60,
            breaks_a_day=limits.count_per_day,
            idle=settings.idle.enabled,
            spot_checks=settings.spot_checks.enabled,
            still_delay_s=settings.stills.delay_s if settings.stills.enabled else None,
        )


def statement(settings: BoxSettings, choices: Choices) -> Statement:
    """Return the statement of a configuration."""
    sections = {
        "sensed": _sensed(settings, choices),
        "sent": _sent(settings, choices),
        "kept": _kept(settings, choices),
        "breaks": _breaks(choices),
        "never": (_fact(f"never.{one}") for one in ("sound", "recording", "pyav", "ffmpeg")),
    }
    return Statement(
        sections={f"privacy.{name}.title": list(facts) for name, facts in sections.items()}
    )


def _fact(text: str, **values: object) -> Fact:
    return Fact(text=f"privacy.{text}", values={key: _shown(one) for key, one in values.items()})


def _shown(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _sensed(settings: BoxSettings, choices: Choices) -> Iterator[Fact]:
    camera = settings.camera
    yield _fact(
        "sensed.camera", looks=settings.looks_per_s, width=camera.width, height=camera.height
    )
    if settings.area is None:
        yield _fact("sensed.area_all")
    else:
        yield _fact("sensed.area_part", share=round(100 * _share(settings.area)))
    # People are looked for whatever the rules say: they may hide what lies behind them.
    classes = {PERSON}.union(*map(classes_of, settings.rules))
    yield _fact("sensed.classes", classes=", ".join(sorted(classes)))
    for rule in settings.rules:
        yield _rule(rule)
        if rule.schedule is not None:
            hours = "; ".join(_hours(one) for one in rule.schedule.hours)
            zone = rule.schedule.timezone
            yield _fact("sensed.hours", name=rule.name, hours=hours, timezone=zone)
    yield _fact("sensed.people")
    worker = settings.worker
    if worker.zone is None:
        yield _fact("sensed.absent_off")
    else:
        yield _fact("sensed.absent", zone=worker.zone, after_s=worker.absent_after_s)
    yield _fact("sensed.idle_on" if choices.idle else "sensed.idle_off")
    if choices.spot_checks:
        yield _fact("sensed.spot_checks")
    yield _fact("sensed.remote")
    yield _fact("sensed.safe_mode", starts=settings.safe_mode.after_starts)


def _rule(rule: Rule) -> Fact:
    values: dict[str, object] = {
        "name": rule.name,
        "severity": rule.severity,
        "zone": rule.zone,
        "dwell_s": rule.dwell_s,
    }
    match rule:
        case PresenceRule():
            return _fact("sensed.presence", classes=", ".join(rule.classes), **values)
        case PeopleRule():
            return _fact("sensed.people_rule", count=rule.more_than, **values)
        case PhoneAtScreenRule():
            return _fact("sensed.phone_at_screen", **values)


def _hours(hours: Hours) -> str:
    return f"{', '.join(hours.days)} {hours.start:%H:%M}-{hours.end:%H:%M}"


def _share(area: Zone) -> float:
    return float(cv2.contourArea(np.array(area.polygon, np.float32)))


def _sent(settings: BoxSettings, choices: Choices) -> Iterator[Fact]:
    broker = settings.broker
    how = "sent.encrypted" if broker.tls else "sent.plain"
    yield _fact(how, host=broker.host, port=broker.port)
    yield _fact("sent.entered")
    for channel in ("violation", "active", "privacy", "appeal", "answers"):
        yield _fact(f"sent.{channel}")
    if choices.idle:
        yield _fact("sent.idle")
    if choices.still_delay_s is None:
        yield _fact("sent.stills_off")
    else:
        yield _fact("sent.stills_on", delay_s=choices.still_delay_s)
        sealed = settings.stills.encrypt_to is not None
        yield _fact("sent.stills_sealed" if sealed else "sent.stills_open")
    if settings.page.enabled:
        yield _fact("sent.aiming")
    yield _fact("sent.box")


def _kept(settings: BoxSettings, choices: Choices) -> Iterator[Fact]:
    ledger = settings.ledger
    stills = choices.still_delay_s is not None
    yield _fact("kept.pictures_but_stills" if stills else "kept.pictures")
    yield _fact("kept.ledger", days=ledger.keep_days, mb=ledger.max_mb)
    yield _fact("kept.outbox", events=settings.outbox.max_events)
    yield _fact("kept.aim")
    yield _fact("kept.site")
    if choices.idle:
        yield _fact("kept.site_idle")
    if stills:
        yield _fact("kept.stills", hours=STILL_HOURS)


def _breaks(choices: Choices) -> Iterator[Fact]:
    yield _fact("breaks.take")
    if choices.break_minutes is None and choices.breaks_a_day is None:
        yield _fact("breaks.no_limits")
    if choices.break_minutes is not None:
        yield _fact("breaks.length", minutes=choices.break_minutes)
    if choices.breaks_a_day is not None:
        yield _fact("breaks.count", count=choices.breaks_a_day)
