"""`cleandesk ledger` and `cleandesk privacy`."""

import hashlib
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cleandesk.cli import app
from tests.unit.link.make import change, commit, outbox, papers, privacy, still

DEFAULT = Path(__file__).resolve().parents[2] / "device" / "cleandesk.yaml"


@pytest.fixture
def config(tmp_path: Path) -> Iterator[Path]:
    """A box's settings, and an outbox beside them that is in use."""
    file = tmp_path / "box.yaml"
    file.write_text(DEFAULT.read_text(encoding="utf-8"), encoding="utf-8")
    box = outbox(tmp_path / "outbox.db")
    commit(box, change("7" * 32))
    box.say(privacy())
    for paper in papers("7" * 32):
        box.say(paper)
    box.note("pin_reset", "The PIN was reset \x1b[31m")
    for entry in box.ledger()[::-1][:3]:
        box.note_sent(entry.number)
    box.tick()
    yield file
    box.close()


def test_it_prints_every_message_word_for_word(config: Path) -> None:
    result = CliRunner().invoke(app, ["ledger", "-c", str(config)])
    assert result.exit_code == 0, result.output
    assert '"rule":"no-phones"' in result.output
    assert "cleandesk/v1/site/box/appeal  not sent" in result.output
    assert "note: pin_reset" in result.output
    assert "\x1b" not in result.output


def test_its_json_is_enough_to_compute_the_hashes_anew(config: Path) -> None:
    result = CliRunner().invoke(app, ["ledger", "-c", str(config), "--json"])
    entries = [json.loads(line) for line in result.output.splitlines()]
    assert [entry["number"] for entry in entries] == list(range(1, 8))
    previous = bytes(32)
    for entry in entries:
        digest = hashlib.sha256()
        words = [str(entry["number"]), entry["at"], "1" if entry["clock_synced"] else "0"]
        words += [entry[key] for key in ("kind", "topic", "message_id", "payload")]
        for field in (previous, *(word.encode() for word in words)):
            digest.update(len(field).to_bytes(8, "big") + field)
        previous = digest.digest()
        assert previous.hex() == entry["chain"]
    assert [bool(entry["sent_at"]) for entry in entries] == [True] * 3 + [False] * 4


def test_only_the_newest_if_asked(config: Path) -> None:
    result = CliRunner().invoke(app, ["ledger", "-c", str(config), "--json", "-n", "2"])
    assert [json.loads(line)["number"] for line in result.output.splitlines()] == [6, 7]


def test_it_says_that_all_fits_or_names_what_does_not(config: Path) -> None:
    result = CliRunner().invoke(app, ["ledger", "-c", str(config), "--verify"])
    assert result.exit_code == 0
    assert "7 entries, each as it was entered" in result.output
    copy = config.with_name("copy.db")
    for suffix in ("", "-wal"):
        other = config.with_name(f"outbox.db{suffix}")
        copy.with_name(copy.name + suffix).write_bytes(other.read_bytes())
    with sqlite3.connect(copy) as raw:
        raw.execute("UPDATE ledger SET payload = CAST('x' AS BLOB) WHERE number = 4")
    raw.close()
    text = config.read_text(encoding="utf-8").replace("path: outbox.db", "path: copy.db")
    config.write_text(text, encoding="utf-8")
    result = CliRunner().invoke(app, ["ledger", "-c", str(config), "--verify"])
    assert result.exit_code == 1
    assert "entry 4 does not fit" in result.output
    result = CliRunner().invoke(app, ["ledger", "-c", str(config), "--verify", "--json"])
    assert json.loads(result.output)["wrong"] == 4


def test_without_an_outbox_it_says_what_to_do(tmp_path: Path) -> None:
    file = tmp_path / "box.yaml"
    file.write_text(DEFAULT.read_text(encoding="utf-8"), encoding="utf-8")
    result = CliRunner().invoke(app, ["ledger", "-c", str(file)])
    assert result.exit_code == 1
    assert "check outbox.path" in result.output


def test_the_statement_is_printed_in_both_languages(config: Path) -> None:
    english = CliRunner().invoke(app, ["privacy", "-c", str(config)]).output
    spanish = CliRunner().invoke(app, ["privacy", "-c", str(config), "--lang", "es"]).output
    assert "No picture is sent" in english
    assert "No se envía ninguna imagen" in spanish
    data = json.loads(CliRunner().invoke(app, ["privacy", "-c", str(config), "--json"]).output)
    assert data["sections"]["privacy.kept.title"][0]["words"] == (
        "No picture is written to the disk."
    )


def test_of_a_picture_it_prints_what_it_is_and_not_its_bytes(tmp_path: Path) -> None:
    file = tmp_path / "box.yaml"
    file.write_text(DEFAULT.read_text(encoding="utf-8"), encoding="utf-8")
    box = outbox(tmp_path / "outbox.db")
    box.say(said := still(), hold_s=60)
    result = CliRunner().invoke(app, ["ledger", "-c", str(file)])
    digest = hashlib.sha256(said.payload).hexdigest()
    assert f"(image/jpeg, {len(said.payload)} bytes, sha256 {digest})" in result.output
    as_json = CliRunner().invoke(app, ["ledger", "-c", str(file), "--json"])
    assert bytes.fromhex(json.loads(as_json.output)["payload_hex"]) == said.payload
    box.close()
