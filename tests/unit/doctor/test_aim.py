"""The remembered aim: what its file holds, and what becomes of one that is damaged."""

from pathlib import Path

import numpy as np
import pytest

from cleandesk.doctor import aim
from cleandesk.worker.desk import AimUnknownError

GREY = np.tile(np.linspace(0, 238, 120).astype(np.uint8), (90, 1))
ALL = np.ones(GREY.shape, np.uint8)


def test_it_is_195_signs_and_is_read_as_it_was_written(tmp_path: Path) -> None:
    seen = aim.signature(GREY, ALL)
    assert len(seen) == 195
    assert set(seen) == {"+", "0"}, "brighter to the right, and not downwards"
    path = aim.path_of(tmp_path / "outbox.db")
    assert aim.read(path) is None
    aim.write(path, seen)
    assert aim.read(path) == seen
    assert path.stat().st_size < 300


def test_a_damaged_one_is_none(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db.aim"
    aim.write(path, aim.signature(GREY, ALL))
    whole = path.read_bytes()
    for damaged in (whole[:-4], whole.replace(b"+", b"-", 1), b"", whole.replace(b"aim", b"eye")):
        path.write_bytes(damaged)
        assert aim.read(path) is None


def test_cells_outside_the_area_tell_nothing() -> None:
    half = ALL.copy()
    half[:, 60:] = 0
    dazzled = np.where(half > 0, GREY, 255).astype(np.uint8)
    assert aim.signature(dazzled, half) == aim.signature(GREY, half)
    assert aim.signature(GREY, np.zeros_like(ALL)) == "0" * 195


def test_a_picture_without_shapes_compares_with_anything() -> None:
    flat = aim.signature(np.full_like(GREY, 90), ALL)
    assert flat == "0" * 195
    assert aim.reversed_share(flat, aim.signature(GREY, ALL)) == 0
    assert aim.reversed_share(aim.signature(GREY, ALL), flat) == 0
    assert aim.reversed_share(
        aim.signature(GREY, ALL), aim.signature(np.ascontiguousarray(GREY[:, ::-1]), ALL)
    ) == pytest.approx(1)


def test_a_disk_that_takes_nothing_is_told(tmp_path: Path) -> None:
    with pytest.raises(AimUnknownError, match="No such file"):
        aim.write(tmp_path / "none" / "outbox.db.aim", aim.signature(GREY, ALL))
