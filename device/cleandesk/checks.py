"""A box's settings, read and checked against the model and the files that they name."""

import logging
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from cleandesk.config import ConfigError, Loaded, Problem, load_with_lines
from cleandesk.config_words import choices
from cleandesk.contract import tls
from cleandesk.contract.publication import TlsError
from cleandesk.detector import Detector, Manifest, ModelError, read_manifest
from cleandesk.evidence import EvidenceError
from cleandesk.evidence.faces import weights
from cleandesk.evidence.seal import Seal
from cleandesk.model.running import manifest_of
from cleandesk.policy.observation import PERSON, PERSON_SCORE
from cleandesk.policy.sightings import classes_of
from cleandesk.problems import Location
from cleandesk.settings import BoxSettings, PresenceRule, Zone

#: Of the picture: less is a line.
_LEAST_AREA = 1e-4

log = logging.getLogger(__name__)


def read_settings(path: Path) -> BoxSettings:
    """Read a box's settings; its rules name classes that its model knows.

    Raises:
        ConfigError: With all that is wrong.
    """
    loaded = load_with_lines(path, BoxSettings)
    manifest = _manifest(loaded)
    problems = [*fits(loaded, manifest), *_tls(loaded)]
    if problems:
        raise ConfigError(problems)
    for rule, name in untried(loaded.settings, manifest):
        log.warning(
            "a rule uses a class whose threshold was never tried on real pictures",
            extra={"rule": rule, "class": name},
        )
    return loaded.settings


def check(path: Path) -> tuple[BoxSettings, Detector]:
    """Read a box's settings as `read_settings`, and load the model too.

    Raises:
        ConfigError: With all that is wrong.
    """
    loaded = load_with_lines(path, BoxSettings)
    manifest = _manifest(loaded)
    problems = [*fits(loaded, manifest), *_tls(loaded)]
    wanted = loaded.settings.detector
    try:
        detector = Detector.load(manifest_of(loaded.settings), precision=wanted.precision)
    except ModelError as error:
        raise ConfigError([*problems, _model_problem(loaded, error)]) from error
    if problems:
        raise ConfigError(problems)
    return loaded.settings, detector


def untried(settings: BoxSettings, manifest: Manifest) -> Iterator[tuple[str, str]]:
    """Yield each rule's name with each class of it that was never tried on real pictures."""
    for rule in settings.rules:
        for name in sorted(classes_of(rule).intersection(manifest.unverified)):
            yield rule.name, name


def advice(settings: BoxSettings) -> Iterator[str]:
    """Yield what may be so, and is unwise."""
    if settings.page.enabled and settings.gpio.button is None:
        yield (
            "gpio.button: none is named. Who forgets the PIN can be let in by nobody, and while "
            "strangers' wrong PINs make every new device wait, up to an hour, it cannot be used to "
            "take a break; wire a button, and name its pin"
        )


def _manifest(loaded: Loaded[BoxSettings]) -> Manifest:
    try:
        return read_manifest(manifest_of(loaded.settings))
    except ModelError as error:
        raise ConfigError([_model_problem(loaded, error)]) from error


def _model_problem(loaded: Loaded[BoxSettings], error: ModelError) -> Problem:
    reason = f"{error.place}: {error.reason}"
    return loaded.document.problem(("detector", "manifest"), reason, error.fix)


def fits(loaded: Loaded[BoxSettings], manifest: Manifest) -> Iterator[Problem]:
    """Find what the settings ask of a model that cannot do it, and zones that hold nothing."""
    yield from _areas(loaded)
    yield from _rules(loaded, manifest.classes)
    yield from _scores(loaded, manifest)
    yield from _presence(loaded, manifest.classes)
    yield from _stills(loaded, manifest.classes)


def _areas(loaded: Loaded[BoxSettings]) -> Iterator[Problem]:
    """Find zones in which nothing can ever lie: their corners are in one line, or one point."""
    zones: dict[Location, Zone] = {
        ("zones", name): zone for name, zone in loaded.settings.zones.items()
    }
    if loaded.settings.area is not None:
        zones[("area",)] = loaded.settings.area
    for at, zone in zones.items():
        _, (width, height), _ = cv2.minAreaRect(np.array(zone.polygon, np.float32))
        if width * height < _LEAST_AREA:
            yield loaded.document.problem(
                (*at, "polygon"), "it encloses nothing", "draw its corners further apart"
            )


def _presence(loaded: Loaded[BoxSettings], known: tuple[str, ...]) -> Iterator[Problem]:
    """Find a worker who could not be seen, and would be absent for ever."""
    if loaded.settings.worker.zone is None:
        return
    at = ("worker", "zone")
    if PERSON not in known:
        yield loaded.document.problem(at, "the model knows no people", "delete it")
    if (loaded.settings.detector.min_score or 0.0) > PERSON_SCORE:
        yield loaded.document.problem(
            at,
            f"people count as present from a score of {PERSON_SCORE}, and detector.min_score drops "
            "them",
            "lower detector.min_score",
        )


def _stills(loaded: Loaded[BoxSettings], known: tuple[str, ...]) -> Iterator[Problem]:
    """Find what keeps stills from being redacted, or sealed."""
    stills = loaded.settings.stills
    if not stills.enabled:
        return
    if PERSON not in known:
        reason = "the model knows no people, so stills cannot be redacted"
        yield loaded.document.problem(("stills", "enabled"), reason, "turn stills off")
    try:
        weights()
    except EvidenceError as error:
        reason = f"{error.place}: {error.reason}"
        yield loaded.document.problem(("stills", "enabled"), reason, error.fix)
    if stills.encrypt_to is None:
        return
    try:
        Seal.load(stills.encrypt_to)
    except EvidenceError as error:
        reason = f"{error.place}: {error.reason}"
        yield loaded.document.problem(("stills", "encrypt_to"), reason, error.fix)


def _rules(loaded: Loaded[BoxSettings], known: tuple[str, ...]) -> Iterator[Problem]:
    for i, rule in enumerate(loaded.settings.rules):
        if isinstance(rule, PresenceRule):
            for j, name in enumerate(rule.classes):
                if name not in known:
                    yield loaded.document.problem(
                        ("rules", i, "classes", j),
                        f"the model knows no class '{name}'",
                        choices(name, known),
                    )
        else:
            missing = sorted(classes_of(rule) - set(known))
            if missing:
                yield loaded.document.problem(
                    ("rules", i, "kind"),
                    f"the model does not know {' and '.join(missing)}",
                    "choose another model or delete the rule",
                )


def _scores(loaded: Loaded[BoxSettings], manifest: Manifest) -> Iterator[Problem]:
    """Find rules that wait for scores which the detector is told to drop."""
    dropped = loaded.settings.detector.min_score
    if dropped is None:
        return
    for i, rule in enumerate(loaded.settings.rules):
        hold = min(rule.hold(manifest.threshold_of(name)) for name in classes_of(rule))
        if hold < dropped:
            key = "hold_score" if rule.hold_score is not None else "min_score"
            yield loaded.document.problem(
                ("rules", i, key),
                f"scores down to {hold:.2f} keep a violation up, but detector.min_score drops what "
                f"is below {dropped}",
                "raise it, or lower detector.min_score",
            )


def _tls(loaded: Loaded[BoxSettings]) -> Iterator[Problem]:
    settings = loaded.settings.broker.tls
    if settings is None:
        return
    missing = False
    for key in ("ca", "cert", "key"):
        file: Path | None = getattr(settings, key)
        if file is not None and not file.is_file():
            missing = True
            yield loaded.document.problem(
                ("broker", "tls", key), f"there is no file {file}", "check the path"
            )
    if missing:
        return
    try:
        tls.context(settings)
    except TlsError as error:
        reason, _, fix = str(error).rpartition(": ")
        yield loaded.document.problem(("broker", "tls"), reason, fix)
