"""A run writes nothing to disk that could be a picture: every write of it is looked at."""

import hashlib
import json
import lzma
import os
import sqlite3
import statistics
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import cv2
import pytest

from tests.eventually import eventually
from tests.mosquitto import needs_mosquitto
from tests.privacy import strace
from tests.privacy.strace import Call, needs_strace
from tests.rig import CLIP, Rig, presence, wait_for_health
from tests.system.conftest import MakeRig

pytestmark = [pytest.mark.system, needs_mosquitto, needs_strace]

#: How long the box looks; 0: once through the demo's clip, as fast as it can.
MINUTES = float(os.environ.get("MINUTES") or 0)
PATIENCE_S = 240
LOOKS_PER_S = 5
#: SQLite writes whole pages, and the outbox's mark is one.
PAGE = 4096
SQLITE = ("", "-wal", "-journal")
#: Small files beside the outbox: whether there is a break, and how many starts have crashed.
KEPT = ("worker", "starts")
#: Where the outbox keeps hashes, and their bytes.
HASHES, HASH = ("events.digest", "ledger.chain", "meta.value"), 32
#: What a kernel object that is no file is called.
NO_FILE = ("socket:", "pipe:", "anon_inode:")
#: A picture of the whole desk that tells hardly more than that it is one.
THUMBNAIL, WORST_QUALITY = (160, 90), 1


def _run(rig: Rig, traces: Path) -> None:
    """Have a box look at the demo's clip under strace, until all is noted."""
    rig.start_subscriber()
    rig.start_box(*([] if MINUTES else ["--until-end"]), wrapper=strace.wrapper(traces))
    if MINUTES:
        threading.Event().wait(60 * MINUTES)
        assert rig.stop("box") == 0, rig.words("box")
    else:
        assert rig.wait("box", PATIENCE_S) == 0, rig.words("box")
    eventually(lambda: strace.is_over(traces), "the end of the trace")


def _looks(rig: Rig) -> float:
    """Return how many pictures of the clip were due to be looked at."""
    video = cv2.VideoCapture(str(CLIP))
    fps = video.get(cv2.CAP_PROP_FPS)
    video.release()
    frames = wait_for_health(rig.broker.port, lambda _: True).camera.frames
    return frames * LOOKS_PER_S / fps


def _smallest_picture() -> float:
    """Return the bytes of the least that could be called a picture of the clip, on average."""
    video, sizes = cv2.VideoCapture(str(CLIP)), []
    for second in range(5, 65, 5):
        video.set(cv2.CAP_PROP_POS_MSEC, second * 1000)
        found, image = video.read()
        assert found
        small = cv2.cvtColor(cv2.resize(image, THUMBNAIL), cv2.COLOR_BGR2GRAY)
        sizes.append(len(cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, WORST_QUALITY])[1]))
    video.release()
    return statistics.mean(sizes)


def _values(database: Path) -> Iterator[tuple[str, object]]:
    """Yield every value that an SQLite file holds, with its table and column."""
    with sqlite3.connect(database) as db:
        tables = db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
        for (table,) in tables:
            rows = db.execute(f"SELECT * FROM {table}")  # noqa: S608 - our own file's names
            places = [f"{table}.{column[0]}" for column in rows.description]
            for row in rows:
                yield from zip(places, row, strict=True)


def _check_content(outbox: Path) -> None:
    """Everything that the outbox holds is a number, a short text, or a hash."""
    for place, value in _values(outbox):
        if isinstance(value, bytes) and not (place in HASHES and len(value) == HASH):
            assert value.decode().isprintable(), place
        if isinstance(value, bytes | str):
            assert len(value) < PAGE, place
    json.loads(outbox.with_name(f"{outbox.name}.mark").read_bytes())
    kept = [path for end in KEPT if (path := outbox.with_name(f"{outbox.name}.{end}")).exists()]
    assert kept, "the worker's state is there"
    for path in kept:
        digest, state = path.read_bytes().split(b"\n")
        assert hashlib.sha256(state).hexdigest().encode() == digest
        json.loads(state)


def _maps_a_file_to_write(call: Call) -> bool:
    shared = "MAP_SHARED" in call.arguments and "PROT_WRITE" in call.arguments
    return call.name == "mmap" and shared and bool(call.target)


def _bytes(calls: list[Call]) -> dict[str, int]:
    found: Counter[str] = Counter()
    for call in calls:
        found[Path(call.target).name] += call.size
    return dict(found)


def _distinct(calls: list[Call]) -> int:
    return len(lzma.compress(b"".join(call.content for call in calls)))


RECORDER = """
import sys, threading
import cv2, numpy as np
image = np.random.default_rng(1).integers(0, 256, (90, 160, 3), np.uint8)
writer = threading.Thread(target=cv2.imwrite, args=(sys.argv[1], image))
writer.start()
writer.join()
"""


def test_a_picture_that_is_written_is_seen(tmp_path: Path) -> None:
    traces, picture = tmp_path / "traces", tmp_path / "picture.jpg"
    program = [sys.executable, "-c", RECORDER, str(picture)]
    subprocess.run([*strace.wrapper(traces), *program], check=True)
    eventually(lambda: strace.is_over(traces), "the end of the trace")
    written = [c for c in strace.calls(traces) if c.size and c.target == str(picture)]
    assert sum(call.size for call in written) == picture.stat().st_size
    assert written[0].content == picture.read_bytes()[: strace.NOTED]
    assert len(lzma.compress(picture.read_bytes())) > _smallest_picture()


@pytest.mark.timeout(60 * MINUTES + 2 * PATIENCE_S)
def test_nothing_that_a_run_writes_could_be_its_pictures(
    make_rig: MakeRig, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    traces, outbox, log = tmp_path / "traces", tmp_path / "outbox.db", str(tmp_path / "box.err")
    camera = {"source": str(CLIP), "realtime": bool(MINUTES), "repeat": bool(MINUTES)}
    rig = make_rig(camera=camera, rules=[presence("phone"), presence("paper")], gate="off")
    _run(rig, traces)
    calls = list(strace.calls(traces))
    written = [call for call in calls if call.size and not call.target.startswith(NO_FILE)]
    sent = [call for call in calls if call.size and call.target.startswith("socket:")]
    opened = {call.target for call in calls if call.name.startswith("open")}
    assert str(CLIP) in opened, "the trace is of the box"
    assert not [path for path in opened if path.startswith("/dev/snd")]

    # Where to: the outbox, first made under another name, its mark, what is kept beside it, made so
    # too, and the log; by plain writes.
    pages = {f"{outbox}{new}{end}" for new in ("", ".new") for end in SQLITE} | {f"{outbox}.mark"}
    pages |= {str(outbox.with_name(f".{outbox.name}.{end}.new")) for end in KEPT}
    assert {call.target for call in written} <= pages | {log}
    ways = {call.name for call in calls} - {"open", "openat", "mmap"}
    assert ways <= {"write", "pwrite64", "sendto"}
    assert not [call for call in calls if _maps_a_file_to_write(call)]

    # How much at a time, and what: a page of texts, or a line.
    assert max(call.size for call in written) <= PAGE
    assert max(call.size for call in written if call.target == log) < PAGE / 4
    assert max(call.size for call in sent) < PAGE
    assert all(call.content and len(call.content) == call.size for call in written)
    _check_content(outbox)

    # How much in all: what it comes to without what SQLite and `health` repeat, which pictures do
    # not; a run on a slow machine repeats more for as many looks.
    looks, least = _looks(rig), _smallest_picture()
    kept, left = _distinct(written), _distinct(sent)
    sizes = {"written": _bytes(written), "of it distinct": kept}
    sizes |= {"sent": sum(call.size for call in sent), "of that distinct": left}
    with capsys.disabled():
        print(f"\n{looks:.0f} looks, {looks * least:.0f} bytes of least pictures; {sizes}")  # noqa: T201
    assert kept < looks * least / 4
    assert left < looks * least / 20
    assert sum(call.size for call in sent) < looks * least / 2
