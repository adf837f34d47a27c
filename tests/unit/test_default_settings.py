"""The default settings: they load, and they explain every key that there is."""

import re
from pathlib import Path

from pydantic import BaseModel

from cleandesk.config import load
from cleandesk.contract.connection import BrokerSettings, TlsSettings
from cleandesk.settings import (
    BoxSettings,
    CameraSettings,
    DetectorSettings,
    Hours,
    LedgerSettings,
    OutboxSettings,
    PeopleRule,
    PhoneAtScreenRule,
    PresenceRule,
    Schedule,
    StillSettings,
    Zone,
)
from cleandesk.settings_worker import (
    BreakSettings,
    GpioSettings,
    IdleSettings,
    PageSettings,
    SafeModeSettings,
    SpotCheckSettings,
    WorkerSettings,
)

DEFAULT = Path(__file__).resolve().parents[2] / "device" / "cleandesk.yaml"


def test_the_default_file_loads() -> None:
    box = load(DEFAULT, BoxSettings)
    assert box.outbox.path == DEFAULT.parent / "outbox.db"
    assert box.detector.manifest is None
    assert [rule.name for rule in box.rules] == ["no-phone", "no-paper"]


def test_the_default_file_explains_every_key() -> None:
    text = DEFAULT.read_text(encoding="utf-8")
    every: list[type[BaseModel]] = [BoxSettings, CameraSettings, DetectorSettings, Zone, Hours]
    every += [Schedule, PresenceRule, PeopleRule, PhoneAtScreenRule, BrokerSettings, TlsSettings]
    every += [OutboxSettings, LedgerSettings, BreakSettings, WorkerSettings, IdleSettings]
    every += [SpotCheckSettings, PageSettings, GpioSettings]
    every += [StillSettings, SafeModeSettings]
    for model in every:
        for name, field in model.model_fields.items():
            assert field.description, f"{model.__name__}.{name} has no description"
            key = field.alias or name
            assert re.search(rf"(^|[ {{#])({key}):", text, re.MULTILINE), f"{key} is not explained"


def test_commented_keys_of_the_default_file_are_valid(tmp_path: Path) -> None:
    text = DEFAULT.read_text(encoding="utf-8")
    key = r"^( *)# (?=(\s*)(-\s*)?(- name|kind|zone|more_than|dwell_s|schedule|timezone|hours|"
    key += r"desk_line|overlap|starts_at|frozen_after_s|area|polygon|manifest|threads|min_score|"
    key += (
        r"hold_score|encrypt_to|tls|ca|cert|key|clock|- \{days|length_s|count_per_day|socket|group|"
    )
    key += r"gpio|button|light)\b[^\n]*)"
    everything = re.sub(key, r"\1", text, flags=re.MULTILINE)
    file = tmp_path / "all.yaml"
    file.write_text(everything, encoding="utf-8")
    box = load(file, BoxSettings)
    assert [rule.kind for rule in box.rules] == [
        "presence",
        "presence",
        "people",
        "phone_at_screen",
    ]
    assert box.rules[2].schedule is not None
    assert box.broker.tls is not None
    assert box.broker.tls.ca == tmp_path / "ca.pem"
    assert box.stills.encrypt_to == tmp_path / "site.pem"
    assert box.area is not None
    assert box.camera.starts_at is not None
    assert box.detector.threads == 3
    assert (box.breaks.length_s, box.breaks.count_per_day) == (1800, 8)
    assert box.worker.zone == "desk"
    assert (box.page.socket, box.page.group) == (tmp_path / "page.sock", "cleandesk-page")
    assert (box.gpio.button, box.gpio.light) == (17, 27)
