"""What is sensed, sent and kept: the facts follow the settings, and each has its words."""

import re
from pathlib import Path
from string import Formatter

import pytest

from cleandesk.config import load
from cleandesk.contract.docs import TOPICS
from cleandesk.settings import BoxSettings
from cleandesk.worker.languages import Language
from cleandesk.worker.statement import Choices, statement
from cleandesk.worker.wording import FOLDER, as_text, say, words

DEFAULT = Path(__file__).resolve().parents[3] / "device" / "cleandesk.yaml"
BUILDER = Path(__file__).resolve().parents[3] / "device" / "cleandesk" / "worker" / "statement.py"
#: Sections of the settings that the statement speaks of, or that say nothing about the worker.
ACCOUNTED = {
    *("schema_version", "site", "box", "camera", "looks_per_s", "gate", "area", "detector"),
    *("zones", "rules", "broker", "outbox", "ledger", "stills", "health_every_s"),
    *("breaks", "worker", "idle", "spot_checks", "safe_mode", "page", "gpio"),
}
EVERYTHING = Choices(30, 4, idle=True, spot_checks=True, still_delay_s=60)
RULES = """
  - {name: people, kind: people, zone: desk, more_than: 2, dwell_s: 20, schedule: {timezone:
     Europe/Berlin, hours: [{days: [mon, tue], from: "08:00", until: "18:00"}]}}
  - {name: screen, kind: phone_at_screen, zone: desk}
"""


@pytest.fixture
def settings(tmp_path: Path) -> BoxSettings:
    """The shipped settings, with rules of every kind."""
    text = DEFAULT.read_text(encoding="utf-8")
    file = tmp_path / "box.yaml"
    more = re.sub(r"^rules:\n", f"rules:{RULES}", text, flags=re.MULTILINE)
    file.write_text(more, encoding="utf-8")
    return load(file, BoxSettings)


def facts(settings: BoxSettings, choices: Choices) -> dict[str, list[dict[str, str]]]:
    found: dict[str, list[dict[str, str]]] = {}
    for section in statement(settings, choices).sections.values():
        for fact in section:
            found.setdefault(fact.text, []).append(fact.values)
    return found


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_every_language_has_the_same_texts_with_the_same_placeholders() -> None:
    assert {file.stem for file in FOLDER.glob("*.yaml")} == {one.value for one in Language}
    first, *others = [words(language) for language in Language]
    for other in others:
        assert list(other) == list(first)
        assert {k: placeholders(t) for k, t in other.items()} == {
            k: placeholders(t) for k, t in first.items()
        }


def test_every_text_that_is_named_is_there_and_every_text_is_used() -> None:
    named = set(re.findall(r'"((?:sensed|sent|kept|breaks|never)\.[a-z_]+)"', BUILDER.read_text()))
    named |= {f"never.{one}" for one in ("sound", "recording", "pyav", "ffmpeg")}
    named |= {f"sent.{one}" for one in ("violation", "active", "privacy", "appeal", "answers")}
    named |= {f"{one}.title" for one in ("sensed", "sent", "kept", "breaks", "never")}
    named |= {"statement.title", "statement.basis"}
    texts = {key for key in words(Language.EN) if key.startswith("privacy.")}
    assert texts == {f"privacy.{one}" for one in named}


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("choices", [Choices(), EVERYTHING])
def test_every_fact_can_be_said(
    settings: BoxSettings, language: Language, choices: Choices
) -> None:
    texts = words(language)
    for section in statement(settings, choices).sections.values():
        for fact in section:
            assert fact.values.keys() == placeholders(texts[fact.text])
            assert "{" not in say(texts, fact)
    assert "home/desk-1" in as_text(statement(settings, choices), texts, "home/desk-1")


def test_it_speaks_of_every_rule(settings: BoxSettings) -> None:
    found = facts(settings, Choices())
    assert [one["classes"] for one in found["privacy.sensed.presence"]] == ["phone", "paper"]
    assert found["privacy.sensed.people_rule"][0]["count"] == "2"
    assert found["privacy.sensed.hours"] == [
        {"name": "people", "hours": "mon, tue 08:00-18:00", "timezone": "Europe/Berlin"}
    ]
    assert found["privacy.sensed.classes"] == [{"classes": "paper, person, phone"}]


def test_it_says_that_people_are_looked_for_whatever_the_rules() -> None:
    found = facts(load(DEFAULT, BoxSettings), Choices())
    assert found["privacy.sensed.classes"] == [{"classes": "paper, person, phone"}]


@pytest.mark.parametrize("language", list(Language))
def test_it_names_what_a_box_sends_by_the_contract_and_nothing_else(
    settings: BoxSettings, language: Language
) -> None:
    told = statement(settings, Choices(idle=True, still_delay_s=60)).sections["privacy.sent.title"]
    said = " ".join(say(words(language), fact) for fact in told)
    named = set(re.findall(r"['«]([a-z/]+)['»]", said))
    sent = {topic.channel.value for topic in TOPICS if topic.action == "send"}
    assert named == sent


def test_the_sites_log_has_idle_markers_where_it_asks_for_them(settings: BoxSettings) -> None:
    assert "privacy.kept.site_idle" in facts(settings, Choices(idle=True))
    assert "privacy.kept.site_idle" not in facts(settings, Choices())


def test_it_says_how_much_of_the_picture_is_seen(settings: BoxSettings) -> None:
    assert "privacy.sensed.area_all" in facts(settings, Choices())
    half = {"polygon": [[0, 0.5], [1, 0.5], [1, 1], [0, 1]]}
    part = BoxSettings.model_validate(settings.model_dump(by_alias=True) | {"area": half})
    assert facts(part, Choices())["privacy.sensed.area_part"] == [{"share": "50"}]


def test_what_a_site_turns_on_is_told(settings: BoxSettings) -> None:
    off, on = facts(settings, Choices()), facts(settings, EVERYTHING)
    for name in ("sensed.idle_off", "sent.stills_off", "kept.pictures", "breaks.no_limits"):
        assert f"privacy.{name}" in off
        assert f"privacy.{name}" not in on
    assert on["privacy.sent.stills_on"] == [{"delay_s": "60"}]
    assert on["privacy.breaks.length"] == [{"minutes": "30"}]
    assert on["privacy.kept.ledger"] == [{"days": "92", "mb": "64"}]


def test_what_a_site_turns_on_is_read_from_its_settings(settings: BoxSettings) -> None:
    given = settings.model_dump(by_alias=True) | {
        "breaks": {"length_s": 1800, "count_per_day": 4},
        "worker": {"zone": "desk", "absent_after_s": 120},
        "idle": {"enabled": True},
        "page": {"enabled": False},
        "gpio": {"button": 17},
        "stills": {"enabled": True, "delay_s": 90, "encrypt_to": "site.pem"},
    }
    changed = BoxSettings.model_validate(given)
    assert Choices.of(changed) == Choices(30, 4, idle=True, spot_checks=True, still_delay_s=90)
    off, on = facts(settings, Choices()), facts(changed, Choices.of(changed))
    assert on["privacy.sensed.absent"] == [{"zone": "desk", "after_s": "120"}]
    assert "privacy.sent.stills_sealed" in on
    for name in ("sensed.absent_off", "sent.aiming"):
        assert f"privacy.{name}" in off
        assert f"privacy.{name}" not in on


def test_a_broker_without_encryption_is_called_so(settings: BoxSettings) -> None:
    assert facts(settings, Choices())["privacy.sent.plain"] == [
        {"host": "localhost", "port": "1883"}
    ]


def test_every_section_of_the_settings_is_accounted_for() -> None:
    """Whoever adds one says in the statement what it means for the worker."""
    assert set(BoxSettings.model_fields) == ACCOUNTED
