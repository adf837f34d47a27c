"""The broker's rules file, read as mosquitto reads it; the real broker is asked by system tests."""

from pathlib import Path

import pytest

from cleandesk.contract.topics import Address
from cleandesk_fleet.provision.access import Rules, too_tight, too_wide
from tests.rig import ROOT

SHIPPED = (ROOT / "deploy" / "broker" / "boxes.acl").read_text(encoding="utf-8")
BOX = Address("s1", "b1")


def rules(folder: Path, text: str) -> Rules:
    path = folder / "boxes.acl"
    path.write_text(text, encoding="utf-8")
    return Rules.read(path, str(BOX))


def test_the_shipped_rules_let_a_box_do_what_it_must_and_no_more(tmp_path: Path) -> None:
    shipped = rules(tmp_path, SHIPPED)
    assert too_tight(shipped, BOX) == []
    assert too_wide(shipped, BOX) == []


@pytest.mark.parametrize(
    ("line", "opened"),
    [
        ("pattern read cleandesk/v1/+/+/status", "read cleandesk/v1/s1/x/status"),
        ("pattern cleandesk/v1/#", "write cleandesk/v1/x/x/violation"),
        ("pattern readwrite #", "read cleandesk/v1/x/b1/config/desired"),
        ("pattern write cleandesk/v1/%u/ack", "write cleandesk/v1/s1/b1/ack"),
        ("user s1/b1\ntopic read cleandesk/v1/s1/x/health", "read cleandesk/v1/s1/x/health"),
    ],
)
def test_a_line_too_much_is_seen(tmp_path: Path, line: str, opened: str) -> None:
    assert opened in too_wide(rules(tmp_path, f"{SHIPPED}\n{line}\n"), BOX)


@pytest.mark.parametrize(
    "line",
    ["# pattern readwrite #", "topic readwrite #", "user s1/b2\ntopic readwrite #", "  "],
)
def test_what_is_not_for_this_box_opens_nothing(tmp_path: Path, line: str) -> None:
    assert too_wide(rules(tmp_path, f"{line}\n{SHIPPED}"), BOX) == []


def test_each_line_that_is_missing_is_seen(tmp_path: Path) -> None:
    lines = [line for line in SHIPPED.splitlines() if line.startswith("pattern")]
    for line in lines:
        text = "\n".join(one for one in lines if one != line)
        assert too_tight(rules(tmp_path, text), BOX), line
    assert len(too_tight(rules(tmp_path, ""), BOX)) > len(lines)
