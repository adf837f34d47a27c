"""Break mode: on the disk before it holds, through kills, and never with the sensor on."""

import os
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleandesk.contract.messages import BreakReason
from cleandesk.worker import keeping
from cleandesk.worker.break_mode import By
from cleandesk.worker.breaks import Kept
from tests.unit.worker.make import OTHER_BOOT, Process, SetClock


def test_a_break_stops_the_sensor_and_puts_out_the_light(tmp_path: Path) -> None:
    here = Process(tmp_path)
    assert here.mode.run_sensor()
    assert (here.camera.running, here.light.lit) == (True, True)
    here.mode.start(BreakReason.WATER, By.PAGE)
    assert (here.camera.running, here.light.lit, here.mode.sensing) == (False, False, False)
    here.mode.run_sensor()
    assert not here.camera.running, "nobody can start the sensor in a break"
    here.mode.end(By.PAGE)
    here.mode.run_sensor()
    assert (here.camera.running, here.light.lit) == (True, True)
    assert here.notes == ["break_by_page", "break_ended_by_page"]


def test_a_break_goes_on_after_a_restart_and_a_power_cut(tmp_path: Path) -> None:
    before = Process(tmp_path)
    since = before.mode.start(BreakReason.CALL, By.COMPANY).since
    for boot in (before.boot, OTHER_BOOT):
        after = Process(tmp_path, boot=boot, clock=SetClock(mono=50.0), fresh=False)
        present = after.mode.present
        assert present is not None
        assert (present.reason, present.since) == (BreakReason.CALL, since)
        after.mode.run_sensor()
        assert after.camera.starts == 0


def test_a_second_beginning_changes_nothing(tmp_path: Path) -> None:
    here = Process(tmp_path)
    first = here.mode.start(BreakReason.REST, By.PAGE)
    here.clock.move(60)
    assert here.mode.start(BreakReason.CALL, By.COMPANY) == first
    assert (here.mode.begun, here.mode.today, here.notes) == (1, 1, ["break_by_page"])


def test_a_box_that_never_ran_looks(tmp_path: Path) -> None:
    assert Process(tmp_path, fresh=True).mode.present is None
    assert keeping.read(tmp_path / "outbox.db.worker") == Kept()


@pytest.mark.parametrize(
    "damage",
    [
        Path.unlink,
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"\x00" * 100),
        lambda path: path.write_bytes(path.read_bytes()[:-1]),
        lambda path: path.write_bytes(path.read_bytes().replace(b'"count":0', b'"count":9')),
    ],
    ids=["gone", "empty", "zeros", "cut off", "changed"],
)
def test_an_unknown_state_is_a_break(tmp_path: Path, damage: Callable[[Path], object]) -> None:
    damage(Process(tmp_path).path)
    after = Process(tmp_path, fresh=False)
    assert after.mode.present is not None
    assert after.notes == ["break_unknown"]
    assert Process(tmp_path, fresh=False).mode.present is not None


def test_a_disk_that_takes_nothing_refuses_no_break(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = Process(tmp_path)
    here.mode.run_sensor()
    with monkeypatch.context() as full:
        full.setattr(keeping, "write", _full)
        here.mode.start(BreakReason.REST, By.BUTTON)
    assert not here.camera.running
    assert Process(tmp_path, fresh=False).mode.present is not None, "and a restart looks at nobody"


def _full(path: Path, kept: Kept) -> None:
    raise OSError(28, f"no space left for {path}: {kept}")


def test_a_camera_that_does_not_let_go_is_not_started_over_and_not_called_stopped(
    tmp_path: Path,
) -> None:
    here = Process(tmp_path)
    here.mode.run_sensor()
    here.camera.hangs = True
    here.mode.start(BreakReason.REST, By.PAGE)
    assert here.mode.sensing, "it may still acquire a frame, and the page says so"
    assert here.light.lit
    assert not here.mode.run_sensor()
    here.mode.end(By.PAGE)
    assert not here.mode.run_sensor()
    assert here.camera.starts == 1
    here.camera.hangs = False
    assert here.mode.run_sensor()
    assert here.camera.starts == 2


def test_the_button_begins_and_ends_a_break_and_counts_resets(tmp_path: Path) -> None:
    here = Process(tmp_path)
    here.mode.toggle()
    assert here.rests()
    here.mode.reset_pin()
    assert here.rests()
    here.mode.toggle()
    assert not here.rests()
    assert here.notes == ["break_by_button", "pin_reset", "break_ended_by_button"]
    assert Process(tmp_path, fresh=False).mode.pin_resets == 1


class KilledError(BaseException):
    """The process is gone at this point; nothing after it is done."""


#: What the file's writer asks of the system, in its order: a kill may come before each.
_CALLS = ("open", "fsync", "replace", "fsync of the folder")


class _Killer:
    """Kills before the given call into the system, counted over one action; never if it is None."""

    def __init__(self, patch: pytest.MonkeyPatch, at: int | None) -> None:
        self._left = at
        for owner, name in ((Path, "open"), (os, "fsync"), (Path, "replace")):
            patch.setattr(owner, name, self._wrapped(getattr(owner, name)))

    def _wrapped(self, call: Callable[..., object]) -> Callable[..., object]:
        def counted(*arguments: object, **more: object) -> object:
            if self._left is not None:
                if self._left == 0:
                    raise KilledError
                self._left -= 1
            return call(*arguments, **more)

        return counted


ACTIONS = st.tuples(
    st.sampled_from(["start", "end", "toggle", "turn", "restart", "power cut"]),
    st.none() | st.integers(0, len(_CALLS) - 1),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(ACTIONS, max_size=12))
def test_whatever_happens_the_sensor_is_off_in_a_break(
    actions: list[tuple[str, int | None]],
) -> None:
    """A break that was answered holds until its end was asked for, through kills at any point."""
    with TemporaryDirectory() as folder:
        here = Process(Path(folder))
        must_rest = False  # the last word that was completed, or cut off while ending
        for name, kill_at in actions:
            resting = here.mode.present is not None
            with pytest.MonkeyPatch.context() as patch:
                _Killer(patch, kill_at)
                try:
                    _act(here, name)
                    killed = False
                except KilledError:
                    killed = True
            ends = name == "end" or (name == "toggle" and resting)
            begins = name == "start" or (name == "toggle" and not resting)
            if ends:
                must_rest = False  # even a kill may have come after the end was on the disk
            elif begins and not killed:
                must_rest = True
            if killed or name in {"restart", "power cut"}:
                boot = OTHER_BOOT if name == "power cut" else here.boot
                here = Process(Path(folder), boot=boot, clock=here.clock, fresh=False)
            here.mode.run_sensor()
            assert here.camera.running is (here.mode.present is None)
            assert here.light.lit is here.camera.running
            if must_rest:
                assert here.mode.present is not None
                assert not here.camera.running
            here.clock.move(7)


def _act(here: Process, name: str) -> None:
    if name == "start":
        here.mode.start(BreakReason.VISITOR, By.PAGE)
    elif name == "end":
        here.mode.end(By.PAGE)
    elif name == "toggle":
        here.mode.toggle()
    else:
        here.mode.run_sensor()
