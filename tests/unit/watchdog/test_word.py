"""The box's word on how it does: what it says, where, and that it is gone with the process."""

from pathlib import Path

import pytest

from cleandesk.watchdog import (
    NAME,
    CameraWord,
    Feeder,
    Sensing,
    Standing,
    Teller,
    Word,
    Worked,
)
from tests.unit.watchdog.make import ServiceManager
from tests.unit.worker.make import BOOT, OTHER_BOOT


def _standing(sensing: Sensing | None, *, connected: bool = False) -> Standing:
    return Standing(100.0, sensing is not None, sensing, (), connected)


def _sensing(*, fault: bool = False, seen: bool = True) -> Sensing:
    return Sensing(fault=fault, delivered=99.0, looked=99.0, look_s=0.2, seen=seen)


@pytest.mark.parametrize(
    ("sensing", "camera"),
    [
        (_sensing(), CameraWord.WORKS),
        (_sensing(seen=False), CameraWord.FAILS),
        (_sensing(fault=True), CameraWord.FAILS),
        (None, CameraWord.STOPPED),
    ],
)
@pytest.mark.parametrize("connected", [True, False])
def test_it_says_what_works(
    tmp_path: Path, sensing: Sensing | None, camera: CameraWord, *, connected: bool
) -> None:
    teller = Teller({"RUNTIME_DIRECTORY": str(tmp_path)})
    teller.tell(_standing(sensing, connected=connected))
    assert Word.read(tmp_path / NAME) == Word(camera, connected)
    assert (tmp_path / NAME).stat().st_mode & 0o777 == 0o644


def test_outside_a_service_nothing_is_written(tmp_path: Path) -> None:
    Teller({}).tell(_standing(None))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"null", b'{"camera": "fine"}', b"\xff"])
def test_what_is_no_word_says_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / NAME).write_bytes(content)
    assert Word.read(tmp_path / NAME) is None
    assert Word.read(tmp_path / "none") is None


def test_what_is_not_fed_says_nothing_new(tmp_path: Path) -> None:
    with ServiceManager(tmp_path / "notify", 90.0) as systemd:
        feeder = Feeder(systemd.manager, Teller({"RUNTIME_DIRECTORY": str(tmp_path)}))
        feeder.turn(0, lambda: Standing(0, True, None, ()))
        assert Word.read(tmp_path / NAME) is None
        feeder.turn(1, lambda: Standing(1, False, None, ()))
        assert Word.read(tmp_path / NAME) == Word(CameraWord.STOPPED, link=False)


def test_a_folder_that_takes_nothing_does_not_end_the_box(tmp_path: Path) -> None:
    teller = Teller({"RUNTIME_DIRECTORY": str(tmp_path / "none")})
    teller.tell(_standing(None))
    (tmp_path / "none").mkdir()
    teller.tell(_standing(None))
    assert Word.read(tmp_path / "none" / NAME) is not None


def test_each_feed_says_how_old_it_is_and_whose_word_it_is(tmp_path: Path) -> None:
    path, told = tmp_path / NAME, {"RUNTIME_DIRECTORY": str(tmp_path)}
    teller = Teller(told)
    moments = []
    for moment in (100.0, 120.0):
        teller.tell(Standing(moment, False, None, ()))
        said = Word.read(path)
        assert said is not None
        moments.append((said.began, said.at))
    Teller(told).tell(Standing(130.0, False, None, ()))
    again = Word.read(path)
    assert again is not None
    assert [*moments, (again.began, again.at)] == [(100, 100), (100, 120), (130, 130)]


def test_in_a_break_it_says_that_the_camera_worked_before_through_a_restart(tmp_path: Path) -> None:
    told = {"RUNTIME_DIRECTORY": str(tmp_path)}

    def says(boot: str, *does: Sensing | None) -> CameraWord | None:
        teller = Teller(told, worked=Worked(tmp_path / "outbox.db", boot))
        for one in does:
            teller.tell(_standing(one))
        said = Word.read(tmp_path / NAME)
        return None if said is None else said.camera

    begins = _sensing(seen=False)
    assert says(BOOT, None) is CameraWord.STOPPED
    assert says(BOOT, begins, None) is CameraWord.STOPPED
    assert says(BOOT, begins, _sensing(), None) is CameraWord.RESTS
    assert says(BOOT, None) is CameraWord.RESTS, "the process is another one"
    assert says(BOOT, begins, None) is CameraWord.RESTS, "it has not begun yet"
    assert says(OTHER_BOOT, None) is CameraWord.STOPPED
    assert says(BOOT, _sensing(fault=True), None) is CameraWord.STOPPED
    assert says(BOOT, None) is CameraWord.STOPPED


@pytest.mark.parametrize("spoil", [b"", b"damaged"])
def test_what_cannot_be_kept_of_the_camera_ends_no_box(tmp_path: Path, spoil: bytes) -> None:
    kept = tmp_path / "outbox.db.camera"
    kept.write_bytes(spoil)
    worked = Worked(tmp_path / "outbox.db", BOOT)
    did = [worked.did]
    kept.unlink()
    kept.mkdir()
    for one in (_sensing(), _sensing(fault=True)):
        worked.follow(one)
        did.append(worked.did)
    assert did == [False, True, False]
    assert kept.is_dir()
