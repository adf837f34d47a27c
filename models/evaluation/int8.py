"""Whether the int8 file is worth its place: as good as fp32 to a point, and faster on this CPU."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

import numpy as np

from cleandesk.detector import Detector
from models.evaluation import measures, operating_point
from models.evaluation.looking import FP32, Eye, RawModel, frames_of, read_yaml, write_yaml
from models.evaluation.measures import Together
from models.evaluation.sets import PictureSet

INT8: Final = "int8"
MOST_LOST: Final = 0.01  # of mean AP50
_ROUNDS, _RUNS = 12, 5
_SEED = 3


@dataclass(frozen=True)
class Verdict:
    """What was found out.

    Attributes:
        found: By set: what fp32 and int8 find of all classes, at the thresholds where those count.
            A mean AP50 that holds hides sure scores that fell: they show in the recall.
        ms: Median milliseconds an inference, one thread, of fp32 and of int8.
    """

    found: Mapping[str, tuple[Together, Together]]
    ms: tuple[float, float]

    @property
    def good(self) -> bool:
        """Whether no set loses more than `MOST_LOST`."""
        return all(
            fp32.mean_ap50 - int8.mean_ap50 <= MOST_LOST for fp32, int8 in self.found.values()
        )

    @property
    def faster(self) -> bool:
        """Whether int8 takes less time here."""
        return self.ms[1] < self.ms[0]


def judge(manifest: Path, eye: Eye, pictures: Sequence[PictureSet]) -> Verdict:
    """Compare both files of a model.

    Raises:
        EvaluationError: If the manifest names no int8 file.
        ModelError: If one of the files cannot be used.
    """
    models = [RawModel(manifest, precision) for precision in (FP32, INT8)]
    point = operating_point.read(manifest, models[0].names)
    found = {}
    for one in pictures:
        fp32, int8 = (
            measures.together(
                measures.see(one, eye.look(model, frames_of(one)), point).judged, point.thresholds
            )
            for model in models
        )
        found[one.name] = (fp32, int8)
    fp32_ms, int8_ms = side_by_side(
        [_inference(Detector.load(manifest, threads=1, precision=p)) for p in (FP32, INT8)]
    )
    return Verdict(found, (fp32_ms, int8_ms))


def _inference(detector: Detector) -> Callable[[], object]:
    height, width = detector.manifest.input_shape[2:]
    picture = np.random.default_rng(_SEED).integers(0, 256, (height, width, 3), np.uint8)
    prepared = detector.prepare(picture)
    return lambda: detector.infer(prepared)


def side_by_side(runs: Sequence[Callable[[], object]]) -> list[float]:
    """Median milliseconds of each, in turns, so that what else runs disturbs all alike.

    What is measured is this thread's time on the CPU: waiting for one that is taken is not counted,
    and neither is work that a run leaves to other threads.
    """
    spent: list[list[float]] = [[] for _ in runs]
    for _ in range(_ROUNDS):
        for run, times in zip(runs, spent, strict=True):
            run()  # fills the caches that the other one used
            for _ in range(_RUNS):
                began = time.thread_time()
                run()
                times.append(1000 * (time.thread_time() - began))
    return [median(times) for times in spent]


def withdraw(manifest: Path) -> None:
    """Take the int8 file out of a manifest; the file itself goes too."""
    held = read_yaml(manifest)
    variants = held.pop("variants", None) or []
    for variant in variants:
        if variant["precision"] == INT8:
            manifest.with_name(variant["file"]).unlink(missing_ok=True)
    if others := [v for v in variants if v["precision"] != INT8]:
        held["variants"] = others
    write_yaml(held, manifest)
