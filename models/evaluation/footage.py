"""False alarms on footage of desks on which nothing forbidden lies, through the real policy."""

import json
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from cleandesk.clock import Instant
from cleandesk.contract.messages import Phase
from cleandesk.detector import Detections
from cleandesk.policy import Policy
from cleandesk.settings import PresenceRule, Zone
from models.evaluation.looking import Frames, Image
from models.evaluation.sets import ROOT, SHARED, EvaluationError
from models.train.labels import LEARNT

LOOK_S: Final = 0.2
_ARM_S: Final = 1.5  # the worker's arm, with the thing in its hand
DEMO: Final = ROOT / "models" / "demo" / "desk.mp4"
_START: Final = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Clip:
    """A stretch of footage in which some classes are known not to occur.

    Attributes:
        name: For people.
        path: Of the video.
        begin_s: From here.
        end_s: To here.
        absent: What does not occur.
    """

    name: str
    path: Path
    begin_s: float
    end_s: float
    absent: tuple[str, ...]


@dataclass(frozen=True)
class Alarms:
    """What a model said of a clip that is not true.

    Attributes:
        clip: Which one.
        seconds: Its length.
        looks: Frames looked at.
        finds: By class, finds that reach the threshold.
        violations: By class, violations that opened.
    """

    clip: str
    seconds: float
    looks: int
    finds: Counter[str]
    violations: Counter[str]


def clips() -> list[Clip]:
    """All footage there is; what is seen in it was checked by eye."""
    bottles = SHARED / "videos" / "bottle-detection.mp4"
    people = SHARED / "videos" / "one-by-one-person-detection.mp4"
    # A printed sheet lies on the table of the second clip from its first frame to its last.
    sheet = tuple(name for name in LEARNT if name != "paper")
    return [
        Clip("bottles on a table", bottles, 0, _length_s(bottles), LEARNT),
        Clip("people at a table", people, 0, _length_s(people), sheet),
        *_demo(),
    ]


def _demo() -> Iterator[Clip]:
    """The demo's clean stretches, and for what never lies there its whole length."""
    truth = json.loads(DEMO.with_suffix(".truth.json").read_text(encoding="utf-8"))
    visits = [(v["class"], v["from_s"] - _ARM_S, v["to_s"] + _ARM_S) for v in truth["visits"]]
    end = float(truth["duration_s"])
    at = 0.0
    for _, begin_s, end_s in [*sorted(visits, key=lambda v: float(v[1])), ("", end, end)]:
        if begin_s - at >= 1:
            yield Clip(f"demo, clean from {at:.0f} s", DEMO, at, begin_s, LEARNT)
        at = max(at, end_s)
    seen = {name for name, _, _ in visits} | {f["class"] for f in truth["fixtures"]}
    never = tuple(name for name in LEARNT if name not in seen)
    yield Clip("demo, what never lies there", DEMO, 0, end, never)


def _open(path: Path) -> cv2.VideoCapture:
    video = cv2.VideoCapture(str(path))
    if not video.isOpened():
        raise EvaluationError(f"{path}: no video that can be read; copy it again")
    return video


def _length_s(path: Path) -> float:
    video = _open(path)
    return float(video.get(cv2.CAP_PROP_FRAME_COUNT) / video.get(cv2.CAP_PROP_FPS))


def frames_of(clip: Clip) -> Frames:
    """The frames of a clip, one every `LOOK_S` seconds."""
    times = np.arange(clip.begin_s, clip.end_s - LOOK_S / 2, LOOK_S)

    def images() -> Iterator[Image]:
        video = _open(clip.path)
        rate, at = float(video.get(cv2.CAP_PROP_FPS)), -1
        for wanted in np.rint(times * rate).astype(int):
            while at < wanted:
                read, image = video.read()
                at += 1
            if not read:
                raise EvaluationError(f"{clip.path}: ends at frame {at}; copy it again")
            yield np.asarray(image, np.uint8)

    stat = clip.path.stat()
    span = f"{clip.begin_s:.1f}-{clip.end_s:.1f}"
    key = f"{clip.path.stem}-{span}-{stat.st_size}"
    return Frames(key, clip.name, len(times), images)


def alarms(clip: Clip, found: Sequence[Detections], thresholds: dict[str, float]) -> Alarms:
    """Run the policy, one presence rule a class at its defaults, on what was found.

    Args:
        clip: What it was found in.
        found: Calibrated, one entry a look.
        thresholds: From which score on a sighting counts, by class.
    """
    names = found[0].names if found else ()
    classes = [name for name in clip.absent if name in names]
    finds: Counter[str] = Counter()
    opened: Counter[str] = Counter()
    policy = Policy(
        [_rule(name, thresholds[name]) for name in classes],
        {"desk": Zone(polygon=[(0, 0), (1, 0), (1, 1), (0, 1)])},
        names,
        threshold_of=thresholds.__getitem__,
        new_id=lambda: uuid.uuid4().hex,
        look_s=LOOK_S,
        boot="0" * 32,
    )
    for number, seen in enumerate(found):
        for name, score, _ in seen:
            finds[name] += name in classes and score >= thresholds[name]
        at = number * LOOK_S
        moment = Instant(1000 + at, _START + timedelta(seconds=at), synced=True)
        opened.update(c.class_name for c in policy.step(seen, moment) if c.phase is Phase.OPEN)
    return Alarms(clip.name, len(found) * LOOK_S, len(found), +finds, opened)


def _rule(name: str, score: float) -> PresenceRule:
    return PresenceRule(
        name=f"no-{name.replace('_', '-')}", classes=[name], zone="desk", min_score=score
    )
