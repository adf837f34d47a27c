"""A recording for fault tests: one thing lies there all the time, another comes and goes."""

from dataclasses import dataclass
from itertools import permutations
from pathlib import Path

import cv2

from models.scenes.truth import Truth, Visit, load_truth
from tests.rig import CLIP, TRUTH, presence

FPS = 5
GONE_S, THERE_S = 4, 3
_MARGIN_S = 0.6


@dataclass(frozen=True)
class Pair:
    """Two visits of the demo's clip, and moments with the first alone and with both.

    Other things may lie there too: no rule asks for them.
    """

    stays: Visit
    comes: Visit
    alone_s: float
    both_s: float

    def rules(self) -> list[dict[str, object]]:
        """Return quick rules for the two; the one that stays may be away for long."""
        quick: dict[str, object] = {"dwell_s": 0.6, "clear_after_s": 2.0, "hits": 2, "of": 4}
        return [
            presence(self.stays.class_name, grace_s=600, **quick),
            presence(self.comes.class_name, grace_s=600, **quick),
        ]


def pair(truth: Truth) -> Pair:
    """Return a phone's visit during which a sheet of paper comes or goes."""
    for stays, comes in permutations(truth.visits, 2):
        if (stays.class_name, comes.class_name) != ("phone", "paper"):
            continue
        both = _common(stays, comes)
        alone = _before(stays, comes) or _after(stays, comes)
        if both is not None and alone is not None:
            return Pair(stays, comes, alone, both)
    raise LookupError("in the clip no paper comes or goes while a phone lies there")


def record(path: Path, chosen: Pair, *, loops: int = 1) -> Path:
    """Write a video that changes between the two moments.

    Args:
        path: Where to; an .avi.
        chosen: What to show.
        loops: How often the second thing comes and goes.
    """
    alone, both = (_frame(seconds) for seconds in (chosen.alone_s, chosen.both_s))
    height, width = alone.shape[:2]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), FPS, (width, height))
    for _ in range(loops):
        for frame, seconds in ((alone, GONE_S), (both, THERE_S)):
            for _ in range(seconds * FPS):
                writer.write(frame)
    writer.release()
    return path


def chosen_pair() -> Pair:
    """Return the demo clip's pair."""
    return pair(load_truth(TRUTH))


def _frame(seconds: float) -> cv2.typing.MatLike:
    reader = cv2.VideoCapture(str(CLIP))
    reader.set(cv2.CAP_PROP_POS_MSEC, seconds * 1000)
    found, image = reader.read()
    reader.release()
    assert found, f"{CLIP} has no frame at {seconds} s"
    return image


def _common(a: Visit, b: Visit) -> float | None:
    begin, end = max(a.from_s, b.from_s), min(a.to_s, b.to_s)
    return (begin + end) / 2 if end - begin > 2 * _MARGIN_S else None


def _before(stays: Visit, comes: Visit) -> float | None:
    ahead = comes.from_s - stays.from_s
    return stays.from_s + _MARGIN_S if ahead > 5 * _MARGIN_S else None


def _after(stays: Visit, comes: Visit) -> float | None:
    behind = stays.to_s - comes.to_s
    return stays.to_s - _MARGIN_S if behind > 5 * _MARGIN_S else None
