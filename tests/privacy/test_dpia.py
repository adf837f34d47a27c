"""The impact assessment says what the software does: its tables are held against the code."""

import re

import pytest
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from cleandesk.contract.docs import TOPICS
from cleandesk.contract.messages import Ack, AckResult
from cleandesk.page.settings import PageSettings
from cleandesk.settings import BoxSettings
from cleandesk_fleet.discovery.settings import DiscoverySettings
from cleandesk_fleet.subscriber.settings import SubscriberSettings
from cleandesk_fleet.web.settings import WebSettings
from tests.named_tests import is_there, quoted, rows
from tests.rig import ROOT

TEXT = (ROOT / "deploy" / "dpia.md").read_text(encoding="utf-8")
SETTINGS: dict[str, type[BaseModel]] = {
    "box": BoxSettings,
    "page": PageSettings,
    "subscriber": SubscriberSettings,
    "discovery": DiscoverySettings,
    "web": WebSettings,
}
RISK = re.compile(r"R\d+")


def _rows(heading: str) -> list[list[str]]:
    return rows(TEXT, heading)


def _fields(message: type[BaseModel]) -> list[str]:
    """Return a message's keys; of a list, those of what it lists."""
    if issubclass(message, Ack):
        message = AckResult
    return [field.alias or name for name, field in message.model_fields.items()]


@pytest.mark.parametrize(("heading", "action"), [("topic", "send"), ("received", "receive")])
def test_every_topic_is_listed_with_all_that_it_says(heading: str, action: str) -> None:
    assert {quoted(topic)[0]: quoted(says) for topic, says, _ in _rows(heading)} == {
        topic.name: _fields(topic.message) for topic in TOPICS if topic.action == action
    }


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
    if isinstance(value, bool):
        return str(value).lower()
    return "none" if value is None else str(value)


def test_the_defaults_are_those_of_the_settings() -> None:
    for setting, said, _ in _rows("setting"):
        program, path = setting.split(": ")
        assert _default(SETTINGS[program], path.strip("`")) == said, setting


@pytest.mark.parametrize("program", SETTINGS)
def test_no_part_of_the_settings_is_left_out(program: str) -> None:
    keys = {field.alias or name for name, field in SETTINGS[program].model_fields.items()}
    listed = [row[0].split(": ") for row in _rows("setting")]
    assert {path.strip("`").split(".")[0] for who, path in listed if who == program} == keys


def _measures() -> list[list[str]]:
    return _rows("risk | measure")


def test_each_measure_names_a_test_that_is_there() -> None:
    places = [place for _, _, shown_by in _measures() for place in quoted(shown_by)]
    assert len(places) == len(_measures())
    assert [place for place in places if not is_there(place)] == []


def test_each_risk_is_met_by_a_measure_or_left_to_the_controller() -> None:
    risks = {row[0] for row in _rows("risk | what happens")}
    met = {row[0] for row in _measures()}
    left = set(RISK.findall(TEXT[TEXT.index("Left to you") :]))
    assert left
    assert met | left == risks
