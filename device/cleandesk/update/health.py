"""What was healthy before an update must be healthy after it. Pure, but for the file it is kept in.

A camera that was broken, a box that nobody has claimed, a line that was down before: none of these
is the update's fault, and none keeps it from being committed.
"""

from enum import StrEnum
from pathlib import Path

from cleandesk import durable
from cleandesk.watchdog import CameraWord, Word

#: What is demanded where nobody knows what was healthy.
ALL = Word(CameraWord.WORKS, link=True)
_NOBODY = b"nobody"
#: From the start of the new system. A camera is there or is not.
CAMERA_WITHIN_S = 600.0
#: The router at home may be restarted meanwhile; a network that is gone for longer cannot be told
#: from one that the update broke.
LINK_WITHIN_S = 3600.0


class Verdict(StrEnum):
    """What becomes of an update."""

    COMMIT = "commit"
    WAIT = "wait"
    LEAVE = "leave"


def remember(path: Path, word: Word | None) -> None:
    """Keep what is healthy before the update; on the disk when this returns.

    Args:
        path: The file.
        word: The box's own; None: it gives none, so nothing of it is demanded later.

    Raises:
        OSError: If the disk does not take it.
    """
    durable.write(path, _NOBODY if word is None else word.to_json())


def demanded(path: Path) -> Word | None:
    """Return what was healthy before; None: nothing was. All of it, where that cannot be read."""
    try:
        content = durable.read(path)
    except durable.DamagedError:
        return ALL
    return None if content == _NOBODY else Word.parse(content or b"") or ALL


def lacks(demand: Word | None, now: Word | None, *, runs: bool) -> list[str]:
    """Return what was healthy before and is not; `box` where it says nothing at all.

    Args:
        demand: What was healthy before; None: nothing was.
        now: The box's own word; None: it gives none.
        runs: There is a box on this machine: it was claimed.
    """
    if demand is None:
        return []
    if now is None:
        return ["box"] if runs else []
    missing = []
    # In a break nobody may look: the sensor that lets go does what it was told to.
    if demand.camera is CameraWord.WORKS and now.camera is CameraWord.FAILS:
        missing.append("camera")
    if demand.link and not now.link:
        missing.append("link")
    return missing


def verdict(missing: list[str], waited_s: float) -> Verdict:
    """Say what becomes of the update.

    Args:
        missing: As `lacks` has it.
        waited_s: Since the new system came up.
    """
    if not missing:
        return Verdict.COMMIT
    within_s = LINK_WITHIN_S if missing == ["link"] else CAMERA_WITHIN_S
    return Verdict.WAIT if waited_s < within_s else Verdict.LEAVE
