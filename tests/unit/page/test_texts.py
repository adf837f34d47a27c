"""The texts: each language says the same things, and each word of the contract has a name."""

import re
import string
from pathlib import Path

import pytest
import yaml

from cleandesk.contract.messages import BreakLimit, BreakReason, CameraFault, PrivacyState, Severity
from cleandesk.contract.topics import Channel
from cleandesk.contract.worker_messages import AppealReason
from cleandesk.detector import read_manifest
from cleandesk.page import texts
from cleandesk.page.visit import SAID
from cleandesk.safe_box import SAFE_MODE
from cleandesk.worker.protocol import Failed
from cleandesk.worker.wording import FOLDER

WORDS = texts.Texts()
TEMPLATES = Path(texts.__file__).parent / "templates"
MODEL = Path(__file__).resolve().parents[3] / "models" / "desk" / "manifest.yaml"

#: Channels of which the page never shows an entry.
NEVER_ENTERED = {Channel.ACK, Channel.DESIRED, Channel.REPORTED}


def _holes(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def _text(language: str, key: str) -> str:
    return WORDS.known(language, key, "")


def test_english_is_the_default_and_spanish_is_there() -> None:
    assert WORDS.languages == ("en", "es")


@pytest.mark.parametrize("language", WORDS.languages)
def test_each_language_has_the_same_keys_with_the_same_places_to_fill(language: str) -> None:
    assert WORDS.keys(language) == WORDS.keys("en")
    for key in WORDS.keys(language):
        assert _text(language, key).strip(), key
        assert _holes(_text(language, key)) == _holes(_text("en", key)), key


def test_spanish_is_not_english() -> None:
    same = {key for key in WORDS.keys("en") if _text("en", key) == _text("es", key)}
    assert same <= {"page.title", "page.sign_in.pin", "page.time.seconds", "page.time.minutes",
                    "page.live.line"}  # fmt: skip


def test_no_key_is_a_word_that_yaml_takes_for_something_else() -> None:
    def words(tree: object) -> None:
        if isinstance(tree, dict):
            assert all(isinstance(key, str) for key in tree), tree
            for below in tree.values():
                words(below)
        else:
            assert isinstance(tree, str), tree

    for path in FOLDER.glob("*.yaml"):
        words(yaml.safe_load(path.read_text(encoding="utf-8")))


def test_every_word_of_the_contract_has_a_name() -> None:
    model = read_manifest(MODEL)
    groups: dict[str, list[str]] = {
        "state": [*PrivacyState],
        "meaning": [*PrivacyState, SAFE_MODE],
        "reason": [*BreakReason, *CameraFault, SAFE_MODE],
        "limit": [*BreakLimit],
        "severity": [*Severity],
        "objection": [*AppealReason],
        "kind": [channel for channel in Channel if channel not in NEVER_ENTERED],
        "error": list(Failed.model_fields["reason"].annotation.__args__),  # type: ignore[union-attr]
        "class": list(model.classes),
    }
    for group, words in groups.items():
        missing = [word for word in words if not _text("en", f"page.{group}.{word}")]
        assert not missing, group


def test_every_text_that_a_template_names_is_there() -> None:
    named = set()
    for path in TEMPLATES.glob("*.html"):
        for call in re.findall(r"\bt\(([^)]*)\)", path.read_text(encoding="utf-8")):
            named |= set(re.findall(r'"([a-z_]+\.?[a-z_.]*[a-z_])"(?! ~)', call.split(",")[0]))
    assert len(named) > 80
    assert {name for name in named if f"page.{name}" not in WORDS.keys("en")} == set()
    assert set(SAID.values()) <= WORDS.keys("en")


@pytest.mark.parametrize(
    ("chosen", "accepted", "language"),
    [
        (None, "", "en"),
        (None, "es-ES,es;q=0.9", "es"),
        (None, "de-DE,de;q=0.9,es;q=0.5,en;q=0.2", "es"),
        (None, "en;q=0.1, es", "es"),
        (None, "es;q=0", "en"),
        (None, "es;q=nonsense", "en"),
        (None, "*", "en"),
        ("es", "en", "es"),
        ("xx", "es", "es"),
        ("../en", "", "en"),
    ],
)
def test_the_language_is_the_readers(chosen: str | None, accepted: str, language: str) -> None:
    assert WORDS.choose(chosen, accepted) == language
