"""The outbox of a process that is killed at any moment."""

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.link.make import commit_many, everything, outbox

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("seed", range(8))
def test_what_was_committed_before_a_kill_is_there(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "outbox.db"
    lines_to_see = random.Random(seed).randrange(1, 120)
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.unit.link.committer", str(path), "0"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    with child.stdout:
        told = [child.stdout.readline().split() for _ in range(lines_to_see)]
        child.kill()
        told += [line.split() for line in child.stdout if line.endswith("\n")]
    child.wait()
    settling, settled = (
        {event_id for word, _, event_id in told if word == kind} for kind in ("settling", "settled")
    )
    committed = {event_id for word, seq, event_id in told if seq != "0"}

    box = outbox(path)
    waiting = [json.loads(one.payload) for one in everything(box)]
    seqs = [one["seq"] for one in waiting]
    assert committed - settling <= {one["event_id"] for one in waiting}
    assert settled.isdisjoint(one["event_id"] for one in waiting)
    assert seqs == list(range(seqs[0], seqs[-1] + 1))
    assert box.health().lost == 0
    entries = {entry.number: entry for entry in box.ledger(limit=100_000)}
    assert box.verify().good
    assert all(entries[one.entry].payload == one.payload for one in everything(box))
    assert all(entries[active.entry].payload == active.payload for active in box.active().values())
    answered = {entry.message_id for entry in entries.values() if entry.answer}
    assert settled <= answered <= settling
    commit_many(box, 1)
    assert json.loads(everything(box)[-1].payload)["seq"] == seqs[-1] + 1
