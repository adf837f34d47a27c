"""`cleandesk bench` measures everything and says it as one JSON object; no figure is judged."""

import json
import math
import subprocess
from pathlib import Path
from typing import Any

import cv2
import pytest

from cleandesk.bench.figures import BARS
from tests.mosquitto import needs_mosquitto
from tests.rig import BIN, ROOT

pytestmark = [pytest.mark.system, needs_mosquitto]

PLAIN = ROOT / "tests" / "bench" / "plain.py"
STAGES = {"area", "prepare", "infer", "decode", "policy", "commit"}


def _bench(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [BIN / "cleandesk", "bench", *words], capture_output=True, text=True, check=False
    )


def _numbers(said: Any) -> list[float]:
    if isinstance(said, dict):
        return [number for one in said.values() for number in _numbers(one)]
    return [said] if isinstance(said, int | float) else []


def test_a_short_run_says_every_figure(tmp_path: Path) -> None:
    plot = tmp_path / "bench.png"
    size = ("--seconds", "2", "--rounds", "1", "--frames", "400")
    ended = _bench("--json", *size, "--plain", PLAIN, "--plot", plot)
    assert ended.returncode == 0, ended.stderr
    (line,) = ended.stdout.splitlines()
    said = json.loads(line)
    assert set(BARS) <= set(said)
    assert all(isinstance(said[name], float) for name in BARS), said
    assert all(math.isfinite(number) for number in _numbers(said))
    assert set(said["stages"]) == STAGES
    assert {"cpu", "cores", "onnxruntime", "precision", "broker"} <= set(said["machine"])
    assert "mosquitto" in said["machine"]["broker"]
    assert said["events"]["count"] > 0
    assert said["memory"]["frames"] >= 400
    assert all(name in ended.stderr for name in ("Runs", "Stages", "Figures"))
    assert cv2.imread(str(plot)) is not None


def test_one_topic_alone_leaves_the_others_unmeasured() -> None:
    ended = _bench("--json", "--only", "start", "--rounds", "1")
    assert ended.returncode == 0, ended.stderr
    said = json.loads(ended.stdout)
    assert said["start_s"] > 0
    assert said["loop_over_bare"] is None


@pytest.mark.parametrize(
    ("words", "code", "hint"),
    [
        (["--broker", "nowhere"], 1, "HOST:PORT"),
        (["--broker", "127.0.0.1:1"], 1, "--broker"),
        (["--only", "everything"], 2, "speed, events, still, start, memory"),
        (["--source", "no-such-clip.mp4"], 2, "no-such-clip.mp4"),
        (["--source", str(PLAIN)], 1, "no video that can be read"),
    ],
)
def test_what_cannot_be_measured_is_refused_with_a_fix(
    words: list[str], code: int, hint: str
) -> None:
    ended = _bench(*words)
    assert ended.returncode == code
    assert hint in " ".join(ended.stderr.replace("│", " ").split())
