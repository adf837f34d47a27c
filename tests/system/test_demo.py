"""`make demo`, as a newcomer runs it: the desk clip goes in, logged violations come out."""

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from demo.scenario import FORBIDDEN
from models.scenes.truth import load_truth
from tests.rig import ROOT, TRUTH

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[subprocess.CompletedProcess[str], Path]:
    folder = tmp_path_factory.mktemp("demo") / "out"
    result = subprocess.run(
        [sys.executable, "-m", "demo", "--folder", folder],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return result, folder


def test_all_that_lay_on_the_desk_is_logged_once(
    demo: tuple[subprocess.CompletedProcess[str], Path],
) -> None:
    result, folder = demo
    assert result.returncode == 0, result.stdout + (folder / "box.log").read_text()
    assert "each once, and nothing else" in result.stdout


def test_there_is_an_annotated_picture_for_each_violation(
    demo: tuple[subprocess.CompletedProcess[str], Path],
) -> None:
    _, folder = demo
    pictures = sorted((folder / "pictures").iterdir())
    forbidden = [v for v in load_truth(TRUTH).visits if v.class_name in FORBIDDEN]
    assert len(pictures) == len(forbidden)
    for path in pictures:
        image = cv2.imread(str(path))
        assert image is not None
        red = np.all(np.abs(image.astype(int) - (40, 40, 230)) < 40, axis=2)
        assert red.sum() > 200, f"nothing is outlined in {path.name}"


def test_a_source_that_is_not_there_ends_with_an_error(tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "demo", "--folder", tmp_path / "out", "--source", "nothing.mp4"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode != 0
    assert "nothing.mp4" in result.stdout + result.stderr
