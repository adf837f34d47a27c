"""One look at the desk: gate and inference, then decoding and policy, in one thread or in two."""

import threading
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cleandesk.detector import Detections, Detector
from cleandesk.detector.session import PLACES
from cleandesk.loop.gate import Gate
from cleandesk.loop.preparer import Ready
from cleandesk.policy import Change, Policy
from cleandesk.vitals import StageTimer


@dataclass(frozen=True, slots=True)
class Glance:
    """A frame that went through the model, or was left out.

    Attributes:
        output: The model's, for `Looker.judge`; None if the frame was left out.
        look: Which of the looks it was, counted from 1.
    """

    ready: Ready
    output: NDArray[np.float32] | None
    look: int


@dataclass(frozen=True, slots=True)
class Seen:
    """What a frame gave.

    Attributes:
        ready: The frame.
        detections: In pixels of the whole picture; None if the frame was left out: it shows what
            the last look saw.
        changes: What opened, closed or was resumed.
    """

    ready: Ready
    detections: Detections | None
    changes: list[Change]


class Looker:
    """Looks at frames in their order.

    `look` is the whole of it. So that the model never waits, one thread may call `glance` for the
    next frame while another thread calls `judge` for the one before; each in the frames' order.

    Args:
        detector: Finds things.
        policy: Makes violations of them.
        gate: Leaves frames out; None: all are looked at.
        timer: For the stages.
        min_score: Weaker detections are left out.
    """

    def __init__(
        self,
        detector: Detector,
        policy: Policy,
        gate: Gate | None,
        timer: StageTimer,
        *,
        min_score: float,
    ) -> None:
        self._detector, self._policy, self._gate = detector, policy, gate
        self._timer, self._min_score = timer, min_score
        self._judged_more = threading.Condition()
        self._unsettled = False
        self._glanced = 0
        self._stopped = False
        self.judged = 0

    def look(self, ready: Ready) -> Seen:
        """Look at a frame, or find that it needs no look.

        Raises:
            ModelError: If the model gives values that are no numbers.
        """
        return self.judge(self.glance(ready))

    def glance(self, ready: Ready) -> Glance:
        """Have the model look at a frame, unless it can be left out.

        Waits while the frame before the last one is being judged, and before it leaves a frame out
        until all are: so what is left out does not depend on how fast the threads are.
        """
        with self._judged_more:
            skips = self._gate is not None and self._gate.skips(
                ready.plane, ready.at.mono, self._is_unsettled
            )
            self._wait_until_judged(self._glanced - (PLACES - 1))
            self._glanced += 1
            look = self._gate.looks if self._gate else self._glanced
        if skips:
            return Glance(ready, None, look)
        with self._timer.stage("infer"):
            return Glance(ready, self._detector.infer(ready.prepared), look)

    def judge(self, glance: Glance) -> Seen:
        """Say what a frame means.

        Raises:
            ModelError: If the model gave values that are no numbers.
        """
        ready = glance.ready
        if glance.output is None:
            seen = Seen(ready, None, self._policy.unchanged(ready.at))
            self._timer.skipped()
        else:
            with self._timer.stage("decode"):
                found = self._detector.read(
                    glance.output, ready.prepared, min_score=self._min_score
                ).moved(ready.origin, ready.size)
            with self._timer.stage("policy"):
                seen = Seen(ready, found, self._policy.step(found, ready.at))
            self._timer.looked()
        with self._judged_more:
            self._unsettled = self._policy.unsettled
            if self._gate and seen.detections is not None:
                self._gate.saw(self._policy.sighted, glance.look)
            self.judged += 1
            self._judged_more.notify_all()
        return seen

    def forget(self) -> None:
        """Begin anew after a fault of the camera: what it shows next has to be looked at."""
        with self._judged_more:
            if self._gate:
                self._gate.forget()

    def stop(self) -> None:
        """Let nobody wait any longer."""
        with self._judged_more:
            self._stopped = True
            self._judged_more.notify_all()

    def _is_unsettled(self) -> bool:
        self._wait_until_judged(self._glanced)
        return self._unsettled

    def _wait_until_judged(self, number: int) -> None:
        self._judged_more.wait_for(lambda: self.judged >= number or self._stopped)
