"""Makes stills beside the frame loop, in a thread that yields to it: a few wait, the rest go."""

import logging
import os
import queue
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cleandesk.contract.health import StillHealth
from cleandesk.detector import Detections
from cleandesk.evidence.errors import StillRefusedError
from cleandesk.evidence.still import Still, StillMaker
from cleandesk.policy.change import Place

log = logging.getLogger(__name__)

#: Frames that wait; one more is being looked at. Each takes 3 bytes a pixel.
PLACES = 2
_NICEST = 19
_LAST_S = 5.0


@dataclass(frozen=True, slots=True)
class Job:
    """A still to be made.

    Attributes:
        violation_id: Whose it is.
        frame: uint8 [height, width, 3], blanked outside the area; nobody changes it any more.
        detections: Of the frame, in its pixels.
        place: Of the thing in it, as fractions.
        breaks: How many breaks had begun when the frame was taken.
    """

    violation_id: str
    frame: NDArray[np.uint8]
    detections: Detections
    place: Place
    breaks: int


class Background:
    """The thread, and what waits for it. `take` and `forget` never wait.

    Frames are in memory and nowhere else. A break that begins makes all of them worthless: no
    still of them comes out, and `forget` lets go of them.

    Args:
        maker: This thread's own.
        send: Takes a violation's id and its still; called in this thread.
        breaks: Tells how many breaks have begun.
    """

    def __init__(
        self, maker: StillMaker, send: Callable[[str, Still], None], breaks: Callable[[], int]
    ) -> None:
        self._maker, self._send, self._breaks = maker, send, breaks
        self._jobs: queue.Queue[Job | None] = queue.Queue(PLACES)
        self._made = self._refused = self._dropped = 0
        self._ended = False
        self._thread = threading.Thread(target=self._run, name="stills", daemon=True)

    @property
    def health(self) -> StillHealth:
        """What became of the stills so far."""
        return StillHealth(made=self._made, refused=self._refused, dropped=self._dropped)

    def start(self) -> None:
        """Begin to work; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """Forget what waits, and give the one that is being made a moment."""
        self.forget()
        if self._thread.is_alive():
            self._jobs.put(None)
            self._thread.join(_LAST_S)
        self._ended = True

    def take(self, job: Job) -> bool:
        """Have a still made; False if too many wait, and then there will be none."""
        try:
            self._jobs.put_nowait(job)
        except queue.Full:
            self.drop(job.violation_id, "too many at once")
            return False
        return True

    def forget(self) -> None:
        """Let go of all frames that wait."""
        while True:
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                return
            if job is not None:
                self.drop(job.violation_id, "a break began, or the box was stopped")

    def drop(self, violation_id: str, why: str) -> None:
        """Count, and say, that a violation stands without its still."""
        self._dropped += 1
        log.warning("no still is made", extra={"violation_id": violation_id, "reason": why})

    def _run(self) -> None:
        _be_nice()
        while (job := self._jobs.get()) is not None:
            try:
                self._do(job)
            except Exception:
                log.exception("a still failed, and the next ones are tried")
                self.drop(job.violation_id, "making it failed")
            del job  # with its frame, while there is nothing to do

    def _do(self, job: Job) -> None:
        try:
            still = self._maker.make(job.frame, job.detections, job.place)
        except StillRefusedError as refused:
            self._refused += 1
            log.info(
                "there is no still of this violation",
                extra={"violation_id": job.violation_id, "reason": refused.refusal.value},
            )
            return
        if self._ended or self._breaks() != job.breaks:
            self.drop(job.violation_id, "a break began meanwhile, or the box was stopped")
            return
        self._send(job.violation_id, still)
        self._made += 1
        log.info(
            "a still was made",
            extra={"violation_id": job.violation_id, "bytes": len(still.content)},
        )


def _be_nice() -> None:
    """Let every other thread go first, where the system knows priorities of threads."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICEST)
