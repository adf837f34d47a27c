"""Lines are counted in the network's answer, and only the known file is run."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from models.evaluation import text_detector
from models.evaluation.sets import ROOT, EvaluationError
from models.evaluation.text_detector import (
    WHEEL,
    Text,
    TextDetector,
    find_weights,
    lines_of,
    prepare,
)


def answer(*lines: tuple[int, int, int, int], score: float = 0.9) -> np.ndarray:
    """What the network says of 64x64 pixels with these lines: rows and columns, from and to."""
    scores = np.zeros((64, 64), np.float32)
    for top, bottom, left, right in lines:
        scores[top:bottom, left:right] = score
    return scores


def test_each_line_counts_and_so_does_what_they_cover() -> None:
    text = lines_of(answer((8, 16, 4, 60), (32, 40, 4, 60)))
    assert text.lines == 2
    assert text.share == pytest.approx(2 * 8 * 56 / 64**2, rel=0.1)


@pytest.mark.parametrize(
    "scores",
    [answer(), answer((8, 16, 4, 60), score=0.2), answer((8, 16, 4, 60), score=0.4),
     answer((8, 9, 4, 60))],
    ids=["nothing", "no pixel is sure", "the line is not sure", "thin"],
)  # fmt: skip
def test_what_is_weak_or_thin_is_no_line(scores: np.ndarray) -> None:
    assert lines_of(scores) == Text(0, 0.0)


@pytest.mark.parametrize(
    ("size", "shape"), [((60, 120), (160, 320)), ((120, 60), (320, 160)), ((2, 400), (32, 320))]
)
def test_the_longer_side_is_scaled_and_sides_fit_the_network(
    size: tuple[int, int], shape: tuple[int, int]
) -> None:
    tensor = prepare(np.full((*size, 3), 255, np.uint8), 320)
    assert tensor.shape == (1, 3, *shape)
    assert tensor.dtype == np.float32
    assert tensor.max() == 1


def test_another_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "net.onnx").write_bytes(b"something else")
    with pytest.raises(EvaluationError, match=r"net\.onnx: its sha256 is .*install it anew"):
        TextDetector(tmp_path / "net.onnx")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match=r"none\.onnx: cannot be read.*install it anew"):
        TextDetector(tmp_path / "none.onnx")


def test_a_missing_wheel_is_named_with_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_detector, "_PACKAGE", "no_such_package")
    with pytest.raises(EvaluationError, match=f"no_such_package: not installed.*{WHEEL}"):
        find_weights()


def test_the_training_environment_installs_this_wheel() -> None:
    assert f" {WHEEL}\n" in (ROOT / "Makefile").read_text(encoding="utf-8")


def test_the_network_finds_written_lines_and_none_on_a_blank_sheet() -> None:
    try:
        detector = TextDetector(find_weights())
    except EvaluationError as error:
        pytest.skip(str(error))
    sheet = np.full((300, 240, 3), 240, np.uint8)
    assert detector.read(sheet, 320).lines == 0
    assert detector.read(sheet[:0], 320) == Text(0, 0.0)
    for y in (60, 150, 240):
        cv2.putText(sheet, "Invoice 2041", (10, y), cv2.FONT_HERSHEY_SIMPLEX, 1, (20, 20, 20), 2)
    text = detector.read(sheet, 320)
    assert text.lines >= 3
    assert 0.05 < text.share < 0.6
