"""Settings files: what is right loads as it was meant, what is wrong is said with its line."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from cleandesk.config import ConfigError, Problem, load
from cleandesk.config_yaml import MAX_BYTES
from cleandesk.settings import (
    BoxSettings,
)

DEFAULT = Path(__file__).resolve().parents[2] / "device" / "cleandesk.yaml"
GOOD = """\
site: home
box: desk-1
zones:
  desk: {polygon: [[0, 0], [1, 0], [1, 1]]}
rules:
  - {kind: presence, name: no-phone, zone: desk, classes: [phone]}
broker: {host: localhost}
"""


def problems(text: str | bytes, folder: Path) -> tuple[Problem, ...]:
    file = folder / "box.yaml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ConfigError) as caught:
        load(file, BoxSettings)
    return caught.value.problems


def said(text: str | bytes, folder: Path) -> list[tuple[int | None, str, str, str]]:
    return [(p.line, p.key, p.reason, p.fix) for p in problems(text, folder)]


# --- what is right


@pytest.mark.parametrize("change", [("\n", "\r\n"), ("\n", "\n\n"), ("site", "\ufeffsite")])
def test_line_ends_and_byte_order_marks_do_not_matter(
    tmp_path: Path, change: tuple[str, str]
) -> None:
    file = tmp_path / "box.yaml"
    file.write_bytes(GOOD.replace(*change, -1 if change[0] == "\n" else 1).encode())
    assert load(file, BoxSettings).site == "home"


def test_paths_are_relative_to_the_file_wherever_they_stand(tmp_path: Path) -> None:
    class Inner(BaseModel):
        path: Path

    class Outer(BaseModel):
        one: Path = Path("default.db")
        absolute: Path
        listed: list[Path]
        named: dict[str, Inner]
        pair: tuple[int, Path]
        none: Path | None = None

    file = tmp_path / "x.yaml"
    file.write_text(
        "absolute: /a/b\nlisted: [c, d/e]\nnamed: {f: {path: g}}\npair: [1, ../h]\n",
        encoding="utf-8",
    )
    read = load(file, Outer)
    assert read == Outer(
        one=tmp_path / "default.db",
        absolute=Path("/a/b"),
        listed=[tmp_path / "c", tmp_path / "d" / "e"],
        named={"f": Inner(path=tmp_path / "g")},
        pair=(1, tmp_path / ".." / "h"),
    )


class Plain(BaseModel):
    a: Any


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("22:00", "22:00"),
        ("no", "no"),
        ("on", "on"),
        ("0123", "0123"),
        ("1_000", "1_000"),
        ("2026-03-02", "2026-03-02"),
        ("12", 12),
        ("-0.5", -0.5),
        ("true", True),
        ("~", None),
        ("'12'", "12"),
    ],
)
def test_yaml_values_are_what_they_look_like(tmp_path: Path, text: str, value: object) -> None:
    file = tmp_path / "x.yaml"
    file.write_text(f"a: {text}\n", encoding="utf-8")
    assert load(file, Plain).a == value


# --- what is wrong, all at once


def test_everything_wrong_is_said_at_once_with_line_and_fix(tmp_path: Path) -> None:
    text = """\
sitee: home
box: Desk_1
camera:
  width: 10
  sorce: rtsp://admin:hunter2@10.0.0.7/live
zones:
  desk: {polygon: [[0, 0], [1, 0], [1.5, 1]]}
rules:
  - kind: presense
    name: no-phone
    zone: desk
    classes: [phone]
    severity: hihg
broker: {host: localhost, tls: {ca: a, key: b}, keepalive_s: soon}
"""
    found = said(text, tmp_path)
    assert [(line, key) for line, key, _, _ in found] == [
        (1, "sitee"),
        (2, "box"),
        (4, "camera.width"),
        (5, "camera.sorce"),
        (7, "zones.desk.polygon[2][0]"),
        (9, "rules[0].kind"),
        (13, "rules[0].severity"),
        (14, "broker.tls"),
        (14, "broker.keepalive_s"),
    ]
    fixes = [fix for _, _, _, fix in found]
    assert fixes[0] == "did you mean 'site'?"
    assert "a-z, 0-9 and '-'" in fixes[1]
    assert "at least 160" in fixes[2]
    assert fixes[3] == "did you mean 'source'?"
    assert "at most 1" in fixes[4]
    assert fixes[5].startswith("did you mean 'presence'? Known: presence, people, phone_at_screen")
    assert fixes[6].startswith("did you mean 'high'? Known: low, medium, high")
    assert fixes[7].startswith("give both or none")


def test_no_password_in_an_address_is_repeated(tmp_path: Path) -> None:
    text = GOOD + "camera: {realtime: 'rtsp://admin:hunter2@10.0.0.7/live'}\n"
    (problem,) = problems(text, tmp_path)
    assert "hunter2" not in str(problem)


def test_what_a_wrong_key_hides_is_said_too(tmp_path: Path) -> None:
    text = GOOD.replace("kind: presence, name", "knid: presence, hit: 9, name")
    assert [(key, fix) for _, key, _, fix in said(text, tmp_path)] == [
        ("rules[0].knid", "did you mean 'kind'?"),
        ("rules[0].hit", "did you mean 'hits'?"),
        ("rules[0].hits", "lower 'hits' or raise 'of'"),
    ]


def test_values_that_do_not_go_together_are_said_where_they_stand(tmp_path: Path) -> None:
    text = GOOD.replace(
        "broker",
        "  - kind: people\n    name: no-phone\n    zone: dsk\nbroker",
    )
    assert [(line, key) for line, key, _, _ in said(text, tmp_path)] == [
        (8, "rules[1].name"),
        (9, "rules[1].zone"),
    ]
    assert "did you mean 'desk'?" in said(text, tmp_path)[1][3]


def test_a_key_that_stands_twice_is_refused(tmp_path: Path) -> None:
    ((line, key, reason, _),) = said(GOOD + "site: other\n", tmp_path)
    assert (line, key) == (8, "site")
    assert "line 1" in reason


@pytest.mark.parametrize(
    ("old", "new", "key", "reason"),
    [
        ("site: home", "site: 12", "site", "must be text, not 12"),
        ("site: home", "site:", "site", "it is empty"),
        ("site: home\n", "", "site", "it is missing"),
        ("broker: {host: localhost}", "broker: localhost", "broker", "must be a mapping"),
        ("[phone]", "phone", "rules[0].classes", "must be a list, not 'phone'"),
        ("[phone]", "[]", "rules[0].classes", "has 0 entries"),
        ("[1, 1]]", "[1]]", "zones.desk.polygon[2][1]", "it is missing"),
        ("[1, 1]]", "[1, .nan]]", "zones.desk.polygon[2][1]", "nan is out of range"),
        ("kind: presence, ", "", "rules[0].kind", "it is missing"),
        ("  desk:", "  Desk:", "zones.Desk", "'Desk' does not fit"),
        ("localhost}", "localhost, port: 8883.5}", "broker.port", "must be a whole number"),
        ("localhost}", "localhost, port: yes}", "broker.port", "must be a whole number"),
        ("site: home", "site: !!python/name:os.system x", "site", "the tag"),
        ("site: home", "site: !!int x", "site", "'x' is no int"),
        ("site: home", "? [a]\n: b\nsite: home", "", "a key is a list"),
    ],
)
def test_each_mistake_has_its_words(
    tmp_path: Path, old: str, new: str, key: str, reason: str
) -> None:
    assert old in GOOD
    ((_, where, why, fix),) = said(GOOD.replace(old, new), tmp_path)
    assert where == key
    assert reason in why
    assert fix


@pytest.mark.parametrize(
    ("hours", "reason"),
    [
        ("from: 0830, until: '18:00'", "no time of day"),
        ("from: 830, until: '18:00'", "no time of day"),
        ("from: '08:30', until: '24:00'", "must be a time of day"),
        ("from: '08:30Z', until: '18:00'", "no time of day"),
    ],
)
def test_hours_are_times_of_day(tmp_path: Path, hours: str, reason: str) -> None:
    schedule = f"schedule: {{timezone: UTC, hours: [{{days: [mon], {hours}}}]}}"
    text = GOOD.replace("classes", f"{schedule}, classes")
    ((line, _, why, fix),) = said(text, tmp_path)
    assert line == 6
    assert reason in why
    assert '"08:30"' in fix


# --- files that are no settings at all


@pytest.mark.parametrize(
    ("content", "line", "reason"),
    [
        (b"", 1, "the file is empty"),
        (b"# nothing\n", 1, "the file is empty"),
        (b"- a\n- b\n", 1, "must be a mapping, not a list"),
        (b"just text", 1, "must be a mapping, not 'just text'"),
        (b"site: home\nbox: \xff\n", 2, "byte 0xff is not UTF-8"),
        ("site: home\nbox: ä".encode("utf-16"), 1, "is not UTF-8"),
        (b"site: home\n\tbox: a\n", 2, "a tab is where only spaces may be"),
        (b"site: home\nbox: a: b\n", 2, "a ':' cannot stand here"),
        (b"site: home\nbox: 'a\n", 2, "a quote is opened and never closed"),
        (b"site: home\nrules: [a, b\n", 2, "closing bracket"),
        (b"site: *home\n", 1, "an anchor that is not defined"),
        (b"site: home\n---\nbox: a\n", 2, "begins a second document"),
        (b"site: home\nbox: \x00\n", 2, "a control character"),
        (b'site: "\\ud800"\n', 1, "half a character"),
        (b'site: "\\UFFFFFFFF"\n', None, "not valid YAML"),
        (b"a: " + b"[" * 5000, 1, "nested deeper"),
        (b"a: &a [*a]\n", 1, "levels"),
        (b"x: " + b"9" * 5000 + b"\n", 1, "is no int"),
        (b"#" * (MAX_BYTES + 1), None, "larger than 256 KiB"),
    ],
    ids=lambda value: repr(value)[:24],
)
def test_what_is_no_settings_file_is_said_with_its_line(
    tmp_path: Path, content: bytes, line: int | None, reason: str
) -> None:
    first = problems(content, tmp_path)[0]
    assert reason in first.reason
    assert first.line == line
    assert first.fix


def test_aliases_cannot_blow_up(tmp_path: Path) -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 30)
    )
    assert "more than 20000 values" in problems(bomb, tmp_path)[0].reason


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    for path, reason in (
        (tmp_path / "nope.yaml", "there is no such file"),
        (tmp_path, "this is a folder"),
        (tmp_path / ("x" * 300), "cannot be read"),
        (tmp_path / "a\0b", "cannot be read"),
    ):
        with pytest.raises(ConfigError, match=reason) as caught:
            load(path, BoxSettings)
        assert caught.value.problems[0].file == path


@contextmanager
def _without_rights() -> Iterator[None]:
    """Be nobody for a while where the tests run as root, for whom no file is closed."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_file_that_may_not_be_read_is_said(tmp_path: Path) -> None:
    file = tmp_path / "box.yaml"
    file.write_text(GOOD, encoding="utf-8")
    file.chmod(stat.S_IWUSR)
    with _without_rights(), pytest.raises(ConfigError, match="reading it is not allowed"):
        load(file, BoxSettings)
