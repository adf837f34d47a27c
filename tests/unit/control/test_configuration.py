"""What may be set from afar, what is said about the rest, and what outlives a restart."""

import errno
import hashlib
from pathlib import Path
from typing import Any

import pytest

from cleandesk import durable
from cleandesk.contract.config_messages import MAX_DESIRED, ConfigOutcome, ReportedConfig
from cleandesk.control import Configuration
from cleandesk.settings import BoxSettings
from cleandesk.settings_remote import RemoteSettings, RemoteStillSettings
from cleandesk.settings_worker import BreakSettings
from tests.unit.control.make import DESK, NOW, RULE, accept, configuration, desired, own


def report(subject: Configuration) -> ReportedConfig:
    return subject.report(NOW)


def keys(subject: Configuration) -> set[str]:
    return {problem.key for problem in report(subject).problems}


def test_a_good_one_runs_and_outlives_the_process(tmp_path: Path) -> None:
    payload = desired(3, looks_per_s=2, rules=[RULE | {"dwell_s": 9}])
    assert accept(configuration(tmp_path), payload)
    for subject in (configuration(tmp_path), configuration(tmp_path)):
        said = report(subject)
        assert (said.outcome, said.version) == (ConfigOutcome.ACCEPTED, 3)
        assert said.running_sha256 == said.sha256 == hashlib.sha256(payload).hexdigest()
        assert subject.settings == own(looks_per_s=2, rules=[RULE | {"dwell_s": 9}])


def test_the_same_again_changes_nothing_and_is_accepted(tmp_path: Path) -> None:
    subject, payload = configuration(tmp_path), desired(3, looks_per_s=2)
    assert accept(subject, payload)
    assert not accept(subject, desired(4, looks_per_s="often"))
    assert not accept(subject, payload)
    assert report(subject).outcome is ConfigOutcome.ACCEPTED


@pytest.mark.parametrize("version", [1, 3])
def test_an_older_version_or_another_of_the_same_is_rejected(tmp_path: Path, version: int) -> None:
    subject = configuration(tmp_path)
    assert accept(subject, desired(3, looks_per_s=2))
    assert not accept(subject, desired(version, looks_per_s=1))
    said = report(subject)
    assert (said.outcome, said.version, said.running_version) == ("rejected", version, 3)
    assert keys(subject) == {"version"}
    assert subject.settings.looks_per_s == 2


def test_none_of_the_parts_leads_back_to_the_file(tmp_path: Path) -> None:
    subject = configuration(tmp_path, looks_per_s=4)
    assert accept(subject, desired(1, looks_per_s=2))
    assert accept(subject, desired(2))
    assert subject.settings == own(looks_per_s=4)
    assert report(subject).running_version == 2


@pytest.mark.parametrize(
    "key",
    sorted(
        {i.alias or n for n, i in BoxSettings.model_fields.items()}
        - set(RemoteSettings.model_fields)
    ),
)
def test_what_a_box_is_is_for_its_own_file_to_say(tmp_path: Path, key: str) -> None:
    subject = configuration(tmp_path)
    assert not accept(subject, desired(1, **{key: {}}))
    (problem,) = report(subject).problems
    assert (problem.key, problem.reason) == (
        f"config.{key}",
        "only the box's own file may set this",
    )


def test_every_reason_is_said_at_once(tmp_path: Path) -> None:
    subject = configuration(tmp_path)
    assert not accept(
        subject,
        desired(
            0,
            broker={"host": "elsewhere"},
            looks_per_s=-1,
            health_every_s="often",
            lookz=1,
            zones={"desk": {"polygon": [[0, 1], [1, 0]]}},
            stills={"encrypt_to": "/etc/shadow"},
        ),
    )
    assert keys(subject) == {
        "version",
        "config.broker",
        "config.health_every_s",
        "config.looks_per_s",
        "config.lookz",
        "config.zones.desk.polygon",
        "config.stills.encrypt_to",
    }
    assert report(subject).running_version is None


@pytest.mark.parametrize(
    ("config", "key"),
    [
        ({"zones": {"table": DESK}}, "rules[0].zone"),
        ({"rules": [RULE | {"classes": ["unicorn"]}]}, "rules[0].classes[0]"),
        ({"rules": [RULE, RULE]}, "rules[1].name"),
        ({"idle": {"enabled": True}}, "idle.enabled"),
        ({"zones": {"desk": {"polygon": [[0.5, 0.5]] * 3}}}, "zones.desk.polygon"),
        ({"area": {"polygon": [[0, 0], [0.5, 0.5], [1, 1]]}}, "area.polygon"),
        ({"looks_per_s": True}, "config.looks_per_s"),
        ({"looks_per_s": "5"}, "config.looks_per_s"),
        ({"spot_checks": {"enabled": "yes"}}, "config.spot_checks.enabled"),
    ],
)
def test_what_is_right_alone_and_wrong_here_is_rejected(
    tmp_path: Path, config: dict[str, Any], key: str
) -> None:
    subject = configuration(tmp_path)
    assert not accept(subject, desired(1, **config))
    assert keys(subject) == {key}
    assert subject.settings == own()


@pytest.mark.parametrize(
    "payload",
    [
        b"\xff",
        b"null",
        b"[]",
        b'{"[key]": null}',
        b"{",
        b"[" * 50_000,
        b'{"version": 1, "version": 2, "config": {}}',
        b'{"version": NaN, "config": {}}',
        b'{"version": 1, "config": {"looks_per_s": 1e999}}',
        b'{"version": 1, "config": {"zones": {"\\ud800": {}}}}',
        b" " * (MAX_DESIRED + 1),
    ],
    ids=lambda payload: str(payload[:20]),
)
def test_what_is_no_configuration_is_rejected_with_a_reason(tmp_path: Path, payload: bytes) -> None:
    subject = configuration(tmp_path)
    assert not accept(subject, payload)
    said = report(subject)
    assert said.outcome is ConfigOutcome.REJECTED
    assert said.sha256 == hashlib.sha256(payload).hexdigest()
    assert said.problems
    assert said.to_json()


def test_stills_keep_the_certificate_of_the_box(tmp_path: Path) -> None:
    subject = configuration(tmp_path, stills={"encrypt_to": "/etc/cleandesk/site.pem"})
    assert accept(subject, desired(1, stills={"margin": 1}))
    assert subject.settings.stills.margin == 1
    assert subject.settings.stills.encrypt_to == Path("/etc/cleandesk/site.pem")


def test_the_remote_stills_are_those_of_the_box_without_its_files() -> None:
    ours, theirs = BoxSettings.model_fields["stills"].annotation, RemoteStillSettings
    assert isinstance(ours, type)
    fields = {n: (f.annotation, f.default, f.metadata) for n, f in ours.model_fields.items()}
    del fields["encrypt_to"]
    assert fields == {
        n: (f.annotation, f.default, f.metadata) for n, f in theirs.model_fields.items()
    }


def test_limits_set_by_a_request_stay_until_a_version_names_breaks(tmp_path: Path) -> None:
    subject = configuration(tmp_path)
    subject.take(subject.with_limits(BreakSettings(length_s=600)), NOW)
    assert report(subject).break_limits_set
    assert accept(configuration(tmp_path), desired(1, looks_per_s=2))
    again = configuration(tmp_path)
    assert (again.settings.breaks.length_s, report(again).break_limits_set) == (600, True)
    assert accept(again, desired(2, breaks={"count_per_day": 4}))
    assert again.settings.breaks == BreakSettings(count_per_day=4)
    assert not report(again).break_limits_set


@pytest.mark.parametrize("damage", [b"", b"no", b"0" * 64 + b"\n{}"])
def test_a_damaged_file_falls_back_to_the_own_one_and_says_so(
    tmp_path: Path, damage: bytes
) -> None:
    payload = desired(5, looks_per_s=2)
    assert accept(configuration(tmp_path), payload)
    (tmp_path / "outbox.db.config").write_bytes(damage)
    subject = configuration(tmp_path)
    said = report(subject)
    assert (said.outcome, said.running_version) == (ConfigOutcome.OWN, None)
    assert "outbox.db.config" in said.problems[0].reason
    assert subject.settings == own()
    assert accept(subject, payload), "the broker has it still"


def test_what_no_longer_fits_the_own_file_falls_back_with_the_reasons(tmp_path: Path) -> None:
    assert accept(configuration(tmp_path), desired(5, zones={"desk": DESK, "chair": DESK}))
    subject = configuration(tmp_path, worker={"zone": "sofa"}, zones={"desk": DESK, "sofa": DESK})
    assert (report(subject).outcome, keys(subject)) == (ConfigOutcome.OWN, {"worker.zone"})


def test_a_disk_that_takes_nothing_leaves_what_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    subject = configuration(tmp_path)
    assert accept(subject, desired(1, looks_per_s=2))
    proposal = subject.judge(desired(2, looks_per_s=3))
    assert proposal is not None

    def full(_: Path, __: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(durable, "write", full)
    with pytest.raises(OSError, match="No space"):
        subject.take(proposal, NOW)
    subject.refuse(proposal, OSError(errno.ENOSPC, "No space left on device"))
    said = report(subject)
    assert (said.outcome, said.version, said.running_version) == ("rejected", 2, 1)
    assert "no space" in said.problems[0].reason
    assert subject.settings.looks_per_s == 2
