"""Settings files of any content: what they mean, and what is said about them."""

import re
from collections.abc import Iterator
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from cleandesk.config import ConfigError, load
from cleandesk.contract.connection import BrokerSettings, TlsSettings
from cleandesk.settings import (
    BoxSettings,
    CameraSettings,
    DetectorSettings,
    Hours,
    OutboxSettings,
    PeopleRule,
    PhoneAtScreenRule,
    PresenceRule,
    Rule,
    Schedule,
    Zone,
)
from cleandesk.settings_worker import BreakSettings, PageSettings, WorkerSettings

NAMES = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?", fullmatch=True)
FRACTIONS = st.floats(0, 1)
ZONES = st.builds(Zone, polygon=st.lists(st.tuples(FRACTIONS, FRACTIONS), min_size=3, max_size=5))
SECONDS = st.floats(0.001, 1000)
TIMES = st.times().map(lambda t: t.replace(microsecond=0))
SCHEDULES = st.builds(
    Schedule,
    timezone=st.sampled_from(["UTC", "Europe/Berlin", "America/New_York"]),
    hours=st.lists(
        st.fixed_dictionaries(
            {
                "days": st.lists(st.sampled_from(["mon", "sun"]), min_size=1, max_size=2),
                "from": TIMES,
                "until": TIMES,
            }
        ).map(Hours.model_validate),
        min_size=1,
        max_size=2,
    ),
)
PATHS = st.from_regex(r"/[a-z .#:'-]{1,12}", fullmatch=True).map(Path)


@st.composite
def rules(draw: st.DrawFn, zone: str, name: str) -> Rule:
    of = draw(st.integers(1, 60))
    common: dict[str, Any] = {
        "name": name,
        "zone": zone,
        "hits": draw(st.integers(1, of)),
        "of": of,
        "dwell_s": draw(SECONDS),
        "severity": draw(st.sampled_from(["low", "medium", "high"])),
        "schedule": draw(st.none() | SCHEDULES),
    }
    kind = draw(st.sampled_from([PresenceRule, PeopleRule, PhoneAtScreenRule]))
    if kind is PresenceRule:
        return PresenceRule(classes=draw(st.lists(st.text(max_size=9), min_size=1)), **common)
    if kind is PeopleRule:
        return PeopleRule(kind="people", more_than=draw(st.integers(0, 20)), **common)
    return PhoneAtScreenRule(kind="phone_at_screen", desk_line=draw(FRACTIONS), **common)


@st.composite
def boxes(draw: st.DrawFn) -> BoxSettings:
    zones = draw(st.dictionaries(NAMES, ZONES, min_size=1, max_size=3))
    names = draw(st.lists(NAMES, min_size=1, max_size=3, unique=True))
    return BoxSettings(
        site=draw(NAMES),
        box=draw(NAMES),
        camera=draw(
            st.builds(
                CameraSettings,
                source=st.text(min_size=1, max_size=30),
                starts_at=st.none() | st.datetimes(timezones=st.just(UTC)),
                timeout_s=SECONDS,
                frozen_after_s=st.none() | SECONDS,
            )
        ),
        area=draw(st.none() | ZONES),
        detector=draw(st.builds(DetectorSettings, manifest=st.none() | PATHS)),
        zones=zones,
        rules=[draw(rules(draw(st.sampled_from(sorted(zones))), name)) for name in names],
        broker=BrokerSettings(
            host=draw(st.text(min_size=1, max_size=20)),
            tls=draw(st.none() | st.builds(TlsSettings, ca=PATHS, cert=PATHS, key=PATHS)),
        ),
        outbox=OutboxSettings(path=draw(PATHS)),
        breaks=draw(st.builds(BreakSettings, length_s=st.none() | st.floats(60, 86_400))),
        worker=WorkerSettings(zone=draw(st.none() | st.sampled_from(sorted(zones)))),
        page=draw(st.builds(PageSettings, socket=st.none() | PATHS, enabled=st.just(value=True))),
    )


def dumped(box: BoxSettings) -> dict[str, Any]:
    return box.model_dump(mode="json", by_alias=True)


in_one_folder = settings(
    max_examples=50,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    deadline=None,
)


@in_one_folder
@given(boxes())
def test_any_settings_written_as_yaml_load_equal(tmp_path: Path, box: BoxSettings) -> None:
    file = tmp_path / "box.yaml"
    file.write_text(yaml.safe_dump(dumped(box)), encoding="utf-8")
    assert load(file, BoxSettings) == box


def _keys(data: object, at: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield the place of each key that a model knows; zones are named by their owner."""
    if isinstance(data, dict):
        for key, value in data.items():
            if at != ("zones",):
                yield (*at, key)
            yield from _keys(value, (*at, key))
    elif isinstance(data, list):
        for i, value in enumerate(data):
            yield from _keys(value, (*at, i))


@st.composite
def slips(draw: st.DrawFn, word: str) -> str:
    """Mistype a word: a letter too much, too few, another one, or two swapped."""
    i = draw(st.integers(0, len(word) - 2))
    letter = draw(st.sampled_from("abcdefghijklmnopqrstuvwxyz_"))
    slip = draw(
        st.sampled_from(
            [
                word[:i] + letter + word[i:],
                word[:i] + word[i + 1 :],
                word[:i] + letter + word[i + 1 :],
                word[:i] + word[i + 1] + word[i] + word[i + 2 :],
                word.replace("_", "-").upper() + letter,
            ]
        )
    )
    assume(slip != word)
    return slip


@in_one_folder
@given(st.data(), boxes())
def test_any_mistyped_key_is_said_with_its_line_and_the_right_one(
    tmp_path: Path, data: st.DataObject, box: BoxSettings
) -> None:
    tree = dumped(box)
    at = data.draw(st.sampled_from([p for p in _keys(tree) if len(str(p[-1])) > 2]))
    holder: Any = tree
    for part in at[:-1]:
        holder = holder[part]
    right = str(at[-1])
    wrong = data.draw(slips(right))
    assume(wrong not in holder)
    renamed = [(wrong if key == right else key, value) for key, value in holder.items()]
    holder.clear()
    holder.update(renamed)
    text = yaml.safe_dump(tree, sort_keys=False, width=10**6)
    lines = [
        number
        for number, line in enumerate(text.split("\n"), start=1)
        if re.match(rf"[ -]*'?{re.escape(wrong)}'?:", line)
    ]
    file = tmp_path / "box.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load(file, BoxSettings)
    found = [p for p in caught.value.problems if p.reason == "unknown key"]
    assert [p.fix for p in found] == [f"did you mean '{right}'?"]
    assert found[0].line in lines


TOKENS = "a|site|: |- |\n|  |[|]|{|}|&x |*x|!!int |'|\"|>\n|#|?|%|---\n|<<: |\t|1|~|,|\\|rules|kind"
YAMLISH = st.lists(st.sampled_from(TOKENS.split("|")), max_size=30).map("".join)


@in_one_folder
@given(st.text() | YAMLISH | st.binary())
def test_no_content_raises_anything_else(tmp_path: Path, content: str | bytes) -> None:
    file = tmp_path / "box.yaml"
    file.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "replace"))
    with pytest.raises(ConfigError) as caught:
        load(file, BoxSettings)
    assert caught.value.problems
    assert all(p.reason and p.fix for p in caught.value.problems)
