"""What was healthy before an update must be healthy after it. Pure, but for the file it is kept in.

A camera that was broken, a box that nobody has claimed, a line that was down before: none of these
is the update's fault, and none keeps it from being committed. But the line that an update came by
was not down for good, whatever it does the moment before.
"""

from enum import StrEnum
from pathlib import Path

from cleandesk import durable
from cleandesk.watchdog import CameraWord, Word

#: What is demanded where nobody knows what was healthy.
ALL = Word(CameraWord.WORKS, link=True)
#: What is demanded of a slot that is no update: it is on trial as the committed one could not be
#: loaded. It is an older one, and to commit it is for good, so it must be on the line: there it can
#: be sent a new one. Without that it is left, and the next start tries the committed one again.
STAND_IN = Word(CameraWord.STOPPED, link=True)
_NOBODY = b"nobody"
#: From the start of the new system. A camera is there or is not.
CAMERA_WITHIN_S = 600.0
#: The router at home may be restarted meanwhile; a network that is gone for longer cannot be told
#: from one that the update broke.
LINK_WITHIN_S = 3600.0
#: All that is demanded must hold for so long, by words of one process: what dies later is a crash,
#: and what comes and goes is not healthy.
STEADY_S = 120.0
#: But a box whose camera is at fault begins anew each minute or two, to open it afresh. Where no
#: camera is demanded, the next process goes on where the one before was, if it is well so soon.
ANEW_WITHIN_S = 120.0
#: So long the end of a worker's break is waited for, so that the camera can be tried.
BREAK_WITHIN_S = 2700.0
#: So long, all told, a camera may have lacked that is committed untried in a break: it starts up.
#: One that was seen to fail for longer is none that nobody has seen.
STARTS_UP_S = 120.0
#: By then all is decided, before `cleandesk-rollback.timer` would start the next try.
LONGEST_S = LINK_WITHIN_S + 2 * STEADY_S


class Verdict(StrEnum):
    """What becomes of an update."""

    COMMIT = "commit"
    WAIT = "wait"
    LEAVE = "leave"


def remember(path: Path, word: Word | None, *, by_line: bool = False) -> None:
    """Keep what is to be demanded of the update; on the disk when this returns.

    Args:
        path: The file.
        word: The box's own; None: it gives none, so nothing of it is demanded later.
        by_line: The update came by the line, which is demanded whatever the box says of it now.

    Raises:
        OSError: If the disk does not take it.
    """
    if word is None and by_line:
        word = Word(CameraWord.FAILS, link=True)
    elif word is not None:
        camera = CameraWord.WORKS if word.camera is CameraWord.RESTS else word.camera
        word = Word(camera, link=word.link or by_line)
    durable.write(path, _NOBODY if word is None else word.to_json())


def demanded(path: Path) -> Word | None:
    """Return what was healthy before; None: nothing was.

    All of it, where that cannot be read. Where there is no file no update was begun since the last
    commit, so what runs is none, either.
    """
    try:
        content = durable.read(path)
    except durable.DamagedError:
        return ALL
    if content is None:
        return STAND_IN
    return None if content == _NOBODY else Word.parse(content) or ALL


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


class Trial:
    """Follows an update on trial, by the box's words. What lacks gets its time each time it does.

    Args:
        demand: What was healthy before; None: nothing was.
        now: When the new system came up, seconds.

    Attributes:
        missing: What lacks at present.
        untried: Nobody has seen yet whether the camera works: a break goes on.
    """

    def __init__(self, demand: Word | None, now: float) -> None:
        self._demand, self._began = demand, now
        self._camera_at = self._link_at = now  # when each was last as it must be
        self._heard, self._failed_s = now, 0.0  # since it last worked; no break makes up for it
        self._first: Word | None = None  # of those that lack nothing, without a gap
        self._last: Word | None = None  # of those that lack nothing
        self._well_at, self._gap = now, False
        self.missing: list[str] = []
        self.untried = False

    def hear(self, word: Word | None, now: float, *, runs: bool) -> Verdict:
        """Say what becomes of the update.

        Args:
            word: The box's newest; None: it gives none.
            now: The present moment, seconds.
            runs: There is a box on this machine: it was claimed.
        """
        self.missing = lacks(self._demand, word, runs=runs)
        if self._demand is None or (word is None and not runs):
            return Verdict.COMMIT
        stopped = word is not None and word.camera is CameraWord.STOPPED
        # Whether it worked before nobody can say either, where the break began before the power-on.
        self.untried = stopped and self._demand.camera is not CameraWord.FAILS
        waits = stopped and self._demand.camera is CameraWord.WORKS
        if "camera" in self.missing:
            self._failed_s += now - self._heard
        elif word is not None and word.camera is CameraWord.WORKS:
            self._failed_s = 0.0
        self._heard = now
        if word is not None and "camera" not in self.missing:
            self._camera_at = now
        if word is not None and "link" not in self.missing:
            self._link_at = now
        waited_s = now - self._began
        if self._steady(word, now) and (not waits or waited_s >= BREAK_WITHIN_S):
            if waits and self._failed_s > STARTS_UP_S:
                self.missing = ["camera"]
                return Verdict.LEAVE
            return Verdict.COMMIT
        late = now - self._camera_at >= CAMERA_WITHIN_S or now - self._link_at >= LINK_WITHIN_S
        return Verdict.LEAVE if late or waited_s >= LONGEST_S else Verdict.WAIT

    def _steady(self, word: Word | None, now: float) -> bool:
        """Say whether nothing has lacked for long enough, by newer and newer words."""
        if word is None or self.missing:
            self._gap = True
            if word is not None and self._last is not None and word.began == self._last.began:
                self._last = None  # it was well, and is not: no other process makes up for that
            return False
        if self._first is None or not self._goes_on(word, now):
            self._first = word
        self._last, self._well_at, self._gap = word, now, False
        return word.at - self._first.at >= STEADY_S

    def _goes_on(self, word: Word, now: float) -> bool:
        """Say whether a word that lacks nothing goes on from the last such one."""
        if self._last is None:
            return False
        if self._last.began == word.began:
            return not self._gap
        no_camera = self._demand is not None and self._demand.camera is not CameraWord.WORKS
        return no_camera and now - self._well_at <= ANEW_WITHIN_S

    @property
    def why_left(self) -> str:
        """What keeps the update from being committed."""
        if self.missing:
            return f"{' and '.join(self.missing)} did not get healthy"
        return f"box did not stay healthy for {STEADY_S:.0f} s"
