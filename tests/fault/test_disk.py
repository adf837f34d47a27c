"""A full disk and a damaged outbox: detection goes on, and what is lost is counted and said."""

import os
from pathlib import Path

import pytest

from tests.eventually import eventually
from tests.fault.desk import chosen_pair, record
from tests.mosquitto import needs_mosquitto
from tests.rig import Rig, wait_for_health
from tests.system.conftest import MakeRig

pytestmark = [pytest.mark.fault, needs_mosquitto]


def _fill(folder: Path) -> Path:
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as stream:
        try:
            while True:
                stream.write(b"\0" * 4096)
        except OSError:
            return filler


def _looks(rig: Rig) -> int:
    return wait_for_health(rig.broker.port, lambda _: True).camera.frames


def test_with_a_full_disk_detection_goes_on_and_events_come_when_there_is_room(
    make_rig: MakeRig, tmp_path: Path, small_disk: Path
) -> None:
    chosen = chosen_pair()
    film = record(tmp_path / "desk.avi", chosen)
    rig = make_rig(
        camera={"source": str(film), "repeat": True},
        rules=chosen.rules(),
        outbox={"path": str(small_disk / "outbox.db")},
    )
    rig.start_subscriber()
    rig.start_box()
    eventually(rig.violations, "the first violation")
    filler = _fill(small_disk)
    health = wait_for_health(rig.broker.port, lambda h: h.outbox.storage == "full")
    before = _looks(rig)
    wait_for_health(rig.broker.port, lambda h: h.camera.frames > before + 10)
    assert rig.alive("box")

    filler.unlink()
    wait_for_health(rig.broker.port, lambda h: h.outbox.storage == "ok")
    wait_for_health(
        rig.broker.port,
        lambda h: h.outbox.next_seq > health.outbox.next_seq and h.outbox.depth == 0,
    )
    lost = {
        seq
        for span in wait_for_health(rig.broker.port, lambda _: True).outbox.lost_ranges
        for seq in range(span.first, span.last + 1)
    }
    seqs = {event["seq"] for event in rig.events()}
    assert seqs | lost >= set(range(1, max(seqs) + 1))


def test_a_full_outbox_loses_the_oldest_and_says_which(make_rig: MakeRig, tmp_path: Path) -> None:
    chosen = chosen_pair()
    film = record(tmp_path / "desk.avi", chosen, loops=10)
    rig = make_rig(
        camera={"source": str(film), "realtime": False},
        rules=chosen.rules(),
        outbox={"path": str(tmp_path / "outbox.db"), "max_events": 10},
    )
    rig.start_box()
    ends(rig)
    rig.start_subscriber()
    health = wait_for_health(rig.broker.port, lambda h: h.outbox.depth == 0)
    assert {span.reason for span in health.outbox.lost_ranges} == {"full"}
    eventually(lambda: len(rig.events()) >= 10, "the ten that were kept")
    logged = {event["seq"] for event in rig.events()}
    lost = {n for span in health.outbox.lost_ranges for n in range(span.first, span.last + 1)}
    # What was already on its way when it was given up may still arrive: never too few are reported.
    assert len(logged) < health.outbox.next_seq - 1
    assert logged | lost == set(range(1, health.outbox.next_seq))
    assert health.outbox.lost == len(lost)
    eventually(
        lambda: "lost" in {alarm["kind"] for alarm in rig.ask("alarms", "--format", "jsonl")},
        "the alarm about the loss",
    )


def test_a_damaged_outbox_is_set_aside_and_what_is_lost_is_reported(
    make_rig: MakeRig, tmp_path: Path
) -> None:
    chosen = chosen_pair()
    film = record(tmp_path / "desk.avi", chosen, loops=15)
    rig = make_rig(camera={"source": str(film), "realtime": False}, rules=chosen.rules())
    rig.start_box()
    ends(rig)
    rig.kill("box")
    _overwrite_a_page_of_events(tmp_path / "outbox.db")

    rig.start_subscriber()
    rig.start_box()
    eventually(lambda: list(tmp_path.glob("outbox.db.corrupt-*")), "the file set aside")
    health = wait_for_health(
        rig.broker.port, lambda h: h.outbox.depth == 0 and bool(h.outbox.lost_ranges)
    )
    spans = health.outbox.lost_ranges
    assert spans
    assert {span.reason for span in spans} == {"corrupt"}
    old = spans[0].epoch
    logged = {event["seq"] for event in rig.events() if event["epoch"] == old}
    lost = {n for span in spans for n in range(span.first, span.last + 1) if span.epoch == old}
    assert logged
    assert logged | lost == set(range(1, max(logged | lost) + 1))
    eventually(
        lambda: "lost" in {alarm["kind"] for alarm in rig.ask("alarms", "--format", "jsonl")},
        "the alarm about the loss",
    )


def ends(rig: Rig) -> None:
    """Wait for the recording's end: hundreds of frames, each of which a slow machine looks at."""
    eventually(lambda: "are suspended" in rig.words("box"), "the recording's end", within_s=120)


def _overwrite_a_page_of_events(database: Path) -> None:
    """Spoil one page that holds events, as a worn card does, wherever it lies."""
    page = 4096
    for path in (database, database.with_name(database.name + "-wal")):
        data = path.read_bytes() if path.exists() else b""
        pages = {i: data[i : i + page] for i in range(0, len(data), page)}
        hits = [
            i
            for i, words in pages.items()
            if words.count(b"violation_id") > 2 and b"cleandesk/v1/" not in words  # the ledger's
        ]
        if hits:
            with path.open("r+b") as stream:
                stream.seek(hits[len(hits) // 2])
                stream.write(os.urandom(page))
            return
    raise AssertionError("no page with events was found")
