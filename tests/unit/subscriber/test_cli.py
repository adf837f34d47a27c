import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from cleandesk_fleet.subscriber.intake import read
from cleandesk_fleet.subscriber.store import Log
from tests.postgresql import PostgreSQL, needs_postgresql, words_of
from tests.unit.subscriber.conftest import Run
from tests.unit.subscriber.make import (
    HandClock,
    event,
    event_fields,
    health,
    hex_id,
    received,
)


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def log_of(run: Run, *arguments: object) -> list[dict[str, Any]]:
    code, out, err = run("log", "--format", "jsonl", *arguments)
    assert (code, err) == (0, "")
    return lines(out)


def test_lists_violations(run: Run, filled: str) -> None:
    rows = log_of(run, "--db", filled)
    opened = [row["opened_at"] for row in rows]
    assert opened == sorted(opened)
    assert {row["violation_id"] for row in rows} == {
        hex_id("violation"),
        hex_id("paper"),
        hex_id("v"),
    }
    closed = next(row for row in rows if row["reason"])
    assert closed["opened_at"] == "2026-05-04T08:00:00.000Z"
    assert closed["closed_at"] == "2026-05-04T08:00:02.000Z"
    assert closed["place"] == [0.1, 0.2, 0.3, 0.4]
    assert closed["events"] == 2


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((), {"violation", "paper", "v"}),
        (("--site", "s1"), {"violation", "paper", "v"}),
        (("--site", "s9"), set()),
        (("--box", "b2"), {"v"}),
        (("--rule", "no-paper"), {"paper"}),
        (("--class", "phone"), {"violation", "v"}),
        (("--severity", "low"), {"paper"}),
        (("--open",), {"paper", "v"}),
        (("--since", "2026-05-05"), {"paper"}),
        (("--until", "2026-05-04T12:00:00Z"), {"violation", "v"}),
        (("--since", "2026-05-04T08:00:00Z", "--until", "2026-05-04T08:00:00Z"), set()),
        (("--limit", "1"), {"paper"}),
    ],
)
def test_filters(run: Run, filled: str, arguments: tuple[str, ...], expected: set[str]) -> None:
    rows = log_of(run, "--db", filled, *arguments)
    assert {row["violation_id"] for row in rows} == {hex_id(name) for name in expected}


def test_lists_events_in_the_order_of_the_log(run: Run, filled: str) -> None:
    rows = log_of(run, "--db", filled, "--events")
    assert [(row["box"], row["seq"], row["phase"], row["replayed"]) for row in rows] == [
        ("b1", 1, "open", False),
        ("b1", 2, "close", False),
        ("b1", 4, "open", False),
        ("b2", 1, "open", True),
    ]
    assert "payload" not in rows[0]
    (last,) = log_of(run, "--db", filled, "--events", "--limit", 1)
    assert last == rows[-1]


def test_exports_csv(run: Run, filled: str) -> None:
    code, out, err = run("log", "--db", filled, "--format", "csv")
    assert (code, err) == (0, "")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert {row["class"] for row in rows} == {"phone", "paper"}
    assert rows[0]["place"] == "0.1 0.2 0.3 0.4"


def test_shows_a_table(run: Run, filled: str) -> None:
    code, out, _ = run("log", "--db", filled)
    header, *rows = out.splitlines()
    assert code == 0
    assert header.split()[:5] == ["opened", "closed", "dwell_s", "reason", "rule"]
    assert len(rows) == 3


def test_lists_alarms(run: Run, filled: str, journal: Log, clock: HandClock) -> None:
    code, out, _ = run("alarms", "--db", filled, "--format", "jsonl")
    assert code == 0
    assert {(row["kind"], row["detail"]) for row in lines(out)} >= {
        ("gap", "1 events are missing: seq 3"),
        ("fault", ""),
    }
    journal.commit([event(3)], clock())
    assert "gap" not in run("alarms", "--db", filled)[1]
    (gap,) = lines(run("alarms", "--db", filled, "--all", "--kind", "gap", "-f", "jsonl")[1])
    assert gap["closed_at"]


def test_lists_boxes(run: Run, filled: str) -> None:
    code, out, _ = run("boxes", "--db", filled, "--format", "jsonl")
    assert code == 0
    first, second = lines(out)
    assert (first["box"], first["status"], first["top"], first["missing"]) == ("b1", "online", 4, 1)
    assert first["alarms"] == 3
    assert (second["box"], second["status"]) == ("b2", None)
    assert second["alarms"] == 0


def test_lists_quarantined_messages(run: Run, filled: str) -> None:
    code, out, _ = run("quarantine", "--db", filled, "--format", "jsonl")
    assert code == 0
    (row,) = lines(out)
    assert row["payload"] == '{"seq": "=1"}'
    assert "violation_id: Field required" in row["reason"]


def test_says_how_many_quarantined_messages_were_dropped(
    run: Run, filled: str, journal: Log, clock: HandClock
) -> None:
    for number in range(60):
        journal.commit([read(received("violation", b"%d" % number), None)], clock())
    assert "11 older ones were dropped" in run("quarantine", "--db", filled)[2]


def test_lists_losses(run: Run, filled: str, journal: Log, clock: HandClock) -> None:
    lost = [{"epoch": event_fields()["epoch"], "first": 1, "last": 3, "reason": "full"}]
    journal.commit([health(outbox={"lost_ranges": lost, "depth": 1}, uptime_s=500)], clock())
    code, out, _ = run("losses", "--db", filled, "--format", "jsonl")
    assert code == 0
    (row,) = lines(out)
    assert (row["first"], row["last"], row["reason"]) == (3, 3, "full")


def config(folder: Path, **changes: object) -> Path:
    file = folder / "subscriber.yaml"
    settings = {"schema": 1, "broker": {"host": "127.0.0.1"}, "store": {"path": "log.db"}}
    file.write_text(yaml.safe_dump(settings | changes), encoding="utf-8")
    return file


def test_finds_the_log_by_the_configuration(run: Run, filled: str, tmp_path: Path) -> None:
    store = {"url" if "://" in filled else "path": filled}
    assert len(log_of(run, "--config", config(tmp_path, store=store))) == 3


@pytest.mark.parametrize(
    "arguments",
    [
        ("log",),
        ("log", "--db", "a", "--config", "b"),
        ("log", "--db", "a", "--since", "yesterday"),
        ("log", "--db", "a", "--format", "xml"),
        ("log", "--db", "a", "--limit", "0"),
        ("log", "--db", "a", "--open", "--events"),
        ("run",),
        ("dance",),
    ],
)
def test_wrong_usage_ends_with_2_and_says_why(run: Run, arguments: tuple[str, ...]) -> None:
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert err


def test_a_wrong_configuration_ends_with_2_and_names_every_problem(
    run: Run, tmp_path: Path
) -> None:
    file = config(tmp_path, sites=["Berlin!"], silent_afer_s=9)
    for command in ("run", "check", "log"):
        code, out, err = run(command, "--config", file)
        assert (code, out) == (2, "")
        assert "did you mean 'silent_after_s'" in err
        assert "sites[0]" in err


def test_a_missing_certificate_ends_with_2(run: Run, tmp_path: Path) -> None:
    file = config(tmp_path, broker={"host": "h", "tls": {"ca": "gone.pem"}})
    code, _, err = run("check", "--config", file)
    assert code == 2
    assert "gone.pem" in err


def test_a_missing_log_ends_with_1(run: Run, tmp_path: Path) -> None:
    code, out, err = run("log", "--db", tmp_path / "gone.db")
    assert (code, out) == (1, "")
    assert "no log at" in err


def test_check_tells_a_folder_that_is_not_there(run: Run, tmp_path: Path) -> None:
    code, _, err = run("check", "--config", config(tmp_path, store={"path": "gone/log.db"}))
    assert code == 1
    assert "store.path" in err


def test_check_is_content_with_a_good_configuration(run: Run, tmp_path: Path) -> None:
    code, out, err = run("check", "--config", config(tmp_path))
    assert (code, err) == (0, "")
    assert "fine; 7 subscriptions" in out
    assert not (tmp_path / "log.db").exists()


@needs_postgresql
def test_a_database_is_made_checked_and_read_by_its_url(
    run: Run, tmp_path: Path, server: PostgreSQL
) -> None:
    url = words_of(server.empty())
    file = config(tmp_path, store={"url": url})
    code, _, err = run("check", "--config", file)
    assert code == 1
    assert "is a cleandesk log or empty" in err
    code, out, _ = run("migrate", "--config", file)
    assert (code, out.endswith("up to date\n")) == (0, True)
    assert run("check", "--config", file)[0] == 0
    assert run("migrate", "--config", file)[0] == 0
    for command in ("log", "boxes", "deletions", "stills"):
        assert run(command, "--db", url, "--format", "jsonl") == (0, "", "")


def test_migrate_makes_a_file(run: Run, tmp_path: Path) -> None:
    assert run("migrate", "--config", config(tmp_path))[0] == 0
    assert log_of(run, "--db", tmp_path / "log.db") == []


@needs_postgresql
def test_a_server_that_is_away_is_told_with_the_fix(run: Run) -> None:
    code, out, err = run("log", "--db", "postgresql:///log?host=/nowhere")
    assert (code, out) == (1, "")
    assert "check 'store.url'" in err


def test_a_password_in_a_url_is_refused_and_not_repeated(run: Run) -> None:
    code, _, err = run("log", "--db", "postgresql://u:secret@h/log")
    assert code == 2
    assert "does not belong here" in err.replace("\n", " ")
    assert "secret" not in err
