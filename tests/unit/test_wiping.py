"""A box at its end: whatever it kept is gone, and whoever asks is told what is not."""

import json
import os
from pathlib import Path

import pytest

from cleandesk import durable
from cleandesk.identity import keys
from cleandesk.link.opening import lock
from cleandesk_fleet.provision import pki
from tests.unit.commandline import cleandesk
from tests.unit.link.make import MAKER, change, outbox
from tests.unit.test_cli import DEFAULT

OBJECTION = "the worker objects: it was my doctor who rang"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A box that was claimed, ran and was stopped: each file that it makes is there."""
    home, state, page = (tmp_path / name for name in ("etc", "state", "page"))
    for folder in (home / "identity", state, page / "devices"):
        folder.mkdir(parents=True)
    text = DEFAULT.read_text(encoding="utf-8")
    assert text.count("path: outbox.db") == 1
    text = text.replace("path: outbox.db", f"path: {state / 'outbox.db'}")
    (home / "cleandesk.yaml").write_text(text, encoding="utf-8")
    for name in ("page.yaml", "page-label", "hostname"):
        (home / name).write_text("x", encoding="utf-8")
    (home / "identity" / "box.pem").write_bytes(keys.as_pem(pki.new_key()))
    (page / "devices" / "one").write_text("a session", encoding="utf-8")
    made = outbox(state / "outbox.db")
    made.commit([change()], b"{}", make=MAKER)
    made.note("objection", OBJECTION)
    made.close()
    for name in ("worker", "config", "starts", "aim", "rotation"):
        durable.write(state / f"outbox.db.{name}", b"{}")
    model = state / "outbox.db.models" / ("a" * 64)
    model.mkdir(parents=True)
    for path in (model / "manifest.yaml", model.parent / "state"):
        path.write_text("a fetched model", encoding="utf-8")
    (state / "outbox.db.corrupt-20260101T000000000000Z").write_text(OBJECTION, encoding="utf-8")
    (state / ".outbox.db.worker.new").write_text("half", encoding="utf-8")
    (state / "somebody-elses.db").write_text("stays", encoding="utf-8")
    return home / "cleandesk.yaml"


def words(config: Path, *more: str) -> list[str | Path]:
    page = config.parents[1] / "page"
    return ["wipe", "-c", config, "--page", page, "--json", *more]


def files(home: Path) -> set[str]:
    return {path.name for path in home.rglob("*") if not path.is_dir()}


def test_everything_that_a_box_keeps_is_gone_and_shown_to_be(config: Path, tmp_path: Path) -> None:
    before = files(tmp_path)
    assert {"outbox.db", "outbox.db.lock", "outbox.db.mark", "box.pem"} <= before
    os.link(tmp_path / "state" / "outbox.db", tmp_path / "the same blocks")
    done = cleandesk(*words(config, "--yes"))
    told = json.loads(done.stdout)
    assert (done.exit_code, told["ok"], told["left"]) == (0, True, {})
    assert {Path(path).name for path in told["wiped"]} == before - {"somebody-elses.db"}
    assert files(tmp_path) == {"somebody-elses.db", "the same blocks"}
    assert set((tmp_path / "the same blocks").read_bytes()) == {0}
    assert told["wiped"][-1] == str(config), "cut off before, it can be begun again"


def test_nothing_goes_unless_it_is_said_twice(config: Path, tmp_path: Path) -> None:
    before = files(tmp_path)
    done = cleandesk(*words(config))
    told = json.loads(done.stdout)
    assert (done.exit_code, told["ok"], told["wiped"]) == (2, False, [])
    assert {Path(path).name for path in told["left"]} == before - {"somebody-elses.db"}
    assert files(tmp_path) == before


def test_a_box_that_runs_is_left_alone(config: Path, tmp_path: Path) -> None:
    before = files(tmp_path)
    held = lock(tmp_path / "state" / "outbox.db")
    try:
        done = cleandesk(*words(config, "--yes"))
    finally:
        os.close(held)
    assert (done.exit_code, "in use by another process" in done.stderr) == (1, True)
    assert files(tmp_path) == before


def test_a_link_that_lies_among_the_files_is_removed_and_not_followed(
    config: Path, tmp_path: Path
) -> None:
    other = tmp_path / "shadow"
    other.write_text("root's own", encoding="utf-8")
    (tmp_path / "state" / "outbox.db-x").symlink_to(other)
    (tmp_path / "page" / "out").symlink_to(tmp_path)
    os.mkfifo(tmp_path / "page" / "pipe")
    assert cleandesk(*words(config, "--yes")).exit_code == 0
    assert other.read_text(encoding="utf-8") == "root's own"
    assert files(tmp_path) == {"somebody-elses.db", "shadow"}


def test_what_cannot_be_wiped_is_named(config: Path, tmp_path: Path) -> None:
    (tmp_path / "state" / "outbox.db.folder").mkdir()
    done = cleandesk(*words(config, "--yes"))
    told = json.loads(done.stdout)
    assert (done.exit_code, told["ok"]) == (1, False)
    assert told["left"] == {str(tmp_path / "state" / "outbox.db.folder"): "Is a directory"}
    assert files(tmp_path) == {"somebody-elses.db"}


def test_a_ledger_of_one_box_is_none_of_the_next(config: Path, tmp_path: Path) -> None:
    cleandesk(*words(config, "--yes"))
    anew = outbox(tmp_path / "state" / "outbox.db")
    assert anew.fresh
    assert not any(OBJECTION.encode() in entry.payload for entry in anew.ledger())


def test_the_help_says_what_goes_and_what_must_be_stopped() -> None:
    shown = " ".join(cleandesk("wipe", "--help").stdout.replace("│", " ").split())
    for word in ("keys, outbox, ledger, stills", "Stop box and page before", "decommission"):
        assert word in shown
