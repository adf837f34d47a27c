"""The impact assessment says what the software does: its tables are held against the code."""

import ast
import re

import pytest
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from cleandesk.contract.docs import TOPICS
from cleandesk.settings import BoxSettings
from cleandesk_fleet.subscriber.settings import SubscriberSettings
from tests.rig import ROOT

TEXT = (ROOT / "deploy" / "dpia.md").read_text(encoding="utf-8")
SETTINGS: dict[str, type[BaseModel]] = {"box": BoxSettings, "subscriber": SubscriberSettings}
RISK = re.compile(r"R\d+")


def _rows(heading: str) -> list[list[str]]:
    """Return the cells of the table whose heading begins so."""
    lines = TEXT.splitlines()
    first = next(n for n, line in enumerate(lines) if line.startswith(f"| {heading} |")) + 2
    rows = []
    for line in lines[first:]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


def _quoted(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


def _paragraph(begin: str) -> list[str]:
    after = TEXT[TEXT.index(begin) :]
    return _quoted(after[: after.index("\n\n")])


FIELDS = {
    topic.name: [field.alias or name for name, field in topic.message.model_fields.items()]
    for topic in TOPICS
}


def test_every_topic_that_is_sent_is_listed_with_all_that_it_says() -> None:
    rows = _rows("topic")
    assert {_quoted(topic)[0]: _quoted(says) for topic, says, _ in rows} == {
        name: FIELDS[name] for name in (_quoted(row[0])[0] for row in rows)
    }


def test_every_topic_of_the_contract_is_accounted_for_once() -> None:
    listed = [_quoted(row[0])[0] for row in _rows("topic")]
    assert sorted(listed + _paragraph("In the contract, but")) == sorted(FIELDS)


def test_what_is_said_to_be_unused_is_used_nowhere() -> None:
    unused = _paragraph("In the contract, but neither")
    unused = unused[: unused.index("ack")]
    names = {topic.message.__name__ for topic in TOPICS if topic.name in unused}
    assert len(names) == len(unused)
    package = ROOT / "device" / "cleandesk"
    for path in package.rglob("*.py"):
        if package / "contract" not in path.parents:
            tree = ast.parse(path.read_text(encoding="utf-8"))
            imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
            imported = {alias.name for node in imports for alias in node.names}
            assert not imported & names, f"{path} uses it: deploy/dpia.md has to say so"


def _default(model: type[BaseModel], path: str) -> str:
    """Return a setting's default as the table writes it."""
    names = {field.alias or name: field for name, field in model.model_fields.items()}
    key, _, below = path.partition(".")
    field = names[key]
    if below:
        inner = field.annotation
        assert isinstance(inner, type)
        return _default(inner, below)
    value = field.get_default(call_default_factory=True)
    if value is PydanticUndefined:
        return "required"
    return "none" if value is None else str(value)


def test_the_defaults_are_those_of_the_settings() -> None:
    for setting, said, _ in _rows("setting"):
        program, path = setting.split(": ")
        assert _default(SETTINGS[program], path.strip("`")) == said, setting


@pytest.mark.parametrize("program", SETTINGS)
def test_no_part_of_the_settings_is_left_out(program: str) -> None:
    keys = {field.alias or name for name, field in SETTINGS[program].model_fields.items()}
    rows = [row[0].split(": ") for row in _rows("setting")]
    assert {path.strip("`").split(".")[0] for who, path in rows if who == program} == keys


def _measures() -> list[list[str]]:
    return _rows("risk | measure")


def test_each_measure_names_a_test_that_is_there() -> None:
    places = [place for _, _, shown_by in _measures() for place in _quoted(shown_by)]
    assert len(places) == len(_measures())
    for place in places:
        file, _, name = place.partition("::")
        tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
        assert name in {n.name for n in tree.body if isinstance(n, ast.FunctionDef)}, place


def test_each_risk_is_met_by_a_measure_or_left_to_the_controller() -> None:
    risks = {row[0] for row in _rows("risk | what happens")}
    met = {row[0] for row in _measures()}
    left = set(RISK.findall(TEXT[TEXT.index("Left to you") :]))
    assert not met & left
    assert met | left == risks
