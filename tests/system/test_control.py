"""A box that is configured and asked from afar, and one that crashes again and again."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cleandesk.contract.config_messages import ConfigOutcome
from cleandesk.contract.messages import Availability, BreakReason, PrivacyState
from cleandesk.contract.topics import Channel, Command
from cleandesk.control.configuration import CHANGES_AN_HOUR
from cleandesk.worker import protocol as p
from tests.company import Company, company_of, desire, reported, retain
from tests.eventually import eventually
from tests.mosquitto import needs_mosquitto
from tests.rig import (
    BIN,
    CLIP,
    TRUTH,
    WHOLE,
    Rig,
    frame_of,
    presence,
    wait_for_health,
    wait_for_privacy,
    wait_for_status,
)
from tests.system.conftest import MakeRig

pytestmark = [pytest.mark.system, needs_mosquitto]

EXIT_RESTART_ME = 75


@pytest.fixture
def rig(make_rig: MakeRig, tmp_path: Path) -> Rig:
    visits = json.loads(TRUTH.read_text(encoding="utf-8"))["visits"]
    phone = next(visit for visit in visits if visit["class"] == "phone")
    folder = frame_of(CLIP, (phone["from_s"] + phone["to_s"]) / 2, tmp_path / "pictures")
    return make_rig(
        camera={"source": str(folder), "repeat": True},
        rules=[presence("phone")],
        safe_mode={"after_starts": 3, "healthy_after_s": 3600},
    )


@pytest.fixture
def company(rig: Rig) -> Iterator[Company]:
    with company_of(rig.broker.port) as company:
        yield company


def _online(rig: Rig) -> None:
    wait_for_status(rig.broker.port, lambda one: one.state is Availability.ONLINE)


def _ledger(rig: Rig) -> list[dict[str, Any]]:
    made = subprocess.run(
        [BIN / "cleandesk", "ledger", "--config", rig.box_config, "--json"],
        capture_output=True,
        text=True,
        check=True,
    )
    return [json.loads(line) for line in made.stdout.splitlines()]


def test_rules_change_while_the_box_runs_and_the_ledger_says_so(rig: Rig) -> None:
    rig.start_subscriber()
    rig.start_box()
    reported(rig, ConfigOutcome.OWN, None)
    eventually(lambda: [row for row in rig.violations() if row["closed_at"] is None], "a violation")
    desire(rig, 1, {"rules": [presence("phone", severity="high") | {"name": "other"}]})
    accepted = reported(rig, ConfigOutcome.ACCEPTED, 1)
    assert accepted.running_version == 1
    eventually(
        lambda: [row for row in rig.events() if row["rule"] == "other"], "a violation of the new"
    )
    closed = [row for row in rig.events() if row["phase"] == "close"]
    assert [(row["rule"], row["reason"]) for row in closed] == [("no-phone", "config")]
    assert rig.alive("box")
    assert "The site changed what this box runs by: rules (version 1)." in json.dumps(_ledger(rig))

    desire(rig, 2, {"rules": [], "broker": {"host": "elsewhere"}, "zones": {"desk": 3}})
    rejected = reported(rig, ConfigOutcome.REJECTED, None)
    assert (rejected.running_version, rejected.running_sha256) == (1, accepted.sha256)
    assert {one.key for one in rejected.problems} == {
        "config.broker",
        "config.rules",
        "config.zones.desk",
    }


def test_what_cannot_change_live_restarts_the_box_which_says_what_runs(rig: Rig) -> None:
    rig.start_box()
    _online(rig)
    desire(rig, 7, {"looks_per_s": 2, "area": WHOLE})
    assert rig.wait("box") == EXIT_RESTART_ME
    stopped = wait_for_status(rig.broker.port, lambda one: one.at is not None)
    assert stopped.state is Availability.STOPPED
    rig.start_box()
    assert reported(rig, ConfigOutcome.ACCEPTED, 7).running_version == 7
    wait_for_health(rig.broker.port, lambda one: one.looks_per_s_target == 2)
    rig.kill("box")

    kept = rig.home / "outbox.db.config"
    kept.write_bytes(kept.read_bytes()[:-9])
    retain(rig, Channel.DESIRED, "")  # nothing is desired any more
    rig.start_box()
    fallen = reported(rig, ConfigOutcome.OWN, None)
    assert "not what was written" in fallen.problems[0].reason
    assert fallen.running_version is None
    wait_for_health(rig.broker.port, lambda one: one.looks_per_s_target == 5)


def test_of_a_flood_of_configurations_a_few_are_taken_and_the_newest_waits(rig: Rig) -> None:
    rig.start_box()
    _online(rig)
    for version in range(1, CHANGES_AN_HOUR + 1):
        desire(rig, version, {"rules": [presence("phone", dwell_s=1 + version)]})
        reported(rig, ConfigOutcome.ACCEPTED, version)
    for version in (50, 51):
        desire(rig, version, {"looks_per_s": 1})
        busy = reported(rig, ConfigOutcome.BUSY, version)
        assert busy.running_version == CHANGES_AN_HOUR
        assert busy.problems[0].fix
    assert rig.alive("box"), "nobody restarts it again and again"
    rig.kill("box")
    retain(rig, Channel.REPORTED, "")
    rig.start_box()
    assert reported(rig, ConfigOutcome.BUSY, 51).running_version == CHANGES_AN_HOUR
    notes = json.dumps(_ledger(rig)).count("The site changed what this box runs by")
    assert notes == CHANGES_AN_HOUR


def test_requests_about_the_box_are_answered_and_counted(rig: Rig, company: Company) -> None:
    rig.start_subscriber()
    rig.start_box()
    eventually(lambda: [row for row in rig.violations() if row["closed_at"] is None], "a violation")
    state = company.ask(Command.STATE, {}, b"1")
    assert state["status"]["state"] == "online"
    assert state["privacy"]["state"] == "working"
    assert state["violations"] == [rig.violations()[0]["violation_id"]]

    limits = {"length_s": 600, "count_per_day": 3}
    done = company.ask(Command.SET_BREAK_LIMITS, {"limits": limits}, b"2")
    assert (done["outcome"], done["limits"]) == ("done", {**limits, "timezone": "UTC"})
    # The answer goes before the report, and what was reported before is retained.
    eventually(lambda: reported(rig, ConfigOutcome.OWN, None).break_limits_set, "the report")
    wrong = company.ask(Command.SET_BREAK_LIMITS, {"limits": {"length": 600}}, b"3")
    assert (wrong["outcome"], wrong["detail"][:13]) == ("invalid", "limits.length")
    wait_for_health(
        rig.broker.port,
        lambda one: (
            one.requests is not None and (one.requests.done, one.requests.refused) == (2, 1)
        ),
    )
    assert company.ask(Command.RESTART, {}, b"4")["outcome"] == "done"
    assert rig.wait("box") == EXIT_RESTART_ME
    rig.start_box()
    _online(rig)
    company.send(Command.RESTART, {}, b"4")  # once more: it is done once
    began = company.ask(Command.BREAK, {"reason": "rest"}, b"5")
    assert began["outcome"] == "done"
    told = wait_for_privacy(rig.broker.port, lambda one: one.state is PrivacyState.BREAK)
    assert told.until is not None, "the limit outlives the restart"
    assert rig.alive("box")


def test_three_crashed_starts_lead_to_safe_mode_and_a_configuration_out_of_it(rig: Rig) -> None:
    rig.start_subscriber()
    for _ in range(3):
        rig.start_box()
        _online(rig)
        eventually(rig.violations, "a violation")
        rig.kill("box")
        wait_for_status(rig.broker.port, lambda one: one.state is Availability.OFFLINE)
    rig.start_box()
    health = wait_for_health(rig.broker.port, lambda one: one.safe_mode is not None)
    assert health.safe_mode == "3 starts in a row crashed; the last: without a word"
    assert health.camera.frames == 0
    told = wait_for_privacy(rig.broker.port, lambda one: one.state is PrivacyState.OFF)
    assert told.reason == "safe_mode"
    status = wait_for_status(rig.broker.port, lambda one: one.safe_mode is not None)
    assert status.state is Availability.ONLINE
    eventually(lambda: all(row["closed_at"] for row in rig.violations()), "the end of all")
    rig.kill("box")
    rig.start_box()
    wait_for_status(
        rig.broker.port,
        lambda one: one.safe_mode is not None and one.safe_mode.startswith("4 starts"),
    )

    _worker_in_safe_mode(rig)
    desire(rig, 1, {"looks_per_s": 1})
    assert rig.wait("box") == EXIT_RESTART_ME
    rig.start_box()
    wait_for_privacy(rig.broker.port, lambda one: one.state is PrivacyState.WORKING)
    assert reported(rig, ConfigOutcome.ACCEPTED, 1).running_version == 1
    health = wait_for_health(rig.broker.port, lambda one: one.camera.frames > 0)
    assert health.safe_mode is None


def _worker_in_safe_mode(rig: Rig) -> None:
    """See by the page's socket why nothing is looked at, take a break and end it."""
    with rig.page() as page:
        state = page.state(p.GetState())
        assert (state.privacy.state, state.privacy.reason) == (PrivacyState.OFF, "safe_mode")
        assert state.safe_mode is not None
        assert "4 starts in a row crashed" in state.safe_mode
        assert not state.sensing
        assert state.violations, "what was seen before is shown"

        assert page.state(p.StartBreak(reason=BreakReason.WATER)).privacy.reason == "water"
        wait_for_privacy(rig.broker.port, lambda one: one.state is PrivacyState.BREAK)
        assert page.state(p.EndBreak()).privacy.reason == "safe_mode"
        wait_for_privacy(rig.broker.port, lambda one: one.state is PrivacyState.OFF)

        ledger = page.ask(p.GetLedger())
        assert isinstance(ledger, p.Ledger)
        assert {"safe_mode", "break_by_page"} <= {entry.message_id for entry in ledger.entries}
        assert isinstance(page.ask(p.GetStatement()), p.Statement)
        assert page.ask(p.Aim()) == p.Failed(reason="off")
        assert page.ask(p.StopAiming()) == p.Done()


def test_a_configuration_that_crashes_the_box_gives_way_to_the_last_good_one(rig: Rig) -> None:
    rig.change_box(safe_mode={"after_starts": 3, "healthy_after_s": 1})
    rig.start_box()
    _online(rig)
    desire(rig, 1, {"looks_per_s": 4})
    assert rig.wait("box") == EXIT_RESTART_ME
    rig.start_box()
    reported(rig, ConfigOutcome.ACCEPTED, 1)
    eventually(lambda: '"before":null' in (rig.home / "outbox.db.config").read_text(), "proof")

    rig.change_box(safe_mode={"after_starts": 3, "healthy_after_s": 3600})
    desire(rig, 2, {"looks_per_s": 3})
    assert rig.wait("box") == EXIT_RESTART_ME
    for _ in range(3):
        rig.start_box()
        reported(rig, ConfigOutcome.ACCEPTED, 2)
        rig.kill("box")
        retain(rig, Channel.REPORTED, "")
    rig.start_box()
    given_up = reported(rig, ConfigOutcome.REJECTED, 2)
    assert given_up.running_version == 1
    assert "3 starts in a row crashed" in given_up.problems[0].reason
    wait_for_health(
        rig.broker.port, lambda one: one.looks_per_s_target == 4 and one.camera.frames > 0
    )
    assert rig.alive("box"), "the broker has it still, and it is not taken again"
    assert reported(rig, ConfigOutcome.REJECTED, 2).running_version == 1
    assert "With the site's change (version 2) 3 starts in a row crashed" in json.dumps(
        _ledger(rig)
    )
    _crash_twice_more_and_see_safe_mode(rig)


def _crash_twice_more_and_see_safe_mode(rig: Rig) -> None:
    """Crash with the last good one, too: this start and two more."""
    rig.kill("box")
    for _ in range(2):
        rig.start_box()
        _online(rig)
        rig.kill("box")
        wait_for_status(rig.broker.port, lambda one: one.state is Availability.OFFLINE)
    rig.start_box()
    wait_for_status(rig.broker.port, lambda one: one.safe_mode is not None)
    assert reported(rig, ConfigOutcome.REJECTED, 2).running_version == 1
