"""A request for another model: what is taken, what is refused and why, and what a kill leaves."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cleandesk import durable
from cleandesk.control.model_updates import LEAST_LOOKS, path_of
from cleandesk.detector import default_manifest
from cleandesk.model.kept import Kept
from cleandesk.model.running import manifest_of
from cleandesk_fleet.provision.modelling import request_of
from tests.eventually import eventually
from tests.signed_models import a_root, a_signer, signed
from tests.unit.control.make import manifest
from tests.unit.control.model_rig import Rig
from tests.unit.model.test_shelf import SIGNER, put


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Rig]:
    return lambda **more: Rig(tmp_path, **more)


@pytest.fixture
def rig(make: Callable[..., Rig]) -> Rig:
    return make()


def test_a_newer_model_is_tried_kept_on_trial_and_then_for_good(rig: Rig) -> None:
    shipped = rig.updates.running
    assert (shipped.state, shipped.artefact) == ("shipped", None)
    one = rig.publish("1.0")
    told = rig.taken(one)
    assert (told["version"], told["state"], told["artefact"]) == ("1.0", "trial", one.sha256)
    assert rig.tried == [manifest_of(rig.own)]
    assert rig.updates.running.state == "trial"
    assert rig.notes == ["model_changed: The site changed the model that looks: 1.0, on trial."]
    rig.prove()
    assert rig.updates.running.state == "committed"
    assert rig.shelf.read().trial is None
    assert {path.name for path in rig.shelf.folder.iterdir()} == {"state", one.sha256}


def test_it_takes_time_and_looks_to_be_kept_for_good(rig: Rig) -> None:
    rig.taken(rig.publish("1.0"))
    for _ in range(LEAST_LOOKS * 2):
        rig.updates.looked(rig.clock.now())
    rig.clock.move(59)
    rig.updates.looked(rig.clock.now())
    assert rig.shelf.read().trial is not None
    rig.clock.move(2)
    rig.updates.looked(rig.clock.now())
    assert rig.shelf.read().trial is None


def test_the_same_again_changes_nothing(rig: Rig) -> None:
    one = rig.publish("1.0")
    rig.taken(one)
    answer = rig.ask(one)
    assert (answer["outcome"], answer["detail"]) == ("done", "it runs already")
    assert len(rig.restarts) == 1


def test_older_ones_are_refused_but_the_newest_that_worked(rig: Rig) -> None:
    first, second = rig.publish("1.0"), rig.publish("1.1")
    rig.taken(first)
    rig.prove()
    rig.taken(second)
    rig.prove()
    assert "older: 1.0 is not newer than 1.1" in rig.refused(first)
    assert "older: 0.3 is not newer than" in rig.refused(rig.publish("0.3"))
    assert "older: 1.1.0 is not" in rig.refused(rig.publish("1.1.0"))
    assert rig.taken(None)["version"] == "1.0"
    assert rig.updates.running.state == "committed"
    assert "older" in rig.refused(rig.publish("1.0.5"))
    assert rig.taken(second)["version"] == "1.1"


def test_back_goes_as_far_as_the_shipped_model(rig: Rig) -> None:
    shipped = rig.runs
    assert "none: the shipped model runs" in rig.refused(None)
    rig.taken(rig.publish("1.0"))
    told = rig.taken(None)
    assert (told["version"], told["state"]) == (shipped, "shipped")
    assert "none" in rig.refused(None)
    assert [path.name for path in rig.shelf.folder.iterdir()] == ["state"]


def test_what_is_not_what_was_signed_or_asked_for_is_refused(rig: Rig) -> None:
    one = rig.publish("1.0")
    place = rig.source.folder / one.file
    foreign = rig.publish("1.2", signer=a_signer(a_root()))
    assert "untrusted: its signer is nobody" in rig.refused(foreign)
    assert "damaged: it is version 1.0" in rig.refused(one, version="1.1")
    assert "damaged: it is not the file" in rig.refused(one, sha256="0" * 64)
    assert "refused: there is no such file" in rig.refused(one, artefact="none.cdmodel")
    assert "damaged" in rig.refused(one, size=1000)
    place.write_bytes(one.content[:-1000])
    assert "damaged" in rig.refused(one)
    place.write_bytes(one.content)
    rig.taken(one)


def test_one_that_the_rules_cannot_do_with_is_refused(rig: Rig) -> None:
    classes = ["telephone" if one == "phone" else one for one in manifest().classes]
    changed = {"classes": classes, "thresholds": {}, "calibration": {}, "unverified": []}
    detail = rig.refused(rig.publish("1.0", **changed))
    assert "rules: rules[0].classes[0]: the model knows no class 'phone'" in detail
    assert rig.tried == []


def test_one_that_is_slow_or_does_not_work_is_refused(rig: Rig) -> None:
    one = rig.publish("1.0")
    rig.took_s = 0.6
    assert "slow: a look takes 0.60 s here, and the rules need 0.50 s" in rig.refused(one)
    rig.took_s = -1
    assert "unfit: it does not see the phone" in rig.refused(one)
    rig.took_s = 0.5
    rig.taken(one)
    rig.took_s, rig.times = 1.2, 1.2
    rig.taken(rig.publish("1.1"))  # this box has never been as fast as its rules would like


def test_a_manifest_of_another_name_or_with_files_elsewhere_is_refused(rig: Rig) -> None:
    assert "unfit" in rig.refused(rig.publish("1.0", strides=[0]))
    assert "slow" not in rig.refused(rig.publish("1.1", decoder="other"))


def test_boxes_that_have_their_own_model_or_key_say_so(make: Callable[..., Rig]) -> None:
    unclaimed = make(claimed=False)
    assert "not_claimed" in unclaimed.refused(unclaimed.publish("1.0"))


def test_settings_that_name_a_model_refuse_another(make: Callable[..., Rig]) -> None:
    rig = make(settings={"detector": {"manifest": default_manifest()}})
    assert "own: the box's settings name a model" in rig.refused(rig.publish("1.0"))
    assert rig.updates.running.state == "own"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"rollback": True, "version": "1.0"},
        {"artefact": "x", "version": "1.0", "sha256": "0" * 64},
        {"artefact": "../x", "version": "1.0", "sha256": "0" * 64, "size": 9},
        {"artefact": "x", "version": "v1", "sha256": "0" * 64, "size": 9},
        {"artefact": "x", "version": "1", "sha256": "0" * 64, "size": 2**40},
        {"url": "https://elsewhere/x"},
    ],
)
def test_what_is_no_request_is_invalid(rig: Rig, body: dict[str, Any]) -> None:
    rig.send(json.dumps(body).encode(), b"1")
    assert json.loads(rig.said[0].payload)["outcome"] == "invalid"


def test_a_second_request_meanwhile_is_told_to_come_again(rig: Rig) -> None:
    one = rig.publish("1.0")
    rig.source.waits.clear()
    rig.send(request_of(one).to_json(), b"1")
    rig.send(request_of(one).to_json(), b"2")
    eventually(lambda: len(rig.said) == 1, "an answer")
    assert json.loads(rig.said[0].payload)["outcome"] == "busy"
    rig.source.waits.set()
    eventually(lambda: len(rig.said) == 2, "the other")
    assert rig.said[1].correlation == b"1"


def test_one_that_was_given_up_is_told_once_and_not_taken_again(rig: Rig) -> None:
    one = rig.publish("1.0")
    rig.taken(one)
    rig.shelf.change(lambda kept: kept.fallen_back("a start with it crashed"))
    for _ in range(2):
        rig.start()
    said = [note for note in rig.notes if note.startswith("model_given_up")]
    (note,) = said
    assert "The model 1.0 did not work (a start with it crashed)." in note
    assert rig.updates.running.given_up == "1.0: a start with it crashed"
    assert "given_up: a start with it crashed" in rig.refused(one)
    assert rig.taken(rig.publish("1.0.1"))["version"] == "1.0.1"


def test_a_process_that_ended_in_between_is_gone_on_with_and_answers(rig: Rig) -> None:
    one = rig.publish("1.0")
    rig.source.waits.clear()
    rig.send(request_of(one).to_json(), b"1")
    record = path_of(rig.own.outbox.path)
    eventually(record.exists, "the record")
    content = record.read_bytes()
    rig.source.waits.set()
    eventually(lambda: rig.restarts, "the end of the first")
    (first,) = rig.said
    # As if it had been killed before the record was forgotten, and the answer in the ledger.
    record.write_bytes(content)
    rig.said.clear()
    rig.start()
    eventually(lambda: rig.said, "the answer that is owed")
    eventually(lambda: not record.exists(), "the end")
    assert json.loads(rig.said[0].payload)["model"] == json.loads(first.payload)["model"]
    assert len(rig.restarts) == 1
    assert rig.shelf.read().present is not None


def test_a_request_that_kills_each_process_is_given_up(rig: Rig) -> None:
    one = rig.publish("1.0")
    rig.source.waits.clear()
    rig.send(request_of(one).to_json(), b"1")
    record = path_of(rig.own.outbox.path)
    eventually(record.exists, "the record")
    digest, content = record.read_bytes().split(b"\n")
    assert digest
    rig.source.waits.set()
    eventually(lambda: rig.restarts, "the end of the first")
    rig.shelf.change(lambda _: Kept())
    durable.write(record, content.replace(b'"attempts":1', b'"attempts":5'))
    rig.said.clear()
    rig.start()
    eventually(lambda: rig.said, "the answer")
    assert "cut_off" in json.loads(rig.said[0].payload)["detail"]
    assert rig.shelf.read() == Kept()


@pytest.mark.parametrize("content", [b"half", b""])
def test_a_record_that_nobody_can_read_is_nobodys_request(rig: Rig, content: bytes) -> None:
    path_of(rig.own.outbox.path).write_bytes(content)
    rig.start()
    assert rig.said == []


def test_one_on_trial_that_another_one_waits_for_is_not_taken_for_it(rig: Rig) -> None:
    rig.taken(rig.publish("1.0"))
    later = rig.publish("1.1")
    rig.ask(later)
    rig.prove()  # this process still looks with the first one
    kept = rig.shelf.read()
    assert kept.present is not None
    assert (kept.present.version, kept.trial is not None) == ("1.1", True)
    assert kept.proven is None


def test_while_the_software_is_on_trial_no_model_comes_goes_or_is_proven(rig: Rig) -> None:
    rig.taken(rig.publish("1.0"))
    rig.software_on_trial = True
    rig.start()
    rig.prove()
    assert rig.shelf.read().trial is not None
    assert "on_trial" in rig.refused(rig.publish("1.1"))
    assert "on_trial" in rig.refused(None)
    rig.software_on_trial = False
    rig.prove()
    assert rig.updates.running.state == "committed"


def test_a_fetched_model_that_newer_software_takes_the_place_of_is_not_told_of(rig: Rig) -> None:
    old = put(rig.shelf, signed(rig.folder, "0.1", SIGNER))
    rig.shelf.change(lambda kept: kept.updated(old).committed())
    rig.software_on_trial = True
    rig.start()
    assert (rig.updates.running.state, rig.updates.running.artefact) == ("shipped", None)
    assert rig.shelf.read().present == old
    assert rig.shelf.holds(old)
