"""Documents of any content, as files and by MQTT: none crashes the box, no nonsense is accepted."""

import copy
import json
import math
import os
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cleandesk.assembly import least_scores
from cleandesk.checks import read_settings
from cleandesk.config import ConfigError, Problem
from cleandesk.config_yaml import read
from cleandesk.contract.config_messages import ConfigOutcome
from cleandesk.policy import Policy
from cleandesk.settings import BoxSettings
from tests.unit.control.make import accept, configuration, manifest
from tests.unit.control.test_configuration import report

DEFAULT = Path(__file__).resolve().parents[3] / "device" / "cleandesk.yaml"
#: Documents of each kind; `CONFIG_SEARCH=10000` is the long run.
MANY = int(os.environ.get("CONFIG_SEARCH", "500"))
# The long run takes longer than a test usually may.
pytestmark = pytest.mark.timeout(max(300, MANY // 5))
SEARCH = settings(
    max_examples=MANY,
    derandomize="CONFIG_SEARCH" not in os.environ,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
NOTHING = Problem(DEFAULT, None, "", "", "")
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(["no", "08:30", "1e9", "null", "../../etc/passwd", "desk", "phone", "\x00"]),
)
TREES = st.recursive(
    SCALARS,
    lambda below: (
        st.lists(below, max_size=4) | st.dictionaries(st.text(max_size=8), below, max_size=4)
    ),
    max_leaves=12,
)
_LARGE = 10**9
_HOSTILE: tuple[Any, ...] = (
    *(None, True, -1, 0, 10**400, 1e308, float("inf"), "", "x" * 5000, [], {}, [[]], {"": {}}),
    *("\u202e", "*a", "!!python", "1970-01-01", [None] * 100, {"kind": "people"}),
    {"polygon": [[0, 0]] * 3},
)


def _places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    below = value.items() if isinstance(value, dict) else enumerate(value)
    found = [at] if at else []
    if isinstance(value, dict | list):
        for key, one in below:
            found += _places(one, (*at, key)) if isinstance(one, dict | list) else [(*at, key)]
    return found


def _mutated(data: Any, random: Random) -> Any:
    """Return a document with some of its places changed, dropped, doubled or moved."""
    data = copy.deepcopy(data)
    for _ in range(random.randint(1, 4)):
        places = _places(data)
        if not places:
            break
        at = random.choice(places)
        holder: Any = data
        for part in at[:-1]:
            holder = holder[part]
        match random.randrange(5):
            case 0:
                holder[at[-1]] = copy.deepcopy(random.choice(_HOSTILE))
            case 1:
                del holder[at[-1]]
            case 2 if isinstance(holder, dict):
                key = random.choice([f"{at[-1]}s", "x", "__class__"])
                holder[key] = copy.deepcopy(holder[at[-1]])
            case 3 if isinstance(holder[at[-1]], float | int) and abs(holder[at[-1]]) < _LARGE:
                holder[at[-1]] = holder[at[-1]] * random.choice([-1, 0, 0.5, 1.5, 1e9])
            case _:
                holder[at[-1]] = [holder[at[-1]]]
    return data


def _torn(text: bytes, random: Random) -> bytes:
    """Return bytes with some cut out, doubled or overwritten, or all of them."""
    if random.random() < 0.5 or not text:
        return text
    first, last = sorted(random.randrange(len(text)) for _ in range(2))
    middle = random.choice([b"", text[first:last] * 2, random.randbytes(4), b"\t", b"}", b"&a *a"])
    return text[:first] + middle + text[last:]


def _sensible(running: BoxSettings) -> None:
    """Hold what was accepted against what a box has to be able to do with it."""
    model = manifest()
    policy = Policy(
        running.rules,
        running.zones,
        model.classes,
        threshold_of=model.threshold_of,
        new_id=lambda: "0" * 32,
        look_s=1 / running.looks_per_s,
        boot="b" * 32,
    )
    assert len(least_scores(running, policy)) == len(model.classes)
    assert 0 < running.looks_per_s <= 60
    for rule in running.rules:
        assert rule.zone in running.zones
        assert rule.hits <= rule.of
        assert math.isfinite(rule.dwell_s + rule.clear_after_s + rule.grace_s)
    for zone in [*running.zones.values(), *([running.area] if running.area else [])]:
        assert all(0 <= edge <= 1 for point in zone.polygon for edge in point)
    assert BoxSettings.model_validate_json(running.model_dump_json(by_alias=True)) == running


@pytest.fixture(scope="module")
def base() -> dict[str, Any]:
    data: dict[str, Any] = read(DEFAULT).data
    return data


def _desired_of(data: dict[str, Any]) -> dict[str, Any]:
    parts = ("rules", "zones", "area", "looks_per_s", "gate", "breaks", "spot_checks", "idle")
    config = {key: data[key] for key in parts if key in data}
    return {"schema": 1, "version": 1, "config": config}


def _by_mqtt(folder: Path, payload: bytes) -> bool:
    (folder / "outbox.db.config").unlink(missing_ok=True)
    subject = configuration(folder)
    before = subject.settings
    accepted = accept(subject, payload)
    said = report(subject)
    assert said.to_json()
    assert accepted == (said.outcome is ConfigOutcome.ACCEPTED)
    if accepted:
        _sensible(subject.settings)
        assert configuration(folder).settings == subject.settings, "it is kept as it runs"
    else:
        assert said.problems
        assert all(one.reason and one.fix for one in said.problems)
        assert subject.settings is before
    for name in ("site", "box", "broker", "camera", "outbox", "ledger", "page", "gpio", "worker"):
        assert getattr(subject.settings, name) == getattr(before, name)
    return accepted


def _as_file(folder: Path, payload: bytes) -> bool:
    path = folder / "cleandesk.yaml"
    path.write_bytes(payload)
    problems: tuple[Problem, ...] = ()
    try:
        _sensible(read_settings(path))
    except ConfigError as error:
        problems = error.problems or (NOTHING,)
    assert all(one.reason and one.fix for one in problems)
    return not problems


def test_mutations_by_mqtt_are_rejected_with_reasons_or_make_sense(
    tmp_path: Path, base: dict[str, Any]
) -> None:
    good = _desired_of(base)
    assert _by_mqtt(tmp_path, json.dumps(good).encode())
    accepted = 0
    for seed in range(MANY):
        random = Random(seed)
        accepted += _by_mqtt(tmp_path, _torn(json.dumps(_mutated(good, random)).encode(), random))
    assert 0 < accepted < MANY


def test_mutations_of_the_file_are_rejected_with_reasons_or_make_sense(
    tmp_path: Path, base: dict[str, Any]
) -> None:
    assert _as_file(tmp_path, yaml.safe_dump(base).encode())
    accepted = 0
    for seed in range(MANY):
        random = Random(seed)
        text = yaml.safe_dump(_mutated(base, random)).encode()
        accepted += _as_file(tmp_path, _torn(text, random))
    assert 0 < accepted < MANY


@SEARCH
@given(tree=TREES, config=TREES)
def test_any_document_by_mqtt_is_rejected_or_makes_sense(
    tmp_path_factory: pytest.TempPathFactory, tree: Any, config: Any
) -> None:
    folder = tmp_path_factory.getbasetemp() / "any"
    folder.mkdir(exist_ok=True)
    for document in (tree, {"version": 1, "config": config}, {"version": tree, "config": {}}):
        _by_mqtt(folder, json.dumps(document).encode())


@SEARCH
@given(
    payload=st.binary(max_size=200)
    | st.text(max_size=200).map(lambda text: text.encode(errors="replace"))
)
def test_any_bytes_are_no_configuration(
    tmp_path_factory: pytest.TempPathFactory, payload: bytes
) -> None:
    folder = tmp_path_factory.getbasetemp() / "bytes"
    folder.mkdir(exist_ok=True)
    assert not _by_mqtt(folder, payload)
    assert not _as_file(folder, payload)
