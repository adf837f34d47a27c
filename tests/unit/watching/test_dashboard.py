"""The dashboard is what Grafana reads, and shows nothing that no subscriber tells."""

import itertools
import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from tests.rig import ROOT
from tests.unit.watching.exposition import names
from tests.unit.watching.test_alerts import needs_promtool, promtool

HERE = Path(__file__).parent
TEXT = (ROOT / "deploy" / "watching" / "dashboard.json").read_text(encoding="utf-8")
BOARD: dict[str, Any] = json.loads(TEXT)
PANELS: list[dict[str, Any]] = BOARD["panels"]
COLUMNS = 24


def expressions() -> list[str]:
    return [target["expr"] for panel in PANELS for target in panel.get("targets", [])]


def filled(expression: str) -> str:
    """Return an expression as Grafana sends it."""
    return expression.replace("$__rate_interval", "1m").replace("$site", "berlin|lisbon")


def test_it_is_a_dashboard_by_grafanas_schema() -> None:
    schema = json.loads((HERE / "grafana-dashboard.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(BOARD)


def test_every_metric_on_it_is_told_by_a_subscriber() -> None:
    asked = {
        name for text in expressions() for name in re.findall(r"\b(?:cleandesk|process)_\w+", text)
    }
    assert len(asked) > 15
    assert asked <= names()


def test_every_series_of_a_subscriber_is_on_it_or_on_purpose_not() -> None:
    asked = set(re.findall(r"\bcleandesk_\w+", TEXT))
    told = {name for name in names() if name.startswith("cleandesk_")}
    left_out = {name for name in told - asked if not name.endswith(("_created", "_sum", "_count"))}
    assert left_out == {
        "cleandesk_boxes_left_out",
        "cleandesk_build_info",
        "cleandesk_dropped_total",
        "cleandesk_log_readable",
    }


@needs_promtool
def test_every_expression_is_one(tmp_path: Path) -> None:
    rules = [
        {"record": f"panel:number:{number}", "expr": filled(text)}
        for number, text in enumerate(expressions())
    ]
    file = tmp_path / "rules.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "board", "rules": rules}]}))
    assert f"{len(rules)} rules found" in promtool("check", "rules", file)


def test_panels_have_a_place_of_their_own() -> None:
    assert len({panel["id"] for panel in PANELS}) == len(PANELS)
    squares: list[tuple[int, int]] = []
    for panel in PANELS:
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= COLUMNS
        columns, lines = range(at["x"], at["x"] + at["w"]), range(at["y"], at["y"] + at["h"])
        squares += itertools.product(columns, lines)
    assert len(squares) == len(set(squares)), "two overlap"


def test_variables_that_are_asked_for_are_there() -> None:
    variables = {one["name"] for one in BOARD["templating"]["list"]}
    asked = set(re.findall(r"\$\{?([a-z]\w*)", TEXT)) - {"__rate_interval"}
    assert asked == variables == {"datasource", "site"}


def test_no_panel_shows_a_violation_of_a_single_desk() -> None:
    for text in expressions():
        assert "violation" not in text or "box" not in text
