"""No frame of a camera is written or sent: the run path has no code for it, and a run shows it."""

import ast
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from cleandesk.contract.topics import ROOT as TOPIC_ROOT
from tests.leaving import leave
from tests.mosquitto import needs_mosquitto
from tests.rig import CLIP, ROOT, presence
from tests.system.conftest import MakeRig

PACKAGE = ROOT / "device" / "cleandesk"
#: Draws for a person who asks `cleandesk detect --draw`; import-linter keeps the run path from it.
DRAWING = PACKAGE / "annotate.py"
#: Where pictures become bytes in memory, and no file: redacted stills (import-linter lets nothing
#: else use it) and the aiming view for the worker's own page.
ENCODERS = {
    "device/cleandesk/evidence/encode.py": ["imencode", "tobytes"],
    "device/cleandesk/worker/aiming.py": ["imencode", "tobytes"],
}
#: Calls by which a picture becomes a file or bytes.
WRITERS = {
    "imwrite",
    "imwritemulti",
    "imencode",
    "imencodemulti",
    "VideoWriter",
    "FileStorage",
    "save",
    "dump",
    "tobytes",
    "tobuffer",
    "write_bytes",
    "tofile",
    "savez",
    "savez_compressed",
    "savetxt",
    "imsave",
}
IMAGE_MARKS = (b"\xff\xd8\xff", b"\x89PNG\r\n", b"RIFF", b"BM", b"ftyp")


def _writers(path: Path) -> list[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = [n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute)]
    names += [n.id for n in ast.walk(tree) if isinstance(n, ast.Name)]
    imports = [n for n in ast.walk(tree) if isinstance(n, ast.ImportFrom | ast.Import)]
    names += [alias.name for n in imports for alias in n.names]
    return sorted(WRITERS & set(names))


def test_the_run_path_has_no_code_that_writes_a_picture() -> None:
    found = {
        str(path.relative_to(ROOT)): writers
        for path in sorted(PACKAGE.rglob("*.py"))
        if path != DRAWING and (writers := _writers(path))
    }
    assert found == ENCODERS


def test_the_search_finds_such_code_where_it_is() -> None:
    assert _writers(DRAWING) == ["imencode", "tobytes", "write_bytes"]


@pytest.mark.parametrize(
    "code",
    [
        "np.save(path, image)",
        "path.write_bytes(image.tobytes())",
        "from cv2 import imwrite as keep",
        "cv2.VideoWriter(path)",
    ],
)
def test_the_search_finds_other_ways_too(tmp_path: Path, code: str) -> None:
    path = tmp_path / "code.py"
    path.write_text(code)
    assert _writers(path)


@pytest.mark.system
@needs_mosquitto
def test_a_run_writes_only_its_outbox_and_sends_no_picture(make_rig: MakeRig) -> None:
    rig = make_rig(camera={"source": str(CLIP), "realtime": False}, rules=[presence("phone")])
    sent: list[bytes] = []
    listener = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
    listener.on_message = lambda _client, _data, message: sent.append(bytes(message.payload))
    listener.connect("127.0.0.1", rig.broker.port)
    listener.subscribe(f"{TOPIC_ROOT}/#")
    listener.loop_start()
    before = set(rig.home.rglob("*"))
    rig.start_subscriber()
    rig.start_box("--until-end")
    assert rig.wait("box") == 0, rig.words("box")
    leave(listener)

    written = {path.name for path in set(rig.home.rglob("*")) - before}
    assert {name for name in written if name.startswith("outbox.db")}
    assert not list((rig.home / "tmp").iterdir())
    unexpected = {
        name
        for name in written
        if not name.startswith(("outbox.db", "log.db", "box.", "subscriber.", "mosquitto", "tmp"))
        and name != "page.sock"
    }
    assert unexpected == set()
    assert sent
    assert not [p[:8] for p in sent if any(mark in p[:16] for mark in IMAGE_MARKS)]
    assert max(len(payload) for payload in sent) < 4096
