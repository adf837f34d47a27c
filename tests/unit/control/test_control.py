"""Requests about the box and configurations, as they come by MQTT, and what the loop does."""

import errno
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from cleandesk.contract.commands import Response
from cleandesk.contract.config_messages import ConfigOutcome, ReportedConfig
from cleandesk.contract.messages import Availability, Status
from cleandesk.contract.publication import Received
from cleandesk.contract.topics import Address, Channel, Command, Side
from cleandesk.control import Control, Effect, kept, software
from cleandesk.control.configuration import CHANGES_AN_HOUR
from cleandesk.control.control import Hands
from cleandesk.control.software import Where
from cleandesk.link import Outbox, Paper
from cleandesk.settings import OutboxSettings
from cleandesk.worker.commands import Commands
from tests.unit.control.make import DESK, RULE, configuration, desired
from tests.unit.worker.make import BOOT, SetClock

ADDRESS = Address("site", "box")
STATUS = Status(state=Availability.ONLINE, boot=BOOT, version="1", model="desk 1")


@dataclass
class Rig:
    """Control with a real outbox and registry, and what it did."""

    control: Control
    outbox: Outbox
    commands: Commands
    clock: SetClock
    reported: list[ReportedConfig]
    said: list[Paper] = field(default_factory=list)
    republished: list[bool] = field(default_factory=list)

    def desire(self, payload: bytes) -> Effect:
        self.control.take(Received(ADDRESS.topic(Channel.DESIRED), payload, retain=True))
        return self.control.step()

    def ask(self, command: Command, body: bytes, correlation: bytes = b"1") -> None:
        topic = ADDRESS.command(command, Side.REQUEST)
        received = Received(topic, body, correlation=correlation)
        self.commands.take(received, self.clock.now())

    def answers(self, kind: type[Response] = Response) -> list[Any]:
        return [kind.model_validate_json(paper.payload).outcome for paper in self.said]

    def notes(self) -> list[str]:
        return [
            one.payload.decode() for one in self.outbox.ledger() if b"site changed" in one.payload
        ]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Any]:
    clock, boxes = SetClock(), []

    def made(*, live: bool = True, **more: object) -> Rig:
        outbox = Outbox(
            OutboxSettings(path=tmp_path / "outbox.db"), ADDRESS, boot=BOOT, clock=clock
        )
        boxes.append(outbox)
        reported: list[ReportedConfig] = []
        republished: list[bool] = []
        said: list[Paper] = []
        hands = Hands(
            report=reported.append,
            republish=lambda: republished.append(True),
            status=lambda: STATUS,
            wake=lambda: None,
            live=live,
        )
        control = Control(configuration(tmp_path, BOOT, **more), clock, outbox, hands)
        commands = Commands(ADDRESS, clock, said.append, room=1e6)
        control.serve(commands)
        return Rig(control, outbox, commands, clock, reported, said, republished)

    yield made
    for outbox in boxes:
        outbox.close()


@pytest.mark.parametrize(
    ("config", "effect"),
    [
        ({"rules": [RULE | {"dwell_s": 1}]}, Effect.CHANGED),
        ({"zones": {"desk": DESK, "chair": DESK}}, Effect.CHANGED),
        ({"breaks": {"length_s": 60}}, Effect.CHANGED),
        ({"looks_per_s": 1}, Effect.RESTART),
        ({"rules": [RULE | {"dwell_s": 1}], "gate": "off"}, Effect.RESTART),
        ({}, Effect.CHANGED),
        ({"lookz": 1}, Effect.NONE),
    ],
)
def test_rules_zones_and_breaks_change_live_and_the_rest_by_a_restart(
    make: Any, config: dict[str, Any], effect: Effect
) -> None:
    rig = make()
    assert rig.desire(desired(1, **config)) is effect
    assert rig.control.restarting == (effect is Effect.RESTART)


def test_what_waits_for_a_restart_is_not_reported_before_it_runs(make: Any) -> None:
    rig = make()
    rig.desire(desired(1, looks_per_s=1))
    assert rig.reported == []


def test_the_zone_that_absence_counts_in_changes_by_a_restart(make: Any) -> None:
    rig = make(worker={"zone": "desk"})
    moved = {"polygon": [[0, 0], [1, 0], [0, 1]]}
    assert rig.desire(desired(1, zones={"desk": moved})) is Effect.RESTART


def test_in_safe_mode_whatever_is_accepted_leads_out(make: Any) -> None:
    assert make(live=False).desire(desired(1, breaks={})) is Effect.RESTART


def test_a_change_is_in_the_ledger_before_it_runs(make: Any) -> None:
    rig = make()
    rig.desire(desired(1, rules=[RULE | {"dwell_s": 1}], breaks={"length_s": 60}))
    (note,) = rig.notes()
    assert "rules, breaks (version 1)" in note
    rig.desire(desired(2, lookz=1))
    assert rig.notes() == [note]


def test_of_several_only_the_newest_counts_and_an_emptied_topic_asks_for_nothing(
    make: Any,
) -> None:
    rig = make()
    for payload in (b"", desired(3, lookz=1), desired(4)):
        rig.control.take(Received(ADDRESS.topic(Channel.DESIRED), payload))
    assert rig.control.step() is Effect.CHANGED
    for payload in (desired(5), b""):
        rig.control.take(Received(ADDRESS.topic(Channel.DESIRED), payload))
    assert rig.control.step() is Effect.NONE
    assert [(one.outcome, one.version) for one in rig.reported] == [(ConfigOutcome.ACCEPTED, 4)]


def _outcomes(rig: Rig) -> list[tuple[ConfigOutcome, int | None, int | None]]:
    return [(one.outcome, one.version, one.running_version) for one in rig.reported]


def _flood(rig: Rig, first: int, last: int) -> None:
    for version in range(first, last + 1):
        rig.desire(desired(version, rules=[RULE | {"dwell_s": version}]))


def test_of_a_flood_the_newest_waits_is_reported_busy_and_taken_when_there_is_room(
    make: Any,
) -> None:
    rig = make()
    _flood(rig, 1, CHANGES_AN_HOUR)
    assert len(rig.notes()) == CHANGES_AN_HOUR
    rig.reported.clear()
    _flood(rig, 101, 103)
    waits = [(ConfigOutcome.BUSY, version, CHANGES_AN_HOUR) for version in (101, 102, 103)]
    assert _outcomes(rig) == waits
    assert all(one.problems[0].reason and one.problems[0].fix for one in rig.reported)
    assert len(rig.notes()) == CHANGES_AN_HOUR, "a flood fills no ledger"
    rig.clock.move(3599)
    assert rig.control.step() is Effect.NONE
    rig.clock.move(1)
    assert rig.control.step() is Effect.CHANGED
    assert _outcomes(rig) == [*waits, (ConfigOutcome.ACCEPTED, 103, 103)]
    assert rig.control.step() is Effect.NONE


@pytest.mark.parametrize("newer", [b"", desired(500, lookz=1)], ids=["emptied", "nonsense"])
def test_what_waits_is_dropped_for_what_came_after_it(make: Any, newer: bytes) -> None:
    rig = make()
    _flood(rig, 1, CHANGES_AN_HOUR + 1)
    rig.desire(newer)
    assert rig.reported[-1].outcome is not ConfigOutcome.BUSY
    rig.clock.move(3600)
    assert rig.control.step() is Effect.NONE
    assert rig.control.settings.rules[0].dwell_s == CHANGES_AN_HOUR


def test_a_flood_of_nonsense_is_read_a_little_at_a_time_and_the_newest_counts(make: Any) -> None:
    rig = make()
    for _ in range(1000):
        rig.desire(b"nonsense")
    assert 0 < len(rig.reported) < 100
    assert rig.desire(desired(1)) is Effect.NONE
    rig.clock.move(60)
    assert rig.control.step() is Effect.CHANGED
    assert rig.reported[-1].outcome is ConfigOutcome.ACCEPTED


def test_a_change_is_proven_by_looks_for_a_while_and_not_by_time_alone(
    make: Any, tmp_path: Path
) -> None:
    def proven() -> bool:
        return configuration(tmp_path).proven

    rig = make()
    rig.clock.move(1000)
    rig.desire(desired(1, looks_per_s=1))
    rig.clock.move(59)
    rig.control.looked(rig.clock.now())
    assert not proven(), "it runs for less than safe_mode.healthy_after_s"
    rig.clock.move(1000)
    rig.control.step()
    assert not proven(), "nothing was looked at"
    rig.control.looked(rig.clock.now())
    assert proven()


def test_a_change_is_not_proven_while_the_software_is_on_trial(
    make: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = Where(cmdline=tmp_path / "cmdline", committed=tmp_path / "committed")
    where.cmdline.write_text("quiet cleandesk.trial")
    monkeypatch.setattr(software, "WHERE", where)
    rig = make()
    rig.desire(desired(1, looks_per_s=1))
    rig.clock.move(1000)
    rig.control.looked(rig.clock.now())
    assert not configuration(tmp_path).proven, "the version before has nothing else to go back to"
    where.committed.touch()
    rig.control.looked(rig.clock.now())
    assert configuration(tmp_path).proven


def test_a_change_that_was_given_up_is_in_the_ledger_once(make: Any, tmp_path: Path) -> None:
    rig = make()
    rig.desire(desired(7, looks_per_s=1))
    rig.outbox.close()
    assert kept.fall_back(tmp_path / "outbox.db.config", "3 starts in a row crashed")
    for _ in range(2):
        rig = make()
        rig.control.begin()
        assert _outcomes(rig) == [(ConfigOutcome.REJECTED, 7, None)]
        notes = [one.payload.decode() for one in rig.outbox.ledger()]
        rig.outbox.close()
    (told,) = [note for note in notes if "goes by the one before again" in note]
    assert "(version 7) 3 starts in a row crashed. " in told
    assert "(version of the box)" in told


def test_limits_on_breaks_are_a_change_of_the_configuration(make: Any) -> None:
    rig = make()
    rig.ask(Command.SET_BREAK_LIMITS, b'{"limits": {"length_s": 900}}')
    assert rig.answers() == [], "it is answered once it is so"
    assert rig.control.step() is Effect.CHANGED
    assert rig.answers() == ["done"]
    assert rig.control.settings.breaks.length_s == 900
    assert rig.reported[-1].break_limits_set
    assert len(rig.notes()) == 1


def test_limits_that_the_disk_does_not_take_have_failed(
    make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = make()

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(kept, "write", full)
    rig.ask(Command.SET_BREAK_LIMITS, b'{"limits": {"length_s": 900}}')
    assert rig.control.step() is Effect.NONE
    assert rig.answers() == ["failed"], "not 'off': the camera is well"
    assert rig.control.settings.breaks.length_s is None


@pytest.mark.parametrize("body", [b"", b"{}", b'{"limits": {"length_s": 1}}', b'{"limits": []}'])
def test_malformed_limits_are_answered_counted_and_change_nothing(make: Any, body: bytes) -> None:
    rig = make()
    rig.ask(Command.SET_BREAK_LIMITS, body)
    assert rig.control.step() is Effect.NONE
    assert rig.answers() == ["invalid"]
    assert rig.commands.health.refused == 1


def test_a_restart_is_answered_before_it_is_done_and_done_once(make: Any) -> None:
    rig = make()
    rig.ask(Command.RESTART, b"{}")
    assert rig.answers() == ["done"]
    assert rig.control.step() is Effect.RESTART


def test_state_is_told_and_published_anew(make: Any) -> None:
    rig = make()
    rig.ask(Command.STATE, b"{}")
    assert b'"state":"online"' in rig.said[0].payload
    assert rig.republished == [True]


def test_a_request_that_nobody_serves_or_that_is_retained_is_counted(make: Any) -> None:
    rig = make()
    rig.ask(Command.SPOT_CHECK, b"{}")
    topic = ADDRESS.command(Command.RESTART, Side.REQUEST)
    rig.commands.take(Received(topic, b"{}", retain=True, correlation=b"2"), rig.clock.now())
    rig.commands.take(Received(topic + "/x", b"{}", correlation=b"3"), rig.clock.now())
    assert (rig.commands.health.ignored, rig.said) == (3, [])
    assert rig.control.step() is Effect.NONE
