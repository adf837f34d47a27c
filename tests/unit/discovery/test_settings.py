"""The settings of discovery, and its commands that connect to nobody."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from cleandesk.config import load
from cleandesk.contract.connection import BrokerSettings
from cleandesk_fleet.discovery import cli
from cleandesk_fleet.discovery.settings import DiscoverySettings
from tests.unit.discovery.published import complaints, expanded

EXAMPLE = Path(__file__).resolve().parents[3] / "deploy" / "discovery.yaml"
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    def main(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["cleandesk-discovery", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    return main


def test_the_example_shows_the_defaults() -> None:
    assert load(EXAMPLE, DiscoverySettings) == DiscoverySettings(schema=1, broker=BrokerSettings())


def test_nothing_is_heard_but_status_what_is_open_and_what_was_announced() -> None:
    settings = DiscoverySettings(schema=1, broker=BrokerSettings(), sites=["s1"])
    assert settings.subscriptions() == [
        "cleandesk/v1/s1/+/status",
        "cleandesk/v1/s1/+/active/+",
        "homeassistant/device/+/config",
        "homeassistant/device/cleandesk-discovery/state",
    ]


def test_what_would_be_told_is_shown_before_anybody_is(run: Run) -> None:
    code, out, _ = run("show", "--config", EXAMPLE, "s1/desk-1")
    said = json.loads(out)
    assert (code, said["topic"]) == (0, "homeassistant/device/cleandesk_s1_desk-1/config")
    assert complaints(expanded(json.dumps(said["payload"]).encode())) == []


@pytest.mark.parametrize("box", ["desk-1", "s1/", "s1/b/c", "S1/b", "+/+"])
def test_what_is_no_box_is_told(run: Run, box: str) -> None:
    code, out, err = run("show", "--config", EXAMPLE, box)
    assert (code, out) == (2, "")
    assert "use 1-64 of a-z" in err


def test_a_wrong_configuration_is_told_with_its_line(run: Run, tmp_path: Path) -> None:
    config = tmp_path / "discovery.yaml"
    config.write_text("schema: 1\nbroker: {}\nclient_id: A+B\nsites: ['#']\n", encoding="utf-8")
    code, _, err = run("check", "--config", config)
    assert code == 2
    assert "client_id" in err
    assert "sites[0]" in err
    assert run("check", "--config", EXAMPLE)[0] == 0


def test_a_broker_that_is_not_there_is_told(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cleandesk_fleet.discovery.service._PATIENCE_S", 0.2)
    config = tmp_path / "discovery.yaml"
    config.write_text("broker: {host: 127.0.0.1, port: 1}\n", encoding="utf-8")
    code, _, err = run("remove", "--config", config)
    assert code == 1
    assert "is it up" in err
