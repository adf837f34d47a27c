"""Parity compares what the subscriber hears, and its scenes are the same each time."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from cleandesk.bench.finds import Find
from tests.bench.parity import Violation, differences
from tests.bench.scenes import SIZE, STEP_S, SceneReader

CUP = Violation("no-cup", Find("cup", (0.1, 0.1, 0.2, 0.2)), 10.0, 20.0)


@pytest.mark.parametrize(
    "found",
    [
        CUP,
        replace(CUP, opened=11.9),
        replace(CUP, closed=18.1),
        replace(CUP, find=Find("cup", (0.105, 0.1, 0.205, 0.2))),
    ],
)
def test_a_violation_within_the_slack_is_the_same(found: Violation) -> None:
    assert differences([CUP], [found], 2.0) == []


@pytest.mark.parametrize(
    "found",
    [
        replace(CUP, opened=12.1),
        replace(CUP, closed=22.1),
        replace(CUP, closed=None),
        replace(CUP, rule="no-pen"),
        replace(CUP, find=Find("pen", CUP.find.place)),
        replace(CUP, find=Find("cup", (0.5, 0.5, 0.6, 0.6))),
    ],
)
def test_anything_else_is_missing_and_added(found: Violation) -> None:
    said = differences([CUP], [found], 2.0)
    assert [text.split(":")[0] for text in said] == ["missing", "added"]


def test_one_violation_answers_for_one_alone() -> None:
    assert differences([CUP, CUP], [CUP], 2.0) == [f"missing: {CUP}"]
    assert differences([CUP], [CUP, CUP], 2.0) == [f"added: {CUP}"]


def _pictures(count: int, seed: int) -> list[np.ndarray[tuple[int, ...], np.dtype[np.uint8]]]:
    reader = SceneReader(2, seed=seed)
    reader.open()
    return [picture.image for picture in (reader.next() for _ in range(count)) if picture]


def test_scenes_follow_from_their_seed() -> None:
    first, again, other = _pictures(40, 1), _pictures(40, 1), _pictures(40, 2)
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(first, other, strict=True))
    assert {image.shape for image in first} == {(SIZE[1], SIZE[0], 3)}


def test_a_scene_shows_a_thing_that_was_not_there_and_is_gone_again() -> None:
    reader = SceneReader(1, seed=3)
    reader.open()
    pictures = []
    while (picture := reader.next()) is not None:
        pictures.append(picture)
    assert len(pictures) == pytest.approx(reader.frames, abs=30)
    assert np.diff([picture.pts_s for picture in pictures]) == pytest.approx(STEP_S)
    first, middle, last = (
        cv2.blur(pictures[i].image, (15, 15)).astype(int) for i in (20, len(pictures) // 2, -1)
    )
    assert np.abs(first - middle).max() > 60
    assert np.abs(first - last).max() < 30
