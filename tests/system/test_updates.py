"""A running box takes an update over the network: asked, fetched, installed, tried, told of."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cleandesk.contract.bundle import UpdateError
from cleandesk.contract.topics import Command
from cleandesk.contract.update_messages import UpdateRequest, UpdateResponse, UpdateState
from cleandesk.update.install import Outcome
from cleandesk.update.told import Step, Teller
from cleandesk_fleet.provision.crowd import Crowd
from cleandesk_fleet.provision.errors import BoxError, OfflineError
from tests.eventually import eventually
from tests.mosquitto import needs_mosquitto
from tests.signed_bundles import needs_rauc
from tests.started import ON_TRIAL
from tests.system.provision_rig import Site
from tests.system.running_box import Log
from tests.system.update_rig import RUNS, Releases, UpdateBox

pytestmark = [pytest.mark.system, needs_mosquitto, needs_rauc]

MakeBox = Callable[..., UpdateBox]


@pytest.fixture(scope="module")
def releases(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Releases:
    return Releases(site, tmp_path_factory.mktemp("releases"))


@pytest.fixture
def make_box(site: Site, releases: Releases, tmp_path: Path) -> Iterator[MakeBox]:
    """Return a maker of claimed boxes; what still runs after the test is killed."""
    boxes: list[UpdateBox] = []

    def make(name: str, **more: object) -> UpdateBox:
        folder = tmp_path / name
        boxes.append(UpdateBox(site, f"s1/{name}", folder, releases.signer, **more))
        return boxes[-1]

    yield make
    for box in boxes:
        box.close()


def _says(box: UpdateBox, state: UpdateState, **more: str) -> None:
    def so() -> bool:
        told = box.tells()
        return (
            told is not None and told.state is state and told.model_dump().items() >= more.items()
        )

    eventually(so, f"its word: {state}")


def test_a_box_is_updated_and_what_is_open_goes_on(
    site: Site, make_box: MakeBox, releases: Releases, tmp_path: Path
) -> None:
    newer = "0.1.300"
    made = releases.publish(newer)
    with Log(site, tmp_path) as log:
        box = make_box("updated").started()
        _says(box, UpdateState.COMMITTED, version=RUNS)
        eventually(log.events, "a violation")
        row = box.send(newer, "--wait", "60")
        assert (row["result"], row["runs"], row["coming"]) == ("taken", RUNS, newer)
        assert box.drop.bundle.stat().st_size == made["size"]
        _says(box, UpdateState.WAITING, coming=newer)
        assert box.update() is Outcome.INSTALLED
        assert not box.drop.handed
        _says(box, UpdateState.INSTALLED, coming=newer)

        # The start that tries it: as systemd and the boot loader do.
        assert box.stop() == 0
        box.image.starts_with(newer)
        (box.image.folder / "cmdline").write_text(ON_TRIAL)
        box.started()
        _says(box, UpdateState.TRIAL, version=newer)
        Teller(box.image.folder / "told", newer, "0" * 32).tell(Step.COMMITTED, newer)
        (box.image.folder / "committed").touch()
        _says(box, UpdateState.COMMITTED, version=newer)
        assert box.send(newer)["result"] == "runs"

        ledger = box.ledger()
        assert f"by its word version {newer}. The box is to start anew with it" in ledger
        assert f"The box runs other software: version {newer} in place of {RUNS}." in ledger
        seen = log.events()
        assert len({row["violation_id"] for row in seen}) == 1, "one thing lies there all along"
        assert [row["phase"] for row in seen if row["phase"] != "update"] == ["open"]
    rows = {row["box"]: row for row in site.run("update", "status", "s1")["boxes"]}
    assert (rows[box.name]["runs"], rows[box.name]["state"]) == (newer, "committed")
    trail = [row["did"] for row in site.run("list", "audit")["audit"]]
    assert {"update published", "update sent"} <= set(trail)


def test_what_must_not_be_taken_is_refused_and_the_box_looks_on(
    site: Site, make_box: MakeBox, releases: Releases, tmp_path: Path
) -> None:
    box = make_box("refuses", ack_timeout_s=60).started()
    _says(box, UpdateState.COMMITTED)
    looked = box.frames()

    older = releases.publish("0.1.100")
    row = box.send(older["version"], code=BoxError.code)
    assert "older: version 0.1.100 is older than 0.1.200" in row["detail"]
    assert row["given_up"].startswith("0.1.100: older")

    # Changed after it was published: the command itself would not send that.
    spoilt = releases.publish("0.1.310")
    request = UpdateRequest(
        **{name: spoilt[name] for name in ("artefact", "version", "sha256", "size")}
    )
    path = site.fleet().settings.artefacts / spoilt["artefact"]
    content = path.read_bytes()
    path.write_bytes(bytes(len(content)))
    assert "damaged: it is not the file" in _ask(box, request)
    path.write_bytes(content[:1000])
    assert "ends before byte" in _ask(box, request)
    assert list(box.drop.folder.iterdir()) == []

    # Whole, and signed by somebody else: that is for the updater to see.
    stranger = Releases(site, tmp_path / "stranger")
    theirs = stranger.publish("0.1.320")
    assert box.send(theirs["version"], "--wait", "60")["result"] == "taken"
    releases.trust()
    assert box.site.run("update", "send", box.name, theirs["version"], code=2)["error"]
    with pytest.raises(UpdateError, match=r"signature|certificate"):
        box.update()
    assert not box.drop.handed
    eventually(lambda: "refused: " in str(box.tells()), "its word")
    assert box.connects == 1, "it never began anew"
    eventually(lambda: box.frames() > looked, "more pictures that it looked at")


def _ask(box: UpdateBox, request: UpdateRequest) -> str:
    """Send a request that the command itself would not; returns why it was refused."""
    admin = box.site.fleet().admin()
    crowd = Crowd(admin, Command.UPDATE, UpdateResponse, [box.box.address])
    (asked,) = crowd.ask(request, wait_s=60, tell=lambda _: None)
    assert asked.answer is not None
    return str(asked.answer.detail)


def test_a_share_is_asked_first_and_who_is_offline_is_told_of(
    site: Site, make_box: MakeBox, releases: Releases
) -> None:
    version = releases.publish("0.1.400")["version"]
    box = make_box("here").started()
    site.run("site", "add", "s2")
    site.enrol("s2/away-1")
    site.enrol("s2/away-2")
    done = site.run_any("update", "send", "s2", version, "--share", "50%")
    assert done.code == OfflineError.code
    assert (done.json["meant"], done.json["chosen"]) == (2, 1)
    assert [row["result"] for row in done.json["boxes"]] == ["offline"]
    everybody = site.run("update", "send", "all", version, "--share", "2", "--dry-run")
    assert everybody["chosen"] == 2
    done = site.run_any("update", "send", "all", version, "--wait", "60")
    assert done.code == OfflineError.code, done
    results = {row["box"]: row["result"] for row in done.json["boxes"]}
    assert (results[box.name], results["s2/away-1"]) == ("taken", "offline")
    assert done.json["results"]["taken"] == 1
    rows = {row["box"]: row for row in site.run("update", "status")["boxes"]}
    assert rows["s2/away-2"]["runs"] is None
    assert rows[box.name]["connection"] == "online"


def test_the_same_request_twice_is_done_once_and_through_a_restart(
    make_box: MakeBox, releases: Releases
) -> None:
    # For half a minute: all that is looked at meanwhile is over by then, on a slow machine, too.
    version = releases.publish("0.1.500", kib=30_000)["version"]
    box = make_box("restarts", per_s=1_000_000).started()
    row = box.send(version, "--wait", "5")
    assert row["result"] == "asked"
    eventually(lambda: "fetching" in str(box.tells()), "its word")
    assert box.send(version)["result"] == "busy"
    assert box.stop() == 0, "an orderly end does not wait for it"
    box.per_s = 1e9
    box.started()
    eventually(lambda: box.drop.handed, "the rest of it")
    eventually(lambda: len(box.answers_to(Command.UPDATE)) == 2, "both answers")
    outcomes = [json.loads(row["payload"])["outcome"] for row in box.answers_to(Command.UPDATE)]
    assert outcomes == ["busy", "done"]
    assert box.update() is Outcome.INSTALLED
