"""The settings: the example shows every key and every default."""

import re
from pathlib import Path

from pydantic import BaseModel

from cleandesk.config import load
from cleandesk_fleet.provision.settings import (
    AuthoritySettings,
    BrokerSettings,
    EnrolmentSettings,
    ProvisionSettings,
)

EXAMPLE = Path(__file__).resolve().parents[3] / "deploy" / "provision.yaml"


def test_the_example_shows_the_defaults(tmp_path: Path) -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    shown, empty = tmp_path / "shown.yaml", tmp_path / "empty.yaml"
    shown.write_text(text, encoding="utf-8")
    empty.write_text("schema: 1\n", encoding="utf-8")
    assert load(shown, ProvisionSettings) == load(empty, ProvisionSettings)


def test_the_example_explains_every_key() -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    every: list[type[BaseModel]] = [ProvisionSettings, AuthoritySettings, BrokerSettings]
    every += [EnrolmentSettings]
    for model in every:
        for name, field in model.model_fields.items():
            assert field.description, f"{model.__name__}.{name} has no description"
            assert re.search(rf"^ *{field.alias or name}:", text, re.MULTILINE), name
