"""A configuration that crashes the box is given up for the one before; a flood of them waits."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cleandesk import durable
from cleandesk.contract.config_messages import ConfigOutcome
from cleandesk.control import Configuration, kept
from cleandesk.control.configuration import CHANGES_AN_HOUR
from cleandesk.settings_worker import BreakSettings
from tests.unit.control.make import NOW, accept, configuration, desired, own
from tests.unit.control.test_configuration import report
from tests.unit.worker.make import OTHER_BOOT

WHY = "3 starts in a row crashed; the last: without a word"


def give_up(folder: Path) -> bool:
    return kept.fall_back(folder / "outbox.db.config", WHY)


def running(subject: Configuration) -> tuple[ConfigOutcome, int | None, int | None]:
    said = report(subject)
    return said.outcome, said.version, said.running_version


def test_what_crashed_gives_way_to_the_last_good_one_and_is_reported(tmp_path: Path) -> None:
    subject = configuration(tmp_path)
    assert accept(subject, desired(1, looks_per_s=2))
    subject.prove()
    bad = desired(2, looks_per_s=3)
    assert accept(subject, bad)
    assert not subject.proven
    assert give_up(tmp_path)
    again = configuration(tmp_path)
    assert running(again) == (ConfigOutcome.REJECTED, 2, 1)
    assert again.settings == own(looks_per_s=2)
    (problem,) = report(again).problems
    assert WHY in problem.reason
    assert "higher version" in problem.fix
    assert not accept(again, bad), "the broker has it still"
    assert running(again) == (ConfigOutcome.REJECTED, 2, 1)
    assert not accept(again, desired(2, looks_per_s=4))
    assert [problem.key for problem in report(again).problems] == ["version"]
    assert accept(again, desired(3, looks_per_s=4))
    assert running(configuration(tmp_path)) == (ConfigOutcome.ACCEPTED, 3, 3)


def test_of_several_that_were_never_proven_none_is_gone_back_to(tmp_path: Path) -> None:
    subject = configuration(tmp_path)
    for version in (1, 2, 3):
        assert accept(subject, desired(version, looks_per_s=version))
    assert give_up(tmp_path)
    again = configuration(tmp_path)
    assert running(again) == (ConfigOutcome.REJECTED, 3, None)
    assert again.settings == own()


def test_when_the_last_good_one_crashes_too_there_is_nothing_to_go_back_to(tmp_path: Path) -> None:
    assert accept(configuration(tmp_path), desired(1, looks_per_s=2))
    assert give_up(tmp_path)
    assert not give_up(tmp_path)
    assert running(configuration(tmp_path)) == (ConfigOutcome.REJECTED, 1, None)


def test_what_is_proven_is_not_given_up(tmp_path: Path) -> None:
    subject = configuration(tmp_path)
    assert accept(subject, desired(1, looks_per_s=2))
    subject.prove()
    assert configuration(tmp_path).proven
    assert not give_up(tmp_path)
    assert running(configuration(tmp_path)) == (ConfigOutcome.ACCEPTED, 1, 1)


def test_limits_on_breaks_outlive_the_way_back(tmp_path: Path) -> None:
    subject = configuration(tmp_path)
    assert accept(subject, desired(1, looks_per_s=2))
    subject.take(subject.with_limits(BreakSettings(length_s=600)), NOW)
    assert not subject.proven
    assert give_up(tmp_path)
    assert configuration(tmp_path).settings == own(breaks={"length_s": 600})


@pytest.mark.parametrize("damage", [b"", b"no", b"0" * 64 + b"\n{}"])
def test_a_file_that_tells_nothing_has_no_way_back(tmp_path: Path, damage: bytes) -> None:
    assert accept(configuration(tmp_path), desired(1, looks_per_s=2))
    (tmp_path / "outbox.db.config").write_bytes(damage)
    assert not give_up(tmp_path)
    assert not kept.fall_back(tmp_path / "nothing", WHY)


def test_so_many_are_taken_over_in_an_hour_through_restarts(tmp_path: Path) -> None:
    for version in range(1, CHANGES_AN_HOUR + 1):
        last = configuration(tmp_path)
        assert not last.full(NOW)
        assert accept(last, desired(version, looks_per_s=2))
    for subject in (last, configuration(tmp_path)):
        assert subject.full(NOW)
        assert not subject.full(replace(NOW, mono=NOW.mono + 3600))
    assert not configuration(tmp_path, OTHER_BOOT).full(NOW), "nobody far away can do that"
    assert give_up(tmp_path)
    assert configuration(tmp_path).full(NOW)


def test_limits_on_breaks_have_a_limit_of_their_own(tmp_path: Path) -> None:
    subject = configuration(tmp_path)
    for length_s in range(60, 60 + 2 * CHANGES_AN_HOUR):
        subject.take(subject.with_limits(BreakSettings(length_s=length_s)), NOW)
    assert not subject.full(NOW)


def rewrite(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Write what newer software would have."""
    path = folder / "outbox.db.config"
    data = json.loads(durable.read(path) or b"")
    change(data)
    durable.write(path, json.dumps(data).encode())


LIMITS = BreakSettings(length_s=600)


def two(folder: Path, *, proven: bool) -> None:
    """Have a box run its second configuration, with other limits on breaks."""
    subject = configuration(folder)
    assert accept(subject, desired(1, looks_per_s=2))
    subject.prove()
    assert accept(subject, desired(2, looks_per_s=3))
    subject.take(subject.with_limits(LIMITS), NOW)
    if proven:
        subject.prove()


def test_what_newer_software_kept_besides_costs_an_older_one_nothing(tmp_path: Path) -> None:
    two(tmp_path, proven=False)
    known = kept.read(tmp_path / "outbox.db.config")

    def add(data: dict[str, Any]) -> None:
        for row in (data, data["before"], data["taken"], data["breaks"], data["before"]["breaks"]):
            row["hour"] = 3

    rewrite(tmp_path, add)
    assert kept.read(tmp_path / "outbox.db.config") == known
    assert running(configuration(tmp_path)) == (ConfigOutcome.ACCEPTED, 2, 2)


def test_only_what_was_said_is_written_so_that_an_older_one_knows_it(tmp_path: Path) -> None:
    two(tmp_path, proven=False)
    data = json.loads(durable.read(tmp_path / "outbox.db.config") or b"")
    assert data["config"] == {"looks_per_s": 3.0}
    assert data["breaks"] == {"length_s": 600.0}


@pytest.mark.parametrize(
    ("where", "proven", "runs"),
    [("config", False, 2), ("config", True, None), ("before", False, 3)],
)
def test_settings_that_are_not_known_are_not_half_taken_over_and_limits_stay(
    tmp_path: Path, where: str, *, proven: bool, runs: int | None
) -> None:
    two(tmp_path, proven=proven)

    def add(data: dict[str, Any]) -> None:
        (data["config"] if where == "config" else data["before"]["config"])["night"] = True

    rewrite(tmp_path, add)
    subject = configuration(tmp_path)
    looks = {} if runs is None else {"looks_per_s": runs}
    assert subject.settings == own(**looks, breaks=LIMITS.model_dump())
    assert subject.proven == (where == "config")
    assert accept(subject, desired(3, looks_per_s=4)), "the next one comes as ever"


def test_a_file_of_another_form_is_not_guessed_at(tmp_path: Path) -> None:
    two(tmp_path, proven=False)
    rewrite(tmp_path, lambda data: data.update(form=2, hour=3))
    with pytest.raises(kept.UnknownConfigError, match="another version"):
        kept.read(tmp_path / "outbox.db.config")
