"""The broker is not the one that it was: another one by its name, or itself from an old backup."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from broker import free_ports
from cleandesk.contract.config_messages import ConfigOutcome, ReportedConfig
from cleandesk.contract.messages import Availability, PrivacyState, Status
from cleandesk.contract.topics import Channel
from tests.eventually import eventually
from tests.mosquitto import needs_mosquitto
from tests.rig import ADDRESS, CLIP, Rig, frame_of, presence
from tests.system.conftest import MakeRig
from tests.system.secure_box import HOUR, SecureBroker, connect

_DAY_S = 86_400
pytestmark = [pytest.mark.system, needs_mosquitto]


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[SecureBroker]:
    with SecureBroker(tmp_path / "first", free_ports()) as running:
        yield running


@pytest.fixture
def rig(make_rig: MakeRig, broker: SecureBroker, tmp_path: Path) -> Rig:
    made = make_rig(
        camera={"source": str(frame_of(CLIP, 15.0, tmp_path / "pictures")), "repeat": True},
        rules=[presence("phone")],
    )
    connect(made, broker)
    return made


def _online(broker: SecureBroker) -> bool:
    said = broker.says(Channel.STATUS)
    return bool(said) and Status.model_validate_json(said).state is Availability.ONLINE


def _privacy(broker: SecureBroker) -> str:
    said = broker.says(Channel.PRIVACY)
    return str(json.loads(said)["state"]) if said else ""


@pytest.mark.parametrize(
    ("span", "advice"),
    [
        (None, "broker.tls.ca must have signed"),
        ((-48 * HOUR, -HOUR), "compare this machine's date"),
        ((HOUR, 48 * HOUR), "compare this machine's date"),
    ],
    ids=["another authority", "expired", "not yet valid"],
)
def test_a_box_says_nothing_to_what_is_not_its_broker_and_all_to_its_own_later(
    broker: SecureBroker,
    rig: Rig,
    tmp_path: Path,
    span: tuple[timedelta, timedelta] | None,
    advice: str,
) -> None:
    ports = {listener: broker.port(listener) for listener in (8883, 8884, 8885)}
    rig.start_subscriber()
    broker.stop()
    if span is None:
        impostor = SecureBroker(tmp_path / "second", ports)
        impostor.prepare()
    else:
        impostor = broker
        broker.date(*span)
    impostor.start()
    try:
        rig.start_box()
        eventually(lambda: advice in rig.words("box"), f"{advice!r} in the log")
        eventually(lambda: rig.words("box").count(advice) > 2, "further attempts", within_s=60)
        assert rig.alive("box")
        assert str(ADDRESS) not in impostor.log.read_text(encoding="utf-8")
    finally:
        impostor.stop()
    broker.authorise()
    broker.start()
    eventually(lambda: _online(broker), "the box on its own broker", within_s=60)
    eventually(rig.violations, "what it saw meanwhile", within_s=60)


@pytest.mark.parametrize(
    "span", [(-48 * HOUR, -HOUR), (HOUR, 48 * HOUR)], ids=["expired", "not yet valid"]
)
def test_a_box_whose_own_certificate_does_not_hold_goes_on_and_connects_with_the_next(
    broker: SecureBroker, rig: Rig, span: tuple[timedelta, timedelta]
) -> None:
    rig.start_subscriber()
    broker.date_box(*span)
    rig.start_box()
    advice = "not out of its time"
    eventually(lambda: rig.words("box").count(advice) > 2, "attempts that say why", within_s=60)
    assert rig.alive("box")
    assert not broker.says(Channel.STATUS)
    broker.date_box(-HOUR, 48 * HOUR)
    eventually(lambda: _online(broker), "the box with its next certificate", within_s=60)
    eventually(rig.violations, "what it saw meanwhile", within_s=60)


def test_a_broker_from_an_old_backup_is_told_anew_and_moves_nobody_back(
    broker: SecureBroker, rig: Rig, tmp_path: Path
) -> None:
    rig.start_subscriber()
    rig.start_box()
    eventually(rig.violations, "a violation", within_s=60)
    desired = ADDRESS.topic(Channel.DESIRED)
    broker.say(desired, _desired(1, {"health_every_s": 2}))
    assert rig.wait("box") == 75
    rig.start_box()
    eventually(lambda: _reported(broker) == (ConfigOutcome.ACCEPTED, 1, 1), "1", within_s=60)
    backup = tmp_path / "backup"
    broker.back_up(backup)
    eventually(lambda: _online(broker), "the box again", within_s=60)

    broker.say(desired, _desired(2, {"health_every_s": 1, "rules": [presence("paper")]}))
    assert rig.wait("box") == 75
    rig.start_box()
    eventually(lambda: _reported(broker) == (ConfigOutcome.ACCEPTED, 2, 2), "2", within_s=60)
    eventually(lambda: "close" in _phases(rig), "the end of it")
    before = _phases(rig)

    broker.restore(backup)
    eventually(lambda: _reported(broker) == (ConfigOutcome.REJECTED, 1, 2), "1 again", within_s=60)
    eventually(lambda: _online(broker), "the box on the old state", within_s=60)
    assert _privacy(broker) == PrivacyState.WORKING
    assert rig.alive("box")
    assert _phases(rig) == before, "nothing is logged twice"
    for topic, message in broker.retained().items():
        if "/active/" in topic:  # one that ended since the backup goes by itself
            lasts_s = getattr(message.properties, "MessageExpiryInterval", None)
            assert lasts_s is not None
            assert lasts_s <= _DAY_S


def _phases(rig: Rig) -> list[str]:
    """Return what the log has of the first rule."""
    return [row["phase"] for row in rig.events() if row["rule"] == "no-phone"]


def _desired(version: int, config: dict[str, object]) -> bytes:
    return json.dumps({"schema": 1, "version": version, "config": config}).encode()


def _reported(broker: SecureBroker) -> tuple[ConfigOutcome, int | None, int | None] | None:
    said = broker.says(Channel.REPORTED)
    if not said:
        return None
    reported = ReportedConfig.model_validate_json(said)
    return reported.outcome, reported.version, reported.running_version
