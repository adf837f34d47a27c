"""NanoDet-Plus's output, made by hand: what it says is what comes out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from cleandesk.detector import Manifest, decode
from cleandesk.detector.decode import MOST_DETECTIONS, NanoDetPlus, suppress
from cleandesk.detector.manifest import Line

BINS = 8


@pytest.fixture(scope="module")
def decoder(simple: Manifest) -> NanoDetPlus:
    return NanoDetPlus(simple)


@pytest.fixture
def silent(simple: Manifest) -> NDArray[np.float32]:
    """Return an output in which nothing is found."""
    return np.zeros(simple.output_shape[1:], np.float32)


def put(
    output: NDArray[np.float32], row: int, class_id: int, score: float, sides: list[int]
) -> None:
    """Let a point see something, its sides at whole distances, in strides."""
    output[class_id, row] = score
    logits = np.full((4, BINS), -50, np.float32)
    logits[np.arange(4), sides] = 50
    output[11:, row] = logits.ravel()


def test_nothing_is_nothing(decoder: NanoDetPlus, silent: NDArray[np.float32]) -> None:
    boxes, scores, class_ids = decoder.decode(silent, 0.1)
    assert (boxes.shape, scores.shape, class_ids.shape) == ((0, 4), (0,), (0,))
    assert [a.dtype.name for a in (boxes, scores, class_ids)] == ["float32", "float32", "int64"]


@pytest.mark.parametrize(
    ("row", "point", "stride"),
    [
        (0, (0, 0), 8),
        (53, (8, 8), 8),
        (52 * 52 + 27, (16, 16), 16),
        (52 * 52 + 26 * 26 + 14, (32, 32), 32),
        (52 * 52 + 26 * 26 + 13 * 13 + 48, (384, 384), 64),
    ],
)
def test_a_point_and_its_sides_make_a_box(
    decoder: NanoDetPlus,
    silent: NDArray[np.float32],
    row: int,
    point: tuple[int, int],
    stride: int,
) -> None:
    put(silent, row, 3, 0.75, [1, 2, 3, 4])
    boxes, scores, class_ids = decoder.decode(silent, 0.5)
    x, y = point
    wanted = [[x - stride, y - 2 * stride, x + 3 * stride, y + 4 * stride]]
    np.testing.assert_allclose(boxes, wanted, atol=1e-3)
    assert (scores.tolist(), class_ids.tolist()) == ([0.75], [3])


def test_a_side_is_its_bins_mean(decoder: NanoDetPlus, silent: NDArray[np.float32]) -> None:
    put(silent, 53, 0, 0.9, [0, 0, 0, 0])
    silent[11 : 11 + BINS, 53] = np.log([1, 1, 2, 0.001, 0.001, 0.001, 0.001, 0.001])
    ((x1, *_),), _, _ = decoder.decode(silent, 0.5)
    weights = np.array([1, 1, 2, 0.001, 0.001, 0.001, 0.001, 0.001])
    assert x1 == pytest.approx(8 - 8 * (weights @ np.arange(8)) / weights.sum(), abs=1e-4)


def test_weak_ones_are_left_out_and_the_best_comes_first(
    decoder: NanoDetPlus, silent: NDArray[np.float32]
) -> None:
    for row, score in ((0, 0.5), (20, 0.9), (40, 0.49)):
        put(silent, row, 1, score, [0, 0, 1, 1])
    _, scores, _ = decoder.decode(silent, 0.5)
    assert scores.tolist() == pytest.approx([0.9, 0.5])


def test_each_call_may_ask_for_another_score(
    decoder: NanoDetPlus, silent: NDArray[np.float32]
) -> None:
    for row, score in ((0, 0.5), (20, 0.9), (40, 0.2)):
        put(silent, row, 1, score, [0, 0, 1, 1])
    assert [len(decoder.decode(silent, score)[0]) for score in (0.4, 0.1, 0.8, 0.4)] == [2, 3, 1, 2]


def test_each_class_may_have_a_score_of_its_own(
    simple: Manifest, silent: NDArray[np.float32]
) -> None:
    lines = {simple.classes[5]: Line(scale=1, offset=2)}
    decoder = NanoDetPlus(simple.model_copy(update={"calibration": lines}))
    for row, class_id, score in ((0, 1, 0.5), (20, 2, 0.5), (40, 3, 0.9), (60, 5, 0.3)):
        put(silent, row, class_id, score, [0, 0, 1, 1])
    asked = [float("inf")] * len(simple.classes)
    asked[1], asked[2], asked[5] = 0.4, 0.6, 0.75
    _, scores, class_ids = decoder.decode(silent, asked)
    odds = np.log(0.3 / 0.7) + 2
    assert class_ids.tolist() == [5, 1]
    assert scores.tolist() == pytest.approx([1 / (1 + np.exp(-odds)), 0.5])


def test_where_no_class_is_asked_for_nothing_is_found(
    decoder: NanoDetPlus, simple: Manifest, silent: NDArray[np.float32]
) -> None:
    put(silent, 0, 1, 0.9, [0, 0, 1, 1])
    assert len(decoder.decode(silent, [float("inf")] * len(simple.classes))[0]) == 0


def test_one_thing_seen_twice_is_one_and_two_classes_are_two(
    decoder: NanoDetPlus, silent: NDArray[np.float32]
) -> None:
    for row, class_id, score in ((530, 0, 0.8), (531, 0, 0.9), (532, 4, 0.7)):
        put(silent, row, class_id, score, [6, 6, 6, 6])
    silent[7, 531] = 0.6
    _, scores, class_ids = decoder.decode(silent, 0.5)
    assert list(zip(class_ids.tolist(), scores.round(2).tolist(), strict=True)) == [
        (0, pytest.approx(0.9)),
        (4, pytest.approx(0.7)),
        (7, pytest.approx(0.6)),
    ]


def test_there_is_an_end_to_what_is_found(
    decoder: NanoDetPlus, silent: NDArray[np.float32]
) -> None:
    for row in range(2704):
        put(silent, row, row % 11, 0.5 + row / 10_000, [0, 0, 1, 1])
    boxes, scores, _ = decoder.decode(silent, 0.1)
    assert len(boxes) == MOST_DETECTIONS
    assert scores[0] == pytest.approx(0.5 + 2703 / 10_000)


def test_only_the_strongest_candidates_are_compared(
    decoder: NanoDetPlus, silent: NDArray[np.float32], monkeypatch: pytest.MonkeyPatch
) -> None:
    for row in range(0, 12, 2):
        put(silent, row, row, 0.5 + row / 100, [0, 0, 1, 1])
    assert len(decoder.decode(silent, 0.1)[0]) == 6
    monkeypatch.setattr(decode, "MOST_CANDIDATES", 4)
    _, scores, _ = decoder.decode(silent, 0.1)
    assert scores.tolist() == pytest.approx([0.6, 0.58, 0.56, 0.54])


def test_two_branches_answer_for_the_same_points(simple: Manifest) -> None:
    data = simple.model_dump(by_alias=True) | {"strides": [8, 16, 32, 64, 8, 16, 32]}
    manifest = Manifest.model_validate(data)
    output = np.zeros(manifest.output_shape[1:], np.float32)
    first = 52 * 52 + 14
    put(output, first, 0, 0.8, [1, 1, 1, 1])
    put(output, 3598 + first, 4, 0.7, [2, 2, 2, 2])
    boxes, scores, class_ids = NanoDetPlus(manifest).decode(output, 0.5)
    x = 14 * 16
    np.testing.assert_allclose(boxes[0], [x - 16, -16, x + 16, 16], atol=1e-3)
    np.testing.assert_allclose(boxes[1], [x - 32, -32, x + 32, 32], atol=1e-3)
    assert (scores.tolist(), class_ids.tolist()) == (pytest.approx([0.8, 0.7]), [0, 4])


def test_each_class_is_weighed_by_its_calibration(simple: Manifest) -> None:
    known = {
        simple.classes[0]: Line(scale=1, offset=2),
        simple.classes[1]: Line(scale=1, offset=-2),
    }
    decoder = NanoDetPlus(simple.model_copy(update={"calibration": known}))
    output = np.zeros(simple.output_shape[1:], np.float32)
    for row, class_id, score in ((0, 0, 0.2), (20, 1, 0.8), (40, 2, 0.5), (60, 0, 0.1)):
        put(output, row, class_id, score, [0, 0, 1, 1])
    _, scores, class_ids = decoder.decode(output, 0.5)
    odds = np.log(0.2 / 0.8) + 2
    assert class_ids.tolist() == [0, 2]
    assert scores.tolist() == pytest.approx([1 / (1 + np.exp(-odds)), 0.5])


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_no_number_is_an_error_and_not_a_clean_desk(
    decoder: NanoDetPlus, silent: NDArray[np.float32], value: float
) -> None:
    silent[2, 100] = value
    with pytest.raises(FloatingPointError, match="no numbers"):
        decoder.decode(silent, 0.5)


def overlap(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    w = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    h = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - w * h
    return float(w * h / union)


SIDES = st.integers(1, 20)
OBJECTS = st.lists(
    st.tuples(st.integers(0, 20), st.integers(0, 20), SIDES, SIDES, st.integers(0, 2)),
    max_size=25,
)


@given(OBJECTS, st.sampled_from([0.31, 0.53, 0.61]))
def test_suppression_keeps_the_best_of_each_class_as_defined(
    objects: list[tuple[int, int, int, int, int]], iou: float
) -> None:
    boxes = np.array([(x, y, x + w, y + h) for x, y, w, h, _ in objects], np.float32)
    boxes = boxes.reshape(-1, 4)
    class_ids = np.array([o[4] for o in objects], np.int64)
    scores = np.linspace(0.9, 0.2, len(objects), dtype=np.float32)
    wanted: list[int] = []
    for i in range(len(objects)):
        rivals = [j for j in wanted if class_ids[j] == class_ids[i]]
        if all(overlap(boxes[i], boxes[j]) <= iou for j in rivals):
            wanted.append(i)
    assert suppress(boxes, scores, class_ids, iou).tolist() == wanted
