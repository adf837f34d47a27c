"""Home Assistant's side of discovery, as far as it is published: short keys, schema, templates."""

import json
from pathlib import Path
from typing import Any

import jinja2
import jsonschema

HERE = Path(__file__).parent
SCHEMA = json.loads((HERE / "home_assistant.schema.json").read_text(encoding="utf-8"))
SHORT = json.loads((HERE / "abbreviations.json").read_text(encoding="utf-8"))


def _long(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, list):
        return [_long(one, names) for one in value]
    if not isinstance(value, dict):
        return value
    return {names.get(key, key): _long(one, names) for key, one in value.items()}


def expanded(payload: bytes) -> dict[str, Any]:
    """Return an announcement with long keys in the place of short ones."""
    said = json.loads(payload)
    long: dict[str, Any] = _long({k: v for k, v in said.items() if k != "cmps"}, SHORT["all"])
    long["device"] = _long(said["dev"], SHORT["device"])
    long["origin"] = _long(said["o"], SHORT["origin"])
    # A component's own key is a name, and no key of Home Assistant's.
    long["components"] = {key: _long(one, SHORT["all"]) for key, one in said["cmps"].items()}
    return long


def complaints(announced: dict[str, Any]) -> list[str]:
    """Return what the schema says against an announcement with long keys."""
    checker = jsonschema.Draft202012Validator(SCHEMA)
    return [error.message for error in checker.iter_errors(announced)]


def render(template: str, payload: bytes) -> str:
    """Make a state of a message, as Home Assistant's templates do."""
    around = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False)  # noqa: S701
    around.filters["to_json"] = json.dumps
    value = json.loads(payload)
    return around.from_string(template).render(value=payload.decode(), value_json=value)
