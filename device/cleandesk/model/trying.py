"""Trying a model out before it is used: a process of its own, so that whatever it does ends there.

`python -m cleandesk.model.trying MANIFEST PRESENT THREADS PRECISION` loads it, has it look at the
picture that came with it, compares what it sees with what it must see, and tells how long a look
takes, with it and with the present one. These look in turns, and the shortest time counts: whatever
else the box does meanwhile must not be taken for a slow model.
"""

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
    """How long a look takes.

    Attributes:
        look_s: With the model, seconds.
        present_s: With the present one.
    """

    look_s: float
    present_s: float


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
    _compare(both[0], rounds[0][0][0], answers)
    took = [min(one[place][1] for one in rounds) for place in range(len(both))]
    return Took(*took)


def _timed(detector: Detector, picture: NDArray[np.uint8]) -> tuple[Detections, float]:
    """Look once; returns what was seen and the seconds that it took."""
    least = min(map(detector.manifest.threshold_of, detector.names))
    began = time.perf_counter()
    found = detector.detect(picture, min_score=least)
    return found, time.perf_counter() - began


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


def main(arguments: list[str]) -> int:
    """Try the model that is named; write one JSON object, return the exit code."""
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
