"""Nobody can connect to a box by the network: it connects, and listens on no port."""

import re
from contextlib import suppress
from pathlib import Path

import pytest

from cleandesk.contract.messages import Availability
from tests.mosquitto import needs_mosquitto
from tests.rig import CLIP, frame_of, presence, wait_for_status
from tests.system.conftest import MakeRig

pytestmark = [pytest.mark.system, needs_mosquitto]

_LISTENS = "0A"  # TCP_LISTEN, include/net/tcp_states.h
_TABLES = ("tcp", "tcp6", "udp", "udp6")


def _sockets(pid: int) -> set[str]:
    """Return the inodes of a process's sockets."""
    links = []
    for path in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            links.append(str(path.readlink()))
    found = [re.fullmatch(r"socket:\[(\d+)\]", link) for link in links]
    return {one[1] for one in found if one is not None}


def listens_on(pid: int) -> list[str]:
    """Return where a process can be connected to by TCP, or be sent anything by UDP."""
    own, found = _sockets(pid), []
    for table in _TABLES:
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            waits = fields[3] == _LISTENS or table.startswith("udp")
            if waits and fields[9] in own:
                found.append(f"{table} {fields[1]}")
    return found


def test_a_running_box_listens_on_no_port(make_rig: MakeRig, tmp_path: Path) -> None:
    rig = make_rig(
        camera={"source": str(frame_of(CLIP, 15.0, tmp_path / "pictures")), "repeat": True},
        rules=[presence("phone")],
    )
    rig.start_box()
    wait_for_status(rig.broker.port, lambda one: one.state is Availability.ONLINE)
    assert _sockets(rig.pid("box")), "it has sockets"
    assert listens_on(rig.pid("box")) == []
    assert listens_on(rig.broker.pid), "the search finds a broker's"
