"""A request for other software: what is fetched, what is refused, and what a kill leaves."""

import errno
import json
import os
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cleandesk import durable
from cleandesk.control.updates import SPARE_BYTES
from cleandesk.identity.errors import Code, IdentityError
from cleandesk.update.told import Step
from tests.eventually import eventually
from tests.started import ON_TRIAL
from tests.unit.control.update_rig import NEWER, OLDER, OTHER_BOOT, RUNS, Rig


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Rig]:
    return lambda **more: Rig(tmp_path, **more)


@pytest.fixture
def rig(make: Callable[..., Rig]) -> Rig:
    return make()


def test_a_newer_one_is_fetched_handed_over_and_told_of_to_its_end(rig: Rig) -> None:
    assert rig.health == {"version": RUNS, "state": "committed"}
    answer = rig.ask(rig.publish())
    assert answer["outcome"] == "done"
    assert answer["update"] == {"version": RUNS, "state": "waiting", "coming": NEWER}
    assert rig.drop.bundle.read_bytes() == b"bundle" * 100
    assert stat.S_IMODE(rig.drop.bundle.stat().st_mode) == 0o640, "the updater reads it"
    assert [path.name for path in rig.drop.folder.iterdir()] == ["update.raucb"]
    (note,) = rig.notes
    assert note.startswith("software_sent: ")
    assert NEWER in note

    rig.installs()
    assert rig.health == {"version": RUNS, "state": "installed", "coming": NEWER}
    rig.runs(NEWER)
    rig.cmdline.write_text(ON_TRIAL)
    rig.start(OTHER_BOOT)
    assert rig.health == {"version": NEWER, "state": "trial"}
    assert rig.notes[1:] == [
        f"software_changed: The box runs other software: version {NEWER} in place of {RUNS}."
    ]
    rig.committed.touch()
    rig.start(OTHER_BOOT)
    assert rig.health == {"version": NEWER, "state": "committed"}
    assert len(rig.notes) == 2, "it is told once"


def test_while_it_comes_the_box_says_how_much_of_it_is_there(rig: Rig) -> None:
    rig.source.waits.clear()
    rig.send(rig.publish().to_json(), b"1")
    eventually(lambda: rig.health.get("fetched") == 0.5, "half of it")
    assert rig.health["state"] == "fetching"
    rig.source.waits.set()
    eventually(lambda: rig.said, "the answer")
    assert "fetched" not in rig.health


def test_what_runs_already_changes_nothing_and_what_is_older_is_refused(rig: Rig) -> None:
    answer = rig.ask(rig.publish(RUNS))
    assert (answer["outcome"], answer["detail"]) == ("done", "it runs already")
    assert f"older: version {OLDER} is older than {RUNS}" in rig.refused(rig.publish(OLDER))
    assert rig.source.fetched == 0
    assert rig.health["given_up"].startswith(f"{OLDER}: older")
    rig.ask(rig.publish())
    assert "given_up" not in rig.health, "it was of the one before"


def test_what_is_not_what_was_asked_for_is_refused_and_leaves_nothing(rig: Rig) -> None:
    one = rig.publish()
    assert "damaged: it is not the file" in rig.refused(one, sha256="0" * 64)
    assert "damaged" in rig.refused(one, size=500)
    assert "refused: there is no such file" in rig.refused(one, artefact="none.raucb")
    assert list(rig.drop.folder.iterdir()) == []
    assert rig.notes == []
    assert rig.ask(one)["outcome"] == "done"


def test_without_room_it_is_refused_with_the_figures_before_it_begins(rig: Rig) -> None:
    one = rig.publish()
    rig.free = SPARE_BYTES + one.size - 1
    needed, free = (SPARE_BYTES + one.size) / 1e6, rig.free / 1e6
    assert f"disk: it needs {needed:.0f} MB and {free:.0f} MB are free" in rig.refused(one)
    assert rig.source.fetched == 0
    rig.free += 1
    assert rig.ask(one)["outcome"] == "done"


def test_a_disk_that_is_full_in_the_middle_gets_its_room_back(rig: Rig) -> None:
    rig.source.fails = OSError(28, os.strerror(28))
    assert "disk: no space left on device" in rig.refused(rig.publish())
    assert list(rig.drop.folder.iterdir()) == []


def test_what_a_service_that_is_away_brought_is_kept_for_the_next_time(rig: Rig) -> None:
    one = rig.publish()
    rig.source.fails = IdentityError(Code.SERVICE_AWAY, "service", "no answer", "is it running?")
    assert "service_away" in rig.refused(one)
    assert rig.drop.has(one.sha256) == one.size // 2
    assert "older" in rig.refused(rig.publish(OLDER))
    assert rig.drop.has(one.sha256) == one.size // 2, "another one's refusal takes nothing away"
    rig.source.fails = None
    assert rig.ask(one)["outcome"] == "done"


def test_boxes_whose_software_nobody_installs_say_so(rig: Rig) -> None:
    one = rig.publish()
    rig.keyring.unlink()
    assert "no_updates" in rig.refused(one)
    rig.keyring.touch()
    rig.drop.folder.rmdir()
    assert "no_updates" in rig.refused(one)
    rig.system.unlink()
    rig.start()
    assert rig.updates.running is None
    assert "no_updates" in rig.refused(one)


def test_a_box_without_a_key_of_its_own_says_so(make: Callable[..., Rig]) -> None:
    rig = make(claimed=False)
    assert "not_claimed" in rig.refused(rig.publish())


def test_on_trial_and_with_one_that_waits_the_next_one_has_to_wait(rig: Rig) -> None:
    rig.cmdline.write_text(ON_TRIAL)
    assert "on trial itself" in rig.refused(rig.publish(), "busy")
    rig.committed.touch()
    rig.ask(rig.publish())
    assert "waits to be installed" in rig.refused(rig.publish("0.1.400"), "busy")
    assert "given_up" not in rig.health


def test_a_second_request_meanwhile_is_told_to_come_again(rig: Rig) -> None:
    one = rig.publish()
    rig.source.waits.clear()
    rig.send(one.to_json(), b"1")
    rig.send(one.to_json(), b"1")
    rig.send(one.to_json(), b"2")
    eventually(lambda: len(rig.said) == 1, "an answer")
    assert json.loads(rig.said[0].payload)["outcome"] == "busy"
    rig.source.waits.set()
    eventually(lambda: len(rig.said) == 2, "the other")
    assert (rig.said[1].correlation, rig.source.fetched) == (b"1", 1)
    eventually(lambda: not rig.record.exists(), "the end")
    rig.send(one.to_json(), b"1")
    eventually(lambda: len(rig.said) == 3, "the same again")
    assert rig.said[2].payload == rig.said[1].payload
    assert rig.source.fetched == 1


def test_who_asks_first_is_first_whichever_thread_begins_first(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, late = rig.publish(), list[threading.Thread]()
    begin = threading.Thread.start

    def begin_late(thread: threading.Thread) -> None:
        late.append(thread)

    monkeypatch.setattr(threading.Thread, "start", begin_late)
    rig.send(one.to_json(), b"1")
    rig.send(one.to_json(), b"2")
    monkeypatch.undo()
    begin(late[1])
    eventually(lambda: rig.said, "an answer")
    begin(late[0])
    eventually(lambda: len(rig.said) == 2, "the other")
    outcomes = [(one.correlation, json.loads(one.payload)["outcome"]) for one in rig.said]
    assert outcomes == [(b"2", "busy"), (b"1", "done")]


def test_one_that_was_left_is_told_of_and_not_taken_again_unasked(rig: Rig) -> None:
    one = rig.publish()
    rig.ask(rig.publish())
    rig.installs()
    rig.start(OTHER_BOOT)
    assert rig.health["given_up"] == f"{NEWER}: left: it did not start, or crashed"
    assert "given_up: it did not start" in rig.refused(one)
    (note,) = [note for note in rig.notes if note.startswith("update_given_up")]
    assert f"was not kept ({NEWER}: left: it did not start, or crashed)" in note
    assert note.endswith(f"The box runs version {RUNS}.")
    rig.updater(OTHER_BOOT).tell(Step.REFUSED, "0.1.400", "of somebody else")
    assert "given_up: it did not start" in rig.refused(one), "another one's refusal changes nothing"
    assert rig.ask(one, again=True)["outcome"] == "done"


def test_what_the_updater_refused_is_told_and_may_be_asked_for_again(rig: Rig) -> None:
    one = rig.publish()
    rig.ask(one)
    rig.updater().tell(Step.REFUSED, NEWER, "signature verification failed")
    rig.drop.bundle.unlink()
    given_up = f"{NEWER}: refused: signature verification failed"
    assert rig.health == {"version": RUNS, "state": "committed", "given_up": given_up}
    rig.start()
    rig.start()
    (note,) = rig.notes[1:]
    assert note.startswith(
        f"update_given_up: An update of the box's software was not kept ({given_up}"
    )
    assert rig.ask(one)["outcome"] == "done"


def test_what_the_box_did_not_take_is_told_no_longer_than_it_is_the_last_word(rig: Rig) -> None:
    rig.refused(rig.publish(OLDER))
    rig.start()
    assert rig.health["given_up"].startswith(f"{OLDER}: older")
    rig.updater().tell(Step.REFUSED, NEWER, "signature verification failed")
    rig.start()
    assert rig.health["given_up"].startswith(f"{NEWER}: refused"), "of a technician's card"
    rig.refused(rig.publish(OLDER))
    rig.ask(rig.publish(RUNS))
    assert not rig.health["given_up"].startswith(OLDER)
    rig.refused(rig.publish(OLDER))
    rig.runs(NEWER)
    rig.start(OTHER_BOOT)
    assert not rig.health["given_up"].startswith(OLDER)


def test_a_disk_that_fails_is_told_of_and_ends_nothing(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(Path, "stat", fails)
    assert rig.health == {"version": RUNS, "state": "committed"}


def test_what_a_newer_version_kept_is_read_by_an_older_one_as_far_as_it_knows(rig: Rig) -> None:
    one, seen = rig.publish(), rig.outbox.with_name("outbox.db.software")
    for path, more in (
        (seen, {"version": OLDER, "hour": 3}),
        (
            rig.record,
            {"correlation": "31", "topic": "t", "request": json.loads(one.to_json()), "hour": 3},
        ),
    ):
        durable.write(path, json.dumps(more).encode())
    rig.start()
    eventually(lambda: rig.said, "the answer that is owed")
    assert json.loads(rig.said[0].payload)["outcome"] == "done"
    assert any("software_changed" in note for note in rig.notes)


@pytest.mark.parametrize("handed", [False, True])
def test_a_process_that_ended_anywhere_is_gone_on_with_and_answers(
    rig: Rig, *, handed: bool
) -> None:
    one = rig.publish()
    rig.source.waits.clear()
    rig.send(one.to_json(), b"1")
    eventually(lambda: rig.drop.has(one.sha256), "the first half")
    content = durable.read(rig.record)
    assert content is not None
    if handed:  # as if it had been killed between the last note and the answer
        content = content.replace(b'"handed":false', b'"handed":true')
    rig.source.waits.set()
    eventually(lambda: rig.said, "the end of the first")
    eventually(lambda: not rig.record.exists(), "the end of its record")
    if not handed:
        rig.drop.bundle.rename(rig.drop.incoming(one.sha256))
    durable.write(rig.record, content)
    rig.said.clear()
    rig.start()
    eventually(lambda: rig.said, "the answer that is owed")
    answer = json.loads(rig.said[0].payload)
    assert (answer["outcome"], answer["update"]["state"]) == ("done", "waiting")
    assert rig.drop.bundle.stat().st_size == one.size


def test_what_was_handed_over_and_is_gone_by_now_is_not_fetched_once_more(rig: Rig) -> None:
    one = rig.publish()
    begun = {"correlation": "31", "topic": "t", "request": json.loads(one.to_json())}
    durable.write(rig.record, json.dumps(begun | {"handed": True}).encode())
    rig.start()
    eventually(lambda: rig.said, "the answer that is owed")
    assert json.loads(rig.said[0].payload)["outcome"] == "done"
    assert (rig.source.fetched, rig.drop.handed) == (0, False)


@pytest.mark.parametrize(("had", "outcome"), [(100, "failed"), (0, "done")])
def test_a_request_that_kills_each_process_is_given_up_unless_it_gets_on(
    rig: Rig, had: int, outcome: str
) -> None:
    one = rig.publish()
    rig.drop.incoming(one.sha256).write_bytes((b"bundle" * 100)[:100])
    begun = {"correlation": "31", "topic": "t", "request": json.loads(one.to_json())}
    durable.write(rig.record, json.dumps(begun | {"attempts": 5, "had": had}).encode())
    rig.start()
    eventually(lambda: rig.said, "the answer")
    answer = json.loads(rig.said[0].payload)
    assert answer["outcome"] == outcome
    assert ("cut_off" in answer.get("detail", "")) == (outcome == "failed")


@pytest.mark.parametrize("content", [b"half", b""])
def test_records_that_nobody_can_read_are_nobodys(rig: Rig, content: bytes) -> None:
    rig.record.write_bytes(content)
    rig.outbox.with_name("outbox.db.software").write_bytes(content)
    (rig.told / "told").write_bytes(content)
    rig.start()
    assert rig.said == []
    assert rig.health == {"version": RUNS, "state": "committed"}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"artefact": "x", "version": "0.1.2", "sha256": "0" * 64},
        {"artefact": "../x", "version": "0.1.2", "sha256": "0" * 64, "size": 9},
        {"artefact": "x", "version": "latest", "sha256": "0" * 64, "size": 9},
        {"artefact": "x", "version": "0.1.2", "sha256": "0" * 64, "size": 2**30},
        {"url": "https://elsewhere/x"},
    ],
)
def test_what_is_no_request_is_invalid(rig: Rig, body: dict[str, Any]) -> None:
    rig.send(json.dumps(body).encode(), b"1")
    assert json.loads(rig.said[0].payload)["outcome"] == "invalid"
