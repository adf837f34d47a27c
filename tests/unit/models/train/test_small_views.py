"""Windows show what their boxes say, lie over phones mostly, and are made once."""

from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is in the extra `train` only")
pytest.importorskip("onnx", reason="onnx is in the extra `train` only")
pytest.importorskip("onnxruntime", reason="onnxruntime is in the extra `device` only")

from models.train import graph
from models.train.feed import Stock
from models.train.grid import SIZE
from models.train.labels import LEARNT
from models.train.picture import Picture
from models.train.sample import Sample, codes, unsure
from models.train.sets import DataError, Item
from models.train.small import LARGEST, MAPS
from models.train.small_views import (
    AT_PHONE,
    PHONE,
    VIEWS,
    WINDOW,
    Frozen,
    Keeper,
    jobs_of,
    read_window,
    window_of,
)

START = Path(__file__).resolve().parents[5] / "shared" / "teachers" / "nanodet_plus_m_416.onnx"
SIDES = {"stem": 128, "fine": 64, "middle": 32, "head": 64}
KNOWN = codes(labelled=LEARNT)
PEN = LEARNT.index("pen")


class Places(Frozen):
    """Sees of each place where it is, and how bright: x and y in input pixels, and the mean."""

    def __init__(self) -> None:
        pass

    def see(self, picture: Picture) -> dict[str, np.ndarray]:
        assert picture.shape == (SIZE, SIZE, 3)
        out = {}
        for name, side in SIDES.items():
            y, x = np.mgrid[0:side, 0:side] * (SIZE // side)
            small = cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA)
            out[name] = np.stack([x, y, small.mean(-1)]).astype(np.float32)
        return out


def phone_at(x: float, y: float) -> Sample:
    boxes = np.array([[x, y, x + 20, y + 24], [0, 0, 30, 30]], np.float32)
    picture = np.full((SIZE, SIZE, 3), 90, np.uint8)
    return Sample(picture, boxes, np.array([PHONE, PEN]), KNOWN)


@pytest.mark.parametrize("seed", range(8))
def test_all_maps_are_of_one_window_and_its_boxes_are_moved_with_it(seed: int) -> None:
    window = window_of(Places(), phone_at(300, 240), np.random.default_rng(seed))
    corners = {tuple(maps[:2, 0, 0].tolist()) for maps in window.maps.values()}
    assert len(corners) == 1
    ((x, y),) = corners
    for name, side in SIDES.items():
        assert window.maps[name].shape == (3, *[WINDOW * side // SIZE] * 2)
    assert window.labels.tolist() in ([], [PHONE], [unsure(PHONE)])  # and nothing of the pen
    whole = window.boxes + np.array([x, y, x, y])
    assert np.all(whole >= [300, 240, 300, 240])
    assert np.all(whole <= [320, 264, 320, 264])


def test_a_large_phone_is_left_open_even_where_a_window_shows_a_piece_of_it() -> None:
    long = phone_at(300, 240)
    long.boxes[0, 2] = 300 + LARGEST + 4
    windows = [window_of(Places(), long, np.random.default_rng(seed)) for seed in range(60)]
    pieces = [w for w in windows if len(w.boxes) and w.boxes[0, 2] - w.boxes[0, 0] < LARGEST]
    assert pieces
    assert all(label == unsure(PHONE) for w in windows for label in w.labels)


def test_most_windows_show_the_phone_wherever_it_lies() -> None:
    for place in ((2, 2), (488, 480), (250, 250)):
        shown = [
            len(window_of(Places(), phone_at(*place), np.random.default_rng(seed)).boxes)
            for seed in range(60)
        ]
        assert np.mean(shown) > AT_PHONE - 0.15


def stock(tmp_path: Path) -> Stock:
    path = tmp_path / "a.png"
    cv2.imwrite(str(path), np.full((120, 160, 3), 120, np.uint8))
    item = Item(path, ((40, 30, 120, 90),), (PHONE,), KNOWN)
    return Stock({name: [item] * 4 for name in VIEWS}, [], [], [])


def test_a_window_is_made_once_and_the_same_in_every_run(tmp_path: Path) -> None:
    made = stock(tmp_path)
    jobs = jobs_of(made)
    counts = {name: sum(kind == name for kind, _ in jobs) for name in VIEWS}
    assert counts == {name: 4 * times for name, times in VIEWS.items()}
    chosen = (0, jobs.index(("composed", 0)), jobs.index(("crowded", 0)))
    first = Keeper(made, Places(), tmp_path / "first", 1)
    again = Keeper(made, Places(), tmp_path / "again", 1)
    assert len(first) == len(jobs)
    for index in chosen:
        one, two = read_window_of(first, index), read_window_of(again, index)
        assert np.array_equal(one["boxes"], two["boxes"])
        assert np.array_equal(one["stem"], two["stem"])
    path = first[0]
    stamp = path.stat().st_mtime_ns
    assert first[0] == path
    assert path.stat().st_mtime_ns == stamp
    assert sorted(p.suffix for p in path.parent.iterdir()) == [".npz"] * len(chosen)


def read_window_of(keeper: Keeper, index: int) -> dict[str, np.ndarray]:
    window = read_window(keeper[index])
    return {"boxes": window.boxes, **window.maps}


def test_without_rendered_desks_it_is_said_what_to_do(tmp_path: Path) -> None:
    empty = stock(tmp_path)
    empty.sets["scenes"] = []
    with pytest.raises(DataError, match="make scenes"):
        Keeper(empty, Places(), tmp_path / "none", 1)


@pytest.mark.skipif(not START.is_file(), reason="the starting weights are not in ../shared")
def test_the_frozen_part_sees_maps_of_the_sizes_that_are_cut() -> None:
    coco = graph.load(START)
    frozen = Frozen(coco, graph.conv_weights(graph.thin_branch_of(coco)))
    seen = frozen.see(np.full((SIZE, SIZE, 3), 80, np.uint8))
    assert {name: maps.shape for name, maps in seen.items()} == {
        name: (channels, SIDES[name], SIDES[name]) for name, channels in MAPS.items()
    }
