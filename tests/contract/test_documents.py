"""The checked-in schemas and the AsyncAPI document, against the types and against messages."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from pydantic import BaseModel

from cleandesk.contract import docs
from cleandesk.contract.topics import Channel

MESSAGES = Path(__file__).parent / "messages"
EXAMPLES = sorted(MESSAGES.glob("*.json"))
TYPES: dict[str, type[BaseModel]] = {topic.name: topic.message for topic in docs.TOPICS}


#: They hold settings, in which unknown keys are mistakes.
STRICT = frozenset({"config_desired", "set_break_limits_request"})


def of(example: Path) -> str:
    return example.name.split("-")[0]


def schema(channel: str) -> dict[str, Any]:
    text = (docs.FOLDER / f"{channel}.schema.json").read_text(encoding="utf-8")
    made: dict[str, Any] = json.loads(text)
    return made


def validate(channel: str, message: object) -> None:
    jsonschema.Draft202012Validator(schema(channel)).validate(message)


def newer(message: Any) -> Any:
    """Return a message as a later version might send it: with more keys, at each level."""
    if isinstance(message, dict):
        grown: dict[str, Any] = {
            # A map's keys are data, not part of the version.
            key: {name: newer(one) for name, one in value.items()}
            if key == "stages"
            else newer(value)
            for key, value in message.items()
        }
        if "schema" in grown:
            grown["schema"] += 1
        return {**grown, "of_a_later_version": {"any": ["thing"]}}
    return [newer(one) for one in message] if isinstance(message, list) else message


def without_version(value: Any) -> Any:
    """Return data without the schema version, at each level."""
    if isinstance(value, dict):
        kept = {key: one for key, one in value.items() if key != "schema"}
        return {key: without_version(one) for key, one in kept.items()}
    return [without_version(one) for one in value] if isinstance(value, list) else value


def test_what_is_checked_in_is_current() -> None:
    assert docs.stale() == []


def test_the_check_names_what_is_stale(tmp_path: Path) -> None:
    docs.write(tmp_path)
    assert docs.stale(tmp_path) == []
    (tmp_path / "ack.schema.json").write_text("{}", encoding="utf-8")
    (tmp_path / "status.schema.json").unlink()
    (tmp_path / "old.schema.json").write_text("{}", encoding="utf-8")
    assert docs.stale(tmp_path) == ["ack.schema.json", "old.schema.json", "status.schema.json"]


def test_the_command_says_so_by_its_exit_code() -> None:
    command = [sys.executable, "-m", "cleandesk.contract.docs"]
    assert subprocess.run([*command, "--check"], check=False).returncode == 0
    wrong = subprocess.run([*command, "--chek"], check=False, capture_output=True, text=True)
    assert wrong.returncode == 2
    assert "--check" in wrong.stderr


def test_every_channel_is_documented_and_has_examples() -> None:
    assert {topic.channel for topic in docs.TOPICS} == set(Channel)
    assert {of(example) for example in EXAMPLES} == {topic.name for topic in docs.TOPICS}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_valid_by_schema_and_by_type(example: Path) -> None:
    message = json.loads(example.read_text(encoding="utf-8"))
    validate(of(example), message)
    read = TYPES[of(example)].model_validate_json(example.read_bytes())
    assert json.loads(read.model_dump_json(exclude_none=True, by_alias=True)) == message


@pytest.mark.parametrize(
    "example", [one for one in EXAMPLES if of(one) not in STRICT], ids=lambda path: path.stem
)
def test_a_reader_takes_the_next_version(example: Path) -> None:
    message = json.loads(example.read_text(encoding="utf-8"))
    channel = TYPES[of(example)]
    later = newer(message)
    validate(of(example), later)
    read, expected = (channel.model_validate(one).model_dump() for one in (later, message))
    assert without_version(read) == without_version(expected)


@pytest.mark.parametrize(
    "example", [one for one in EXAMPLES if of(one) != "ack"], ids=lambda path: path.stem
)
def test_a_message_without_one_of_its_needed_keys_is_refused(example: Path) -> None:
    message = json.loads(example.read_text(encoding="utf-8"))
    for key in schema(of(example)).get("required", []):
        less = {name: value for name, value in message.items() if name != key}
        with pytest.raises(jsonschema.ValidationError):
            validate(of(example), less)
        with pytest.raises(ValueError, match=key):
            TYPES[of(example)].model_validate(less)


def test_the_asyncapi_document_refers_only_to_what_it_holds() -> None:
    document = yaml.safe_load((docs.FOLDER / "asyncapi.yaml").read_text(encoding="utf-8"))

    def references(node: object) -> set[str]:
        if isinstance(node, dict):
            own = {node["$ref"]} if isinstance(node.get("$ref"), str) else set()
            return own.union(*(references(value) for value in node.values()))
        return set().union(*(references(one) for one in node)) if isinstance(node, list) else set()

    found = references(document)
    assert found
    for reference in found:
        node = document
        for key in reference.removeprefix("#/").split("/"):
            node = node[key]


def test_the_asyncapi_document_says_what_is_retained() -> None:
    document = yaml.safe_load((docs.FOLDER / "asyncapi.yaml").read_text(encoding="utf-8"))
    retained = {
        name.partition("_")[2]
        for name, operation in document["operations"].items()
        if operation["bindings"]["mqtt"]["retain"]
    }
    assert retained == {
        "status",
        "health",
        "privacy",
        "active",
        "config_desired",
        "config_reported",
    }
    assert "receive_ack" in document["operations"]
