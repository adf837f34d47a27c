"""A request for another model: what is taken, what is refused and why, and what a kill leaves."""

import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from cleandesk import durable
from cleandesk.contract.publication import Received
from cleandesk.contract.topics import Address, Command, Side
from cleandesk.control import ModelUpdates
from cleandesk.control.model_change import Means
from cleandesk.control.model_updates import LEAST_LOOKS, path_of
from cleandesk.detector import Manifest, default_manifest, read_manifest
from cleandesk.identity.errors import Code, IdentityError
from cleandesk.identity.home import Home
from cleandesk.link import Paper
from cleandesk.model.fetching import Fetching
from cleandesk.model.kept import Kept
from cleandesk.model.running import manifest_of, shelf_of
from cleandesk.model.trying import Took, TryError
from cleandesk.worker.commands import Commands
from cleandesk_fleet.provision.artefacts import Artefact
from cleandesk_fleet.provision.modelling import request_of
from tests.eventually import eventually
from tests.signed_models import NOW, a_root, a_signer, signed
from tests.unit.control.make import configuration, manifest, own
from tests.unit.worker.make import SetClock

ADDRESS = Address("site", "box")
ROOT = a_root()
SIGNER = a_signer(ROOT)


class FromDisk(Fetching):
    """Fetches from a folder."""

    def __init__(self, folder: Path, clock: SetClock) -> None:
        super().__init__(Home(folder), clock, patience_s=0)
        self.folder = folder
        self.waits = threading.Event()
        self.waits.set()

    @property
    def root(self) -> x509.Certificate:
        return ROOT.certificate

    def moment(self) -> datetime:
        return NOW

    def fetch(self, name: str, size: int, path: Path) -> None:
        assert self.waits.wait(30)
        source = self.folder / name
        if not source.exists():
            raise IdentityError(Code.REFUSED, name, "there is no such file", "publish it")
        path.write_bytes(source.read_bytes()[:size])


@dataclass
class Rig:
    """A box that is asked for another model, and what it said and did."""

    folder: Path
    claimed: bool = True
    took_s: float = 0.01
    present_s: float = 0.01
    settings: dict[str, Any] = field(default_factory=dict)
    said: list[Paper] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    restarts: list[bool] = field(default_factory=list)
    tried: list[Path] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.own = own(outbox={"path": self.folder / "outbox.db"}, **self.settings)
        self.clock = SetClock()
        self.shelf = shelf_of(self.own)
        self.source = FromDisk(self.folder / "service", self.clock)
        self.source.folder.mkdir(exist_ok=True)
        self.start()

    def start(self) -> None:
        """Begin as a new process."""
        self.configuration = configuration(self.folder, **self.settings)
        self.commands = Commands(ADDRESS, self.clock, self.said.append, room=1e6)
        runs = read_manifest(manifest_of(self.own))
        self.updates = ModelUpdates(self.own, runs, self.clock, self._means())
        self.updates.serve(self.commands)
        self.updates.begin(self.commands)

    def _means(self) -> Means:
        return Means(
            shelf=self.shelf,
            fetching=self.source if self.claimed else None,
            objections=self._objections,
            slowest_s=lambda: 0.5,
            try_out=self._try,
            note=lambda name, text: self.notes.append(f"{name}: {text}"),
            restart=lambda: self.restarts.append(True),
        )

    def _objections(self, model: Manifest) -> Sequence[Any]:
        return self.configuration.objections(model)

    def _try(self, path: Path) -> Took:
        self.tried.append(path)
        if self.took_s < 0:
            raise TryError("it does not see the phone of its own picture")
        return Took(self.took_s, self.present_s)

    def publish(self, version: str, **more: Any) -> Artefact:
        one = signed(self.folder, version, more.pop("signer", SIGNER), **more)
        (self.source.folder / one.file).write_bytes(one.content)
        return one

    def send(self, body: bytes, correlation: bytes) -> None:
        topic = ADDRESS.command(Command.MODEL, Side.REQUEST)
        self.commands.take(Received(topic, body, correlation=correlation), self.clock.now())

    def ask(self, one: Artefact | None, **changes: Any) -> dict[str, Any]:
        """Ask, and wait for the answer."""
        number = len(self.said)
        self.clock.move(700)  # there are six an hour
        request = request_of(one).model_copy(update=changes)
        self.send(request.to_json(), b"%d" % number)
        eventually(lambda: len(self.said) > number, "the answer")
        eventually(lambda: not path_of(self.own.outbox.path).exists(), "the end")
        answer: dict[str, Any] = json.loads(self.said[-1].payload)
        return answer

    def refused(self, one: Artefact | None, **changes: Any) -> str:
        before, restarts = self.shelf.read(), len(self.restarts)
        answer = self.ask(one, **changes)
        assert answer["outcome"] == "failed"
        assert (self.shelf.read(), len(self.restarts)) == (before, restarts)
        assert "model" not in answer
        return str(answer["detail"])

    def taken(self, one: Artefact | None) -> dict[str, Any]:
        restarts = len(self.restarts)
        answer = self.ask(one)
        assert answer["outcome"] == "done", answer
        eventually(lambda: len(self.restarts) == restarts + 1, "the restart")
        self.start()
        model: dict[str, Any] = answer["model"]
        return model

    def prove(self) -> None:
        for _ in range(LEAST_LOOKS + 1):
            self.updates.looked(self.clock.now())
            self.clock.move(60)

    @property
    def runs(self) -> str:
        return self.updates.running.version


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
    rig.took_s, rig.present_s = 1.2, 1.0
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
