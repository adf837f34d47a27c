"""Facts in words: the texts that workers read, one file a language."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import yaml

from cleandesk.worker.languages import Language
from cleandesk.worker.protocol import Fact, Statement

FOLDER = Path(__file__).parent / "texts"


def words(language: Language) -> dict[str, str]:
    """Return all texts of a language by their full keys, such as `privacy.sent.title`."""
    file = FOLDER / f"{language}.yaml"
    return dict(_flat("", yaml.safe_load(file.read_text(encoding="utf-8"))))


def say(texts: Mapping[str, str], fact: Fact) -> str:
    """Return a fact in words."""
    return texts[fact.text].format_map(fact.values)


def as_text(statement: Statement, texts: Mapping[str, str], box: str) -> str:
    """Return a statement for a terminal."""
    lines = [texts["privacy.statement.title"].format(box=box), texts["privacy.statement.basis"]]
    for title, facts in statement.sections.items():
        lines += ["", texts[title], *(f"  - {say(texts, fact)}" for fact in facts)]
    return "\n".join(lines)


def as_data(statement: Statement, texts: Mapping[str, str], box: str) -> dict[str, object]:
    """Return a statement for programs: facts with their values, and their words."""
    return {
        "box": box,
        "sections": {
            title: [{**fact.model_dump(), "words": say(texts, fact)} for fact in facts]
            for title, facts in statement.sections.items()
        },
    }


def _flat(above: str, tree: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for key, value in tree.items():
        if isinstance(value, Mapping):
            yield from _flat(f"{above}{key}.", value)
        else:
            yield f"{above}{key}", str(value)
