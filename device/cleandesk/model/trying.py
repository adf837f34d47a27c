"""Trying a model out before it is used: a process of its own, so that whatever it does ends there.

`python -m cleandesk.model.trying MANIFEST PRESENT THREADS PRECISION` loads it, has it look at the
picture that came with it, compares what it sees with what it must see, and tells how long a look
takes, and how much of the processors' time, compared with the present model. These look in turns,
and the least of each counts: whatever else the box does must not be taken for a slow model.
"""

import contextlib
import json
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Literal, get_args

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from cleandesk.config import ConfigError, load
from cleandesk.detector import Detections, Detector, ModelError, Wanted
from cleandesk.policy.geometry import iou_and_containment

ANSWERS = "selftest.yaml"
_LOOKS = 5
_PATIENCE_S = 180.0
_LEAST_IOU = 0.5
_LONGEST = 200

Edge = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class TryError(Exception):
    """A model that must not be used; the text says why."""


@dataclass(frozen=True, slots=True)
class Took:
    """What a look takes.

    Attributes:
        look_s: Seconds.
        times: Processor time, in that of a look with the present model.
    """

    look_s: float
    times: float


@dataclass(frozen=True, slots=True)
class _Look:
    """What was seen, and what it took: seconds, and seconds of all processors together."""

    found: Detections
    took_s: float
    work_s: float


class Thing(BaseModel):
    """What the model must see."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    class_name: str = Field(alias="class", description="One of the model's")
    box: tuple[Edge, Edge, Edge, Edge] = Field(description="x1, y1, x2, y2 in pixels")


class Answers(BaseModel):
    """`selftest.yaml`: a picture, and all that is to be believed of some classes in it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_version: Literal[1] = Field(1, alias="schema", description="Version of its form")
    picture: Path = Field(description="Relative to this file")
    things: Annotated[tuple[Thing, ...], Field(min_length=1, max_length=32)] = Field(
        description="What lies there; of these classes nothing else may be seen"
    )


def try_out(manifest: Path, present: Path, *, threads: int | None, precision: Wanted) -> Took:
    """Try a model out in a process of its own.

    Args:
        manifest: Of the model; `selftest.yaml` lies beside it.
        present: The present one's manifest.
        threads: As for `Detector.load`.
        precision: As for `Detector.load`.

    Raises:
        TryError: If it cannot be loaded, sees something else, or dies of it.
    """
    command = [sys.executable, "-m", "cleandesk.model.trying", str(manifest), str(present)]
    command += [str(threads or 0), precision]
    try:
        done = subprocess.run(  # noqa: S603 - our own program
            command,
            capture_output=True,
            check=False,
            stdin=subprocess.DEVNULL,
            timeout=_PATIENCE_S,
        )
        said = json.loads(done.stdout)
    except subprocess.TimeoutExpired as error:
        raise TryError(f"it came to no end within {_PATIENCE_S:.0f} s") from error
    except (OSError, ValueError) as error:
        raise TryError("it crashed the process that tried it") from error
    if "error" in said:
        raise TryError(said["error"])
    return Took(**said)


def look(manifest: Path, present: Path, *, threads: int | None, precision: Wanted) -> Took:
    """Try a model out in this process; arguments and result are those of `try_out`.

    Raises:
        TryError: If it cannot be loaded, or sees something else.
    """
    try:
        answers = load(manifest.with_name(ANSWERS), Answers)
        both = [
            Detector.load(path, threads=threads, precision=precision)
            for path in (manifest, present)
        ]
        content = answers.picture.read_bytes()
    except (ConfigError, ModelError, OSError) as error:
        raise TryError(str(error)) from error
    image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        raise TryError(f"{answers.picture.name} is no picture")
    picture = np.asarray(image, np.uint8)
    try:
        rounds = [[_timed(detector, picture) for detector in both] for _ in range(_LOOKS)]
    except ModelError as error:
        raise TryError(str(error)) from error
    _compare(both[0], rounds[0][0].found, answers)
    work_s, now_s = (min(one[place].work_s for one in rounds) for place in range(len(both)))
    return Took(min(one[0].took_s for one in rounds), work_s / now_s)


def _timed(detector: Detector, picture: NDArray[np.uint8]) -> _Look:
    least = min(map(detector.manifest.threshold_of, detector.names))
    began, worked = time.perf_counter(), time.process_time()
    found = detector.detect(picture, min_score=least)
    return _Look(found, time.perf_counter() - began, time.process_time() - worked)


def _compare(detector: Detector, found: Detections, answers: Answers) -> None:
    wanted = {thing.class_name for thing in answers.things}
    seen = [
        (name, box)
        for name, score, box in found
        if name in wanted and score >= detector.manifest.threshold_of(name)
    ]
    for thing in answers.things:
        match = next((one for one in seen if _same(one, thing)), None)
        if match is None:
            raise TryError(f"it does not see the {thing.class_name} of its own picture")
        seen.remove(match)
    if seen:
        raise TryError(f"it sees a {seen[0][0]} in its own picture where there is none")


def _same(one: tuple[str, tuple[float, float, float, float]], thing: Thing) -> bool:
    name, box = one
    return name == thing.class_name and iou_and_containment(box, thing.box)[0] >= _LEAST_IOU


def _give_way() -> None:
    """Have the kernel end this process, and not the box, should the memory run out."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


def main(arguments: list[str]) -> int:
    """Try the model that is named; write one JSON object, return the exit code."""
    _give_way()
    manifest, present, threads, wanted = arguments
    precision = next(one for one in get_args(Wanted) if one == wanted)
    try:
        took = look(
            Path(manifest), Path(present), threads=int(threads) or None, precision=precision
        )
    except TryError as error:
        sys.stdout.write(json.dumps({"error": str(error)[:_LONGEST]}))
        return 1
    sys.stdout.write(json.dumps(asdict(took)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
