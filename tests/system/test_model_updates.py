"""A running box looks with another model: updated, tried, taken back, and never without one."""

import json
import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cleandesk.detector import default_manifest, read_manifest
from cleandesk_fleet.provision import modelling
from cleandesk_fleet.provision.errors import BoxError
from tests.eventually import eventually
from tests.mosquitto import needs_mosquitto
from tests.rig import BIN
from tests.signed_models import a_model, a_root, a_signer
from tests.system.model_rig import ModelBox, a_busy_desk, put, some_moments
from tests.system.provision_rig import Site
from tests.system.running_box import Log

pytestmark = [pytest.mark.system, needs_mosquitto]

MakeBox = Callable[..., ModelBox]
#: So often a box is killed in the middle of an update; `make test-models` sets it.
ROUNDS = int(os.environ.get("ROUNDS") or 0)
SHIPPED = read_manifest(default_manifest()).version


@pytest.fixture
def make_box(site: Site, tmp_path: Path) -> Iterator[MakeBox]:
    """Return a maker of claimed boxes; what still runs after the test is killed."""
    boxes: list[ModelBox] = []

    def make(name: str, **more: object) -> ModelBox:
        boxes.append(ModelBox(site, f"s1/{name}", tmp_path / name, **more))
        return boxes[-1]

    yield make
    for box in boxes:
        box.close()


@pytest.fixture(scope="module")
def log(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Log]:
    """Return the site's log; its subscriber runs."""
    with Log(site, tmp_path_factory.mktemp("log")) as running:
        yield running


def events(log: Log, box: ModelBox) -> list[dict[str, Any]]:
    return [row for row in log.events() if row["box"] == box.box.address.box]


def sees_on(log: Log, box: ModelBox) -> None:
    """Wait for what it sees from now on."""
    known = len(events(log, box))
    eventually(lambda: len(events(log, box)) > known + 1, "events")


def check_whole(log: Log, box: ModelBox) -> None:
    seqs = [row["seq"] for row in events(log, box)]
    assert seqs == list(range(1, len(seqs) + 1))
    assert [row for row in log.ask("losses") if row["box"] == box.box.address.box] == []


def ledger(box: ModelBox) -> str:
    done = subprocess.run(
        [BIN / "cleandesk", "ledger", "--config", box.box.home.settings, "--json"],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def doctor(box: ModelBox) -> dict[str, Any]:
    done = subprocess.run(
        [BIN / "cleandesk", "doctor", "--config", box.box.home.settings, "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    said: list[dict[str, Any]] = json.loads(done.stdout)["checks"]
    return next(one for one in said if one["code"] == "model_hash")


def test_a_box_is_updated_and_taken_back_and_loses_no_event(
    site: Site, make_box: MakeBox, log: Log, tmp_path: Path
) -> None:
    box = make_box("updated", **a_busy_desk(tmp_path / "desk"))
    made = site.run("model", "sign", a_model(tmp_path / "model", "1.0"), "--out", tmp_path)
    site.run("model", "publish", tmp_path / made["artefact"])
    box.started().looks_with(SHIPPED, "shipped")
    sees_on(log, box)
    said = site.run("model", "send", box.name, made["artefact"])
    assert (said["model"]["version"], said["model"]["state"]) == ("1.0", "trial")
    told = box.looks_with("1.0", "committed")
    assert told.artefact == made["sha256"]
    sees_on(log, box)
    assert "desk 1.0, committed" in doctor(box)["said"]
    assert site.run("model", "rollback", box.name)["model"]["version"] == SHIPPED
    box.looks_with(SHIPPED, "shipped")
    sees_on(log, box)
    assert box.stop() == 0
    check_whole(log, box)
    # The same weights see the same: a phone comes, and goes, and is called a phone.
    seen = events(log, box)
    assert {(row["rule"], row["class"]) for row in seen} == {("no-phone", "phone")}
    phases = [row["phase"] for row in seen if row["phase"] != "update"]
    assert phases == ["open", "close"] * (len(phases) // 2) + ["open"] * (len(phases) % 2)
    assert "The site changed the model that looks: 1.0, on trial." in ledger(box)
    trail = [row["did"] for row in site.run("list", "audit")["audit"]]
    assert {"model published", "model sent", "model taken back"} <= set(trail)


def test_what_is_open_goes_on_and_a_crash_on_trial_leads_back(
    site: Site, make_box: MakeBox, log: Log, tmp_path: Path
) -> None:
    box = make_box("crashes", safe_mode={"after_starts": 1000, "healthy_after_s": 3600})
    one = put(site, tmp_path, "2.0")
    box.started()
    eventually(lambda: events(log, box), "a violation")
    box.send(one)
    assert box.looks_with("2.0", "trial").given_up is None
    box.kill()
    told = box.started().looks_with(SHIPPED, "shipped")
    assert told.given_up == "2.0: a start with it crashed"
    assert "The model 2.0 did not work (a start with it crashed)." in ledger(box)
    assert "given_up: a start with it crashed" in box.send(one, BoxError.code)["error"]
    seen = events(log, box)
    assert len({row["violation_id"] for row in seen}) == 1, "one thing lies there, through it all"
    assert [row["phase"] for row in seen if row["phase"] != "update"] == ["open"]
    check_whole(log, box)


def test_what_must_not_be_taken_is_refused_and_the_box_looks_on(
    site: Site, make_box: MakeBox, tmp_path: Path
) -> None:
    box = make_box("refuses", ack_timeout_s=60).started()
    foreign = put(site, tmp_path, "3.0", signer=a_signer(a_root()))
    error = box.send(foreign, 2)["error"]
    assert "nobody whom this fleet's root vouches for" in error, "it is not even sent"
    asked = _ask_behind(box, foreign)
    assert "untrusted" in asked

    older = put(site, tmp_path, "0.1")
    assert "older: 0.1 is not newer" in box.send(older, BoxError.code)["error"]

    short = put(site, tmp_path, "3.1")
    path = site.fleet().settings.artefacts / short.file
    path.write_bytes(short.content[:100_000])
    assert "ends before byte" in _ask_behind(box, short)
    path.write_bytes(short.content[:100_000] + bytes(len(short.content) - 100_000))
    assert "damaged" in _ask_behind(box, short)

    blind = put(site, tmp_path, "3.2", weights=b"no model at all")
    assert "unfit" in box.send(blind, BoxError.code)["error"]
    box.looks_with(SHIPPED, "shipped")
    assert box.connects == 1
    assert box.whole_models() == [f"incoming-{blind.sha256}"]


def _ask_behind(box: ModelBox, one: Any) -> str:
    """Send a request that the command itself would not; returns why it was refused."""
    with pytest.raises(BoxError) as caught:
        modelling.send(box.site.fleet(), box.box.address, one, wait_s=60, tell=lambda _: None)
    return str(caught.value)


@pytest.mark.skipif(not ROUNDS, reason="`make test-models` kills boxes, for minutes")
@pytest.mark.timeout(120 + 120 * ROUNDS)
def test_killed_at_any_moment_a_box_has_one_whole_model_and_answers(
    site: Site, make_box: MakeBox, log: Log, tmp_path: Path
) -> None:
    box = make_box("killed", **a_busy_desk(tmp_path / "desk")).started()
    for number, moment in enumerate(some_moments(ROUNDS, 4.0), 1):
        one = put(site, tmp_path, f"4.{number}")
        sending = box.sending(one)
        eventually(box.request.exists, "the request")
        threading.Event().wait(moment)
        box.kill()
        box.started()
        out, err = sending.communicate(timeout=200)
        if sending.returncode == 0:
            assert json.loads(out)["model"]["version"] == f"4.{number}"
        else:
            assert "given_up: a start with it crashed" in err, "killed when it was on trial"
        eventually(lambda: box.settled(f"4.{number}"), "one that works")  # noqa: B023
    sees_on(log, box)
    check_whole(log, box)
