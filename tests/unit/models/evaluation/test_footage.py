"""Clean stretches of footage are clean, and the policy's violations on them are counted."""

from collections import Counter
from pathlib import Path

import pytest

from models.evaluation.footage import DEMO, LOOK_S, Clip, alarms, clips, frames_of
from models.evaluation.sets import SHARED
from models.scenes.truth import load_truth
from models.train.labels import LEARNT
from tests.unit.models.evaluation.makers import NAMES, found

DESK = Clip("desk", Path("none"), 0, 12, ("phone", "paper"))
PLACE = [100.0, 100, 200, 200]
THRESHOLDS = dict.fromkeys(NAMES, 0.5)


def test_a_thing_that_is_not_there_for_long_enough_is_a_violation() -> None:
    seen = [found(("phone", PLACE, 0.9))] * 60
    result = alarms(DESK, seen, THRESHOLDS)
    assert result.violations == Counter(phone=1)
    assert result.finds == Counter(phone=60)
    assert result.looks == 60
    assert result.seconds == pytest.approx(60 * LOOK_S)


def test_a_flash_is_a_false_find_but_no_violation() -> None:
    seen = [found(("phone", PLACE, 0.9))] * 3 + [found()] * 57
    result = alarms(DESK, seen, THRESHOLDS)
    assert result.finds == Counter(phone=3)
    assert not result.violations


def test_what_is_weak_or_may_be_there_is_no_alarm() -> None:
    seen = [found(("phone", PLACE, 0.4), ("notebook", PLACE, 0.9))] * 60
    result = alarms(DESK, seen, THRESHOLDS)
    assert not result.finds
    assert not result.violations


@pytest.fixture(name="footage")
def _footage() -> list[Clip]:
    if not (SHARED / "videos").is_dir():
        pytest.skip("needs ../shared/videos, which is not here")
    return clips()


def test_nothing_forbidden_lies_in_the_demos_clean_stretches(footage: list[Clip]) -> None:
    visits = load_truth(DEMO.with_suffix(".truth.json")).visits
    stretches = [c for c in footage if c.path == DEMO]
    assert len(stretches) >= 3
    for clip in stretches:
        for visit in visits:
            away = visit.to_s < clip.begin_s or visit.from_s > clip.end_s
            assert away or visit.class_name not in clip.absent


def test_only_forbidden_things_are_judged(footage: list[Clip]) -> None:
    for clip in footage:
        assert set(clip.absent) <= set(LEARNT)
        assert clip.end_s > clip.begin_s


def test_a_clip_gives_as_many_frames_as_it_says(footage: list[Clip]) -> None:
    short = min((c for c in footage if c.path == DEMO), key=lambda c: c.end_s - c.begin_s)
    frames = frames_of(short)
    images = list(frames.images())
    assert len(images) == frames.count > 10
    assert images[0].shape == (480, 640, 3)
