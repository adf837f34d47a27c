"""The box's settings in a measurement: its own, or a person's with another camera and broker."""

import re
from collections.abc import Collection, Mapping
from pathlib import Path

from cleandesk.bench.spec import Part, Spec
from cleandesk.bench.survey import things
from cleandesk.checks import read_settings
from cleandesk.contract.connection import BrokerSettings
from cleandesk.detector import Detector
from cleandesk.settings import (
    BoxSettings,
    CameraSettings,
    DetectorSettings,
    OutboxSettings,
    PresenceRule,
)

#: The most looks that settings allow: with a recording's own time every picture is looked at.
EVERY_PICTURE = 60.0
_WHOLE = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)]
#: What our own rules take over from given settings.
_KEPT = ("site", "box", "area", "detector", "looks_per_s")
#: As the demo has it.
_USUAL: dict[str, object] = {"dwell_s": 2.0, "clear_after_s": 3.0}
#: Each sighting completes a rule.
_QUICK: dict[str, object] = {"hits": 1, "of": 1, "dwell_s": 0.0, "clear_after_s": 1.0}
_TIMES: dict[Part, dict[str, object]] = {Part.EVENTS: _QUICK, Part.STILL: {}}


def given(config: Path | None) -> BoxSettings | None:
    """Return the settings that were named, if any.

    Raises:
        ConfigError: With all that is wrong with them.
    """
    return read_settings(config) if config else None


def load(settings: BoxSettings | None, *, threads: int) -> Detector:
    """Load the model that is measured.

    Raises:
        ModelError: If it cannot be used.
    """
    wanted = settings.detector if settings else DetectorSettings()
    return Detector.load(wanted.manifest, threads=threads, precision=wanted.precision)


def own(classes: Collection[str], times: Mapping[str, object] = _USUAL) -> BoxSettings:
    """Return settings that forbid on the desk what the model knows of such things.

    Args:
        classes: The model's.
        times: Of each rule; what is not given is as in a box's settings.
    """
    rules = [
        {
            "name": f"no-{re.sub('[^a-z0-9]+', '-', name)}",
            "kind": "presence",
            "classes": [name],
            "zone": "desk",
        }
        | dict(times)
        for name in things(classes)
    ]
    return BoxSettings.model_validate(
        {
            "site": "bench",
            "box": "box-1",
            "zones": {"desk": {"polygon": _WHOLE}},
            "rules": rules,
            "broker": {"host": "localhost"},
        }
    )


def settings_for(spec: Spec, classes: Collection[str]) -> BoxSettings:
    """Return the settings of one part's box.

    Events and still scenes are measured with rules of our own, whatever the given settings say:
    for the first each sighting completes a rule; for the second all that lies there is told, by
    rules with the default times, as the gate may leave out what those allow.
    """
    settings = own(classes, _TIMES.get(spec.part, _USUAL))
    named = given(spec.config)
    if named is not None:
        kept = {name: getattr(named, name) for name in _KEPT}
        ours = spec.part in (Part.EVENTS, Part.STILL)
        settings = settings.model_copy(update=kept) if ours else named
    looks_per_s = settings.looks_per_s if spec.part is Part.STILL else EVERY_PICTURE
    placed_here = placed(
        settings,
        clip=spec.clip,
        folder=spec.folder,
        where=(spec.host, spec.port),
        threads=spec.threads,
        realtime=spec.pace > 0,
    )
    return placed_here.model_copy(
        update={"looks_per_s": looks_per_s, "gate": "on" if spec.part.gated else "off"}
    )


def placed(
    settings: BoxSettings,
    *,
    clip: Path,
    folder: Path,
    where: tuple[str, int],
    threads: int,
    realtime: bool,
) -> BoxSettings:
    """Return settings that look at a clip, again and again, and tell another broker.

    Args:
        settings: The rest.
        clip: What is looked at.
        folder: For the outbox.
        where: The broker's host and port.
        threads: For inference.
        realtime: Pictures come by the clip's own time; else as fast as they are looked at.
    """
    looks_per_s = settings.looks_per_s if realtime else EVERY_PICTURE
    return settings.model_copy(
        update={
            "camera": CameraSettings(source=str(clip), realtime=realtime, repeat=True),
            "broker": broker(*where),
            "outbox": OutboxSettings(path=folder / "outbox.db"),
            "detector": settings.detector.model_copy(update={"threads": threads}),
            "looks_per_s": looks_per_s,
            "health_every_s": 1.0,
        }
    )


def first_sight(settings: BoxSettings, classes: Collection[str]) -> BoxSettings:
    """Return settings whose one rule opens at the first sight of anything."""
    zone = next(iter(settings.zones))
    rule = {"name": "first-sight", "kind": "presence", "classes": list(classes), "zone": zone}
    return settings.model_copy(
        update={"rules": [PresenceRule.model_validate(rule | _QUICK)], "gate": "on"}
    )


def broker(host: str, port: int) -> BrokerSettings:
    """Return how to reach a broker without TLS, with little patience."""
    return BrokerSettings(host=host, port=port, retry_min_s=0.1, retry_max_s=1.0, ack_timeout_s=2.0)
