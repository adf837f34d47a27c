"""What a clip shows: where something lies on the desk, and where nothing does."""

from collections.abc import Collection
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from cleandesk.bench import frames
from cleandesk.bench.errors import BenchError
from cleandesk.camera.video import VideoReader
from cleandesk.detector import Detector

MOMENTS = 12
#: What a clean desk is about; of a model that knows none of them all classes are taken.
_THINGS = ("phone", "paper", "notebook", "pen", "cup", "bottle")
#: A detection that is so far above its threshold stays above it in noise.
_CLEAR_OF = 0.08


class Survey(BaseModel):
    """A few pictures of a clip, by number.

    Attributes:
        frames: How many pictures the clip has, as far as it is used.
        moments: Evenly over the clip.
        full: The one of them that shows most things, each beyond doubt.
        empty: The one that shows least.
        size: Of the file, before any scaling.
    """

    model_config = ConfigDict(frozen=True)

    frames: int
    moments: list[int]
    full: int
    empty: int
    size: tuple[int, int]


def things(classes: Collection[str]) -> list[str]:
    """Return which of a model's classes the measurement forbids on the desk."""
    return [name for name in _THINGS if name in classes] or list(classes)


def survey(path: Path, detector: Detector) -> Survey:
    """Look through a clip.

    Raises:
        BenchError: If it cannot be read, or shows nothing: then no rule can be completed.
    """
    length = frames.count(path)
    numbers = sorted({round(i * (length - 1) / (MOMENTS - 1)) for i in range(MOMENTS)})
    forbidden = set(things(detector.names))
    sure: list[int] = []
    doubtful: list[int] = []
    for image in frames.pictures(path, numbers):
        found = [one for one in detector.detect(image, min_score=0.1) if one[0] in forbidden]
        margins = [score - detector.manifest.threshold_of(name) for name, score, _ in found]
        sure.append(sum(margin >= _CLEAR_OF for margin in margins))
        doubtful.append(sum(abs(margin) < _CLEAR_OF for margin in margins))
    if not max(sure):
        raise BenchError(
            f"{path}: the model sees none of {', '.join(sorted(forbidden))} in it; name a clip by "
            "--source in which some lie on a desk"
        )
    best = max(range(len(numbers)), key=lambda i: (sure[i] > 0, -doubtful[i], sure[i]))
    least = min(range(len(numbers)), key=lambda i: sure[i] + doubtful[i])
    return Survey(
        frames=length,
        moments=numbers,
        full=numbers[best],
        empty=numbers[least],
        size=_size(path),
    )


def _size(path: Path) -> tuple[int, int]:
    reader = VideoReader(path)
    reader.open()
    picture = reader.next()
    reader.close()
    if picture is None:
        raise BenchError(f"{path}: no picture in it; name another clip by --source")
    height, width = picture.image.shape[:2]
    return width, height
