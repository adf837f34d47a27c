"""`make bench-instructions`: what a frame costs outside inference, counted, not timed.

Both loops' stages without the model run under callgrind, once each and then one of them more
often: the difference is its own. No other process and no clock moves these figures.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from rich.table import Table

from cleandesk.bench import frames
from cleandesk.bench.desk import own
from cleandesk.camera import Area, Frame
from cleandesk.camera.watch import Watch
from cleandesk.clock import Instant
from cleandesk.detector import Detector
from cleandesk.loop.scene import Shrinker
from cleandesk.policy import Policy
from tests.bench.plain import Model, state_of
from tests.rig import CLIP

COUNT = 100
NONE = "none"
#: Of the clip: a picture with things on the desk.
NUMBER = 318
_COLLECTED = re.compile(rb"Collected : (\d+)")
Stage = Callable[[], object]


def _ours(image: NDArray[np.uint8], output: NDArray[np.float32]) -> dict[str, Stage]:
    detector = Detector.load(threads=1)
    rules = own(detector.names)
    policy = Policy(
        rules.rules,
        rules.zones,
        detector.names,
        threshold_of=detector.manifest.threshold_of,
        new_id=lambda: "0" * 32,
        look_s=0.2,
        boot="0" * 32,
    )
    spec = detector.manifest.input
    watch, area, shrinker = Watch(5.0, None), Area(None), Shrinker(spec.width, spec.height)
    prepared = detector.prepare(image)
    found = detector.read(output, prepared, min_score=policy.floors)
    at = Instant(0.0, datetime(2026, 1, 5, tzinfo=UTC), synced=True)
    frame = Frame(image, at, 1)
    seconds = iter(range(1_000_000))
    return {
        "watch and area": lambda: watch.look(area.blank(frame)),
        "prepare": lambda: detector.prepare(image),
        "plane": lambda: shrinker.plane(prepared.small),
        "decode": lambda: detector.read(output, prepared, min_score=policy.floors),
        "policy": lambda: policy.step(found, Instant(next(seconds) * 0.2, at.utc, synced=True)),
    }


def _plain(image: NDArray[np.uint8], output: NDArray[np.float32]) -> dict[str, Stage]:
    detector = Detector.load(threads=1)
    model = Model(detector.manifest, detector.weights.file, 1)
    found = model.postprocess(output, image.shape)
    return {
        "preprocess": lambda: model.preprocess(image),
        "postprocess": lambda: model.postprocess(output, image.shape),
        "compare": lambda: state_of(found, image.shape),
    }


LOOPS = {"ours": _ours, "plain": _plain}


def child(loop: str, stage: str, folder: Path) -> None:
    """Run all of one loop's stages once, and one of them more often."""
    image, output = np.load(folder / "image.npy"), np.load(folder / "output.npy")
    stages = LOOPS[loop](image, output)
    for run in stages.values():
        run()
    for _ in range(COUNT if stage in stages else 0):
        stages[stage]()


def _instructions(loop: str, stage: str, folder: Path) -> int:
    out = f"--callgrind-out-file={folder}/{loop}-{stage}"
    program = [sys.executable, "-m", "tests.bench.instructions", loop, stage, str(folder)]
    ended = subprocess.run(
        ["valgrind", "--tool=callgrind", out, *program],
        capture_output=True,
        check=False,
        env=os.environ | {"PYTHONHASHSEED": "0"},
    )
    counted = _COLLECTED.search(ended.stderr)
    if ended.returncode or counted is None:
        words = ended.stderr.decode(errors="replace")[-2000:]
        raise SystemExit(f"valgrind ended with {ended.returncode}:\n{words}")
    return int(counted[1])


def _table(counts: Mapping[tuple[str, str], int]) -> Table:
    table = Table(title="Instructions a frame, millions", title_justify="left")
    for heading in ("loop", "stage", "millions"):
        table.add_column(heading, justify="right" if heading == "millions" else "left")
    for loop in LOOPS:
        each = {
            stage: (count - counts[loop, NONE]) / COUNT / 1e6
            for (one, stage), count in counts.items()
            if one == loop and stage != NONE
        }
        for stage, millions in each.items():
            table.add_row(loop, stage, f"{millions:.2f}")
        table.add_row(loop, "all", f"{sum(each.values()):.2f}", end_section=True)
    return table


def main() -> None:
    """Count, and print a table."""
    if shutil.which("valgrind") is None:
        raise SystemExit("no valgrind: 'apt install valgrind', then try again")
    detector = Detector.load(threads=1)
    image = frames.pictures(CLIP, [NUMBER])[0]
    output = detector.infer(detector.prepare(image))
    console = Console(stderr=True)
    with tempfile.TemporaryDirectory(prefix="cleandesk-callgrind-") as name:
        folder = Path(name)
        np.save(folder / "image.npy", image)
        np.save(folder / "output.npy", output)
        runs = [
            (loop, stage)
            for loop, stages in LOOPS.items()
            for stage in (NONE, *stages(image, output))
        ]
        with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
            counting = pool.map(lambda one: _instructions(one[0], one[1], folder), runs)
            shown = track(counting, "counting", len(runs), console=console, transient=True)
            counts = dict(zip(runs, shown, strict=True))
    Console().print(_table(counts))


if __name__ == "__main__":
    if sys.argv[1:]:
        child(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
    else:
        main()
