"""What is on the shelf: one whole model, whatever is asked for, refused or cut off."""

import hashlib
from pathlib import Path

import pytest

from cleandesk.contract.artefact_errors import ArtefactError, Fault
from cleandesk.contract.model_messages import ModelState
from cleandesk.detector import default_manifest
from cleandesk.model.kept import Fetched, GivenUp, Kept, Trial
from cleandesk.model.running import described, fetched, manifest_of, shelf_of
from cleandesk.model.shelf import Shelf
from cleandesk_fleet.provision.artefacts import Artefact
from tests.signed_models import NOW, a_root, a_signer, signed
from tests.unit.contract.test_artefact import CONTENTS, head, listing_of, packed
from tests.unit.control.make import manifest, own

ROOT = a_root()
SIGNER = a_signer(ROOT)


def a_fetched(version: str, mark: str = "a") -> Fetched:
    return Fetched(name="desk", version=version, artefact=mark * 64, manifest="0" * 64)


def put(shelf: Shelf, one: Artefact) -> Fetched:
    shelf.incoming(one.sha256).write_bytes(one.content)
    model, path = shelf.unpack(one.sha256, ROOT.certificate, NOW)
    assert path == shelf.manifest(model)
    return model


def test_to_look_at_an_empty_shelf_makes_nothing(tmp_path: Path) -> None:
    settings = own(outbox={"path": tmp_path / "data" / "outbox.db"})
    shelf = shelf_of(settings)
    assert shelf.read() == Kept()
    shelf.tidy()
    assert shelf.change(lambda kept: kept) == Kept()
    assert manifest_of(settings) == default_manifest()
    assert not shelf.folder.exists()


def test_a_model_counts_once_it_is_named_and_only_while_it_is_whole(tmp_path: Path) -> None:
    settings = own(outbox={"path": tmp_path / "outbox.db"})
    shelf = shelf_of(settings)
    model = put(shelf, signed(tmp_path, "1.0", SIGNER))
    assert manifest_of(settings) == default_manifest()
    shelf.change(lambda kept: kept.updated(model))
    path = manifest_of(settings)
    assert path == tmp_path / "outbox.db.models" / model.artefact / "manifest.yaml"
    assert described(settings, manifest(), shelf.read()).state is ModelState.TRIAL
    assert path.parent.stat().st_mode & 0o077 == 0
    path.write_bytes(path.read_bytes() + b"\n")
    assert manifest_of(settings) == default_manifest()
    path.unlink()
    assert manifest_of(settings) == default_manifest()


def test_settings_that_name_a_model_go_before(tmp_path: Path) -> None:
    mine = tmp_path / "mine.yaml"
    settings = own(outbox={"path": tmp_path / "outbox.db"}, detector={"manifest": mine})
    shelf = shelf_of(settings)
    kept = shelf.change(lambda kept: kept.updated(a_fetched("1.0")))
    assert manifest_of(settings) == mine
    told = described(settings, manifest(), kept)
    assert (told.state, told.artefact) == (ModelState.OWN, None)


def test_a_damaged_one_gives_way_to_the_one_before(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    first, second = (put(shelf, signed(tmp_path, version, SIGNER)) for version in ("1.0", "1.1"))
    shelf.change(lambda kept: kept.updated(first).committed().updated(second))
    assert fetched(shelf, shelf.read()) == second
    shelf.manifest(second).write_bytes(b"")
    assert fetched(shelf, shelf.read()) == first


def test_software_with_a_newer_model_goes_before_a_fetched_one(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    old = put(shelf, signed(tmp_path, "0.2", SIGNER))
    shelf.change(lambda kept: kept.updated(old))
    assert fetched(shelf, shelf.read()) is None


def test_what_nobody_kept_is_tidied_away(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "models")
    models = [put(shelf, signed(tmp_path, f"1.{number}", SIGNER)) for number in range(3)]
    shelf.incoming("e" * 64).write_bytes(b"begun")
    (shelf.folder / f".new-{'f' * 64}").mkdir()
    (shelf.folder / ("d" * 64)).symlink_to(tmp_path)
    (shelf.folder / "whose").mkdir()
    for model in models:
        shelf.change(lambda kept: kept.updated(model).committed())  # noqa: B023
    shelf.tidy(but="e" * 64)
    left = {path.name for path in shelf.folder.iterdir()}
    kept = {models[1].artefact, models[2].artefact}
    assert left == {"state", "whose", f"incoming-{'e' * 64}", *kept}
    assert tmp_path.is_dir()
    shelf.tidy()
    assert len(list(shelf.folder.iterdir())) == 4


def test_another_file_than_was_asked_for_is_refused(tmp_path: Path) -> None:
    shelf, one = Shelf(tmp_path), signed(tmp_path, "1.0", SIGNER)
    shelf.incoming("e" * 64).write_bytes(one.content)
    with pytest.raises(ArtefactError) as caught:
        shelf.unpack("e" * 64, ROOT.certificate, NOW)
    assert caught.value.fault is Fault.DAMAGED


def test_one_that_is_asked_for_instead_takes_the_place_of_what_was_begun(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    first = shelf.incoming("1" * 64)
    first.write_bytes(b"half")
    assert shelf.incoming("1" * 64).read_bytes() == b"half"
    shelf.incoming("2" * 64)
    assert not first.exists()


def test_a_state_that_nobody_can_read_is_the_shipped_model(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    shelf.change(lambda kept: kept.updated(a_fetched("1.0")))
    (tmp_path / "state").write_bytes(b"half")
    assert shelf.read() == Kept()
    shelf.change(lambda kept: kept.updated(a_fetched("1.1")))
    assert shelf.read().present == a_fetched("1.1")


def test_an_update_keeps_what_is_known_to_work_to_go_back_to() -> None:
    first, second, third = (a_fetched(f"1.{number}", mark) for number, mark in enumerate("abc"))
    kept = Kept().updated(first)
    assert (kept.present, kept.previous, kept.trial) == (first, None, Trial())
    assert kept.updated(second).previous is None, "the first one never worked"
    kept = kept.committed().updated(second)
    assert (kept.previous, kept.proven) == (first, first)
    kept = kept.updated(third)
    assert (kept.present, kept.previous) == (third, first), "the second one never worked"
    back = kept.fallen_back("it crashed")
    assert (back.present, back.previous, back.trial) == (first, None, None)
    assert back.given_up == GivenUp(model=third, why="it crashed")
    assert back.rolled_back().present is None
    assert Kept().fallen_back("whatever") == Kept()


def test_starts_that_end_in_order_are_none() -> None:
    kept = Kept().updated(a_fetched("1.0")).begun("b" * 32)
    assert kept.trial == Trial(boot="b" * 32, starts=1)
    assert kept.ended().trial == Trial()
    assert kept.begun("c" * 32).trial == Trial(boot="c" * 32, starts=2)


def test_a_signed_model_without_a_manifest_is_none(tmp_path: Path) -> None:
    contents = {"w.onnx": CONTENTS["w.onnx"]}
    content = packed(head(listing_of(contents), SIGNER) | contents)
    shelf, sha256 = Shelf(tmp_path), hashlib.sha256(content).hexdigest()
    shelf.incoming(sha256).write_bytes(content)
    with pytest.raises(ArtefactError, match=r"no manifest\.yaml"):
        shelf.unpack(sha256, ROOT.certificate, NOW)
