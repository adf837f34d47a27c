"""A model on trial: what leads back, and what does not."""

import shutil
from pathlib import Path

import pytest

from cleandesk.detector import ModelError
from cleandesk.model.kept import Kept, Trial
from cleandesk.model.probation import MOST_STARTS, Probation
from cleandesk.model.running import fetched
from cleandesk.model.shelf import Shelf
from tests.signed_models import signed
from tests.unit.model.test_shelf import SIGNER, put
from tests.unit.worker.make import BOOT, OTHER_BOOT


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    """Return a shelf with a model that worked, and another one on trial."""
    made = Shelf(tmp_path / "models")
    first, second = (put(made, signed(tmp_path, one, SIGNER)) for one in ("1.0", "1.1"))
    made.change(lambda kept: kept.updated(first).committed().updated(second))
    return made


def version(shelf: Shelf) -> str | None:
    present = shelf.read().present
    return None if present is None else present.version


def test_a_crash_on_trial_leads_back_and_says_so(shelf: Shelf) -> None:
    Probation(shelf, BOOT).begin()
    assert version(shelf) == "1.1"
    Probation(shelf, BOOT).begin()
    kept = shelf.read()
    assert version(shelf) == "1.0"
    assert kept.trial is None
    assert kept.given_up is not None
    assert (kept.given_up.model.version, kept.given_up.why) == ("1.1", "a start with it crashed")
    Probation(shelf, BOOT).begin()
    assert version(shelf) == "1.0", "one that worked stays"


def test_an_orderly_end_and_a_power_cut_are_no_crash(shelf: Shelf) -> None:
    for boot in (BOOT, OTHER_BOOT, BOOT):
        probation = Probation(shelf, boot)
        probation.begin()
        probation.ended()
    assert shelf.read().trial == Trial()
    Probation(shelf, BOOT).begin()
    Probation(shelf, OTHER_BOOT).begin()
    assert version(shelf) == "1.1"


def test_start_after_start_that_the_power_cuts_off_leads_back(shelf: Shelf) -> None:
    for number in range(MOST_STARTS):
        Probation(shelf, f"{number:032x}").begin()
        assert version(shelf) == "1.1"
    Probation(shelf, BOOT).begin()
    assert version(shelf) == "1.0"


def test_what_a_start_on_trial_dies_of_is_told(shelf: Shelf) -> None:
    probation = Probation(shelf, BOOT)
    probation.begin()
    probation.failed(RuntimeError("no such shape"))
    given_up = shelf.read().given_up
    assert given_up is not None
    assert given_up.why == "RuntimeError: no such shape"
    assert version(shelf) == "1.0"


def test_one_that_worked_goes_when_it_is_broken_and_for_nothing_else(shelf: Shelf) -> None:
    shelf.change(Kept.committed)
    probation = Probation(shelf, BOOT)
    probation.begin()
    probation.failed(RuntimeError("a camera"))
    assert version(shelf) == "1.1"
    probation.failed(ModelError(Path("w.onnx"), "another hash", "install it anew"))
    assert version(shelf) == "1.0"


def test_one_that_waits_for_the_next_start_is_blamed_for_nothing(
    shelf: Shelf, tmp_path: Path
) -> None:
    probation = Probation(shelf, BOOT)
    probation.begin()
    later = put(shelf, signed(tmp_path, "1.2", SIGNER))
    shelf.change(lambda kept: kept.updated(later))
    probation.failed(ModelError(Path("w.onnx"), "another hash", "install it anew"))
    probation.ended()
    assert shelf.read().trial == Trial()
    assert version(shelf) == "1.2"


def test_files_that_are_gone_lead_back_as_far_as_it_takes(shelf: Shelf) -> None:
    for folder in [path for path in shelf.folder.iterdir() if path.is_dir()]:
        shutil.rmtree(folder)
    Probation(shelf, BOOT).begin()
    assert version(shelf) is None


def test_newer_software_ends_it_and_blames_nobody(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "models")
    old = put(shelf, signed(tmp_path, "0.1", SIGNER))
    shelf.change(lambda kept: kept.updated(old))
    before = shelf.read()
    trial = Probation(shelf, BOOT, software_on_trial=True)
    trial.begin()
    trial.failed(ModelError(Path("w.onnx"), "another hash", "install it anew"))
    shelf.tidy()
    assert (shelf.read(), shelf.holds(old)) == (before, True), "newer software may be left"
    assert fetched(shelf, before) is None, "what it brought looks"
    Probation(shelf, BOOT).begin()
    assert shelf.read() == Kept()


def test_no_model_is_blamed_while_the_software_is_on_trial(shelf: Shelf) -> None:
    before = shelf.read()
    for _ in range(2):  # the second one finds that the first has crashed
        trial = Probation(shelf, BOOT, software_on_trial=True)
        trial.begin()
        trial.failed(ModelError(Path("w.onnx"), "it does not load", "install it anew"))
        trial.ended()
    assert shelf.read() == before


def test_a_disk_that_takes_nothing_keeps_no_box_from_looking(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("cleandesk.durable.write", full)
    probation = Probation(shelf, BOOT)
    probation.begin()
    probation.failed(RuntimeError("x"))
    probation.ended()
    assert version(shelf) == "1.1"
