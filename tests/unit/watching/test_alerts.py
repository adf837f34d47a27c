"""Alert rules: each is tried firing and not, and every metric that they ask for is really told."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.rig import ROOT
from tests.unit.watching.exposition import names

FOLDER = ROOT / "deploy" / "watching"
PROMTOOL = shutil.which("promtool")
needs_promtool = pytest.mark.skipif(
    PROMTOOL is None, reason="promtool is not installed: `make test-watching` installs it"
)
#: What Prometheus itself adds to each scrape.
SCRAPE = {"up"}


def loaded(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))
    return found


def rules() -> list[dict[str, Any]]:
    return [rule for group in loaded("alerts.yaml")["groups"] for rule in group["rules"]]


def promtool(*arguments: object) -> str:
    result = subprocess.run(
        [str(PROMTOOL), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        cwd=FOLDER,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@needs_promtool
def test_the_rules_are_rules() -> None:
    assert f"{len(rules())} rules found" in promtool("check", "rules", "alerts.yaml")


@needs_promtool
def test_each_alert_fires_when_it_should_and_only_then() -> None:
    assert "SUCCESS" in promtool("test", "rules", "alerts_test.yaml")


def test_each_alert_is_tried_firing_and_not_firing() -> None:
    tried: dict[str, set[bool]] = {}
    for test in loaded("alerts_test.yaml")["tests"]:
        for one in test["alert_rule_test"]:
            tried.setdefault(one["alertname"], set()).add(bool(one["exp_alerts"]))
    assert tried == {rule["alert"]: {True, False} for rule in rules()}


def test_every_metric_of_an_alert_is_told_by_a_subscriber() -> None:
    told = names() | SCRAPE
    for rule in rules():
        asked = set(
            re.findall(r"\b(cleandesk_\w+|process_\w+|up)\b(?=[{\[) ])", rule["expr"] + " ")
        )
        assert asked, rule["alert"]
        assert asked <= told, rule["alert"]


def test_each_alert_says_what_it_is_and_how_bad() -> None:
    for rule in rules():
        assert rule["labels"]["severity"] in {"warning", "critical"}, rule["alert"]
        assert set(rule["annotations"]) == {"summary", "description"}, rule["alert"]


def test_the_example_of_a_scrape_is_one() -> None:
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    blocks = [yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", readme, re.DOTALL)]
    (scrape,) = [block for block in blocks if "scrape_configs" in block]
    assert scrape["scrape_configs"][0]["job_name"] == "cleandesk"
    assert Path(scrape["rule_files"][0]).name == "alerts.yaml"
