"""One look at the desk: gate, inference, decoding, policy."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cleandesk.detector import Detections, Detector
from cleandesk.loop.gate import Gate
from cleandesk.loop.preparer import Ready
from cleandesk.policy import Change, Policy
from cleandesk.vitals import StageTimer


def _never() -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Seen:
    """What a frame gave.

    Attributes:
        detections: In pixels of the whole picture; None if the frame was left out: it shows what
            the last look saw.
        changes: What opened, closed or was resumed.
    """

    detections: Detections | None
    changes: list[Change]


class Looker:
    """Looks at frames in their order.

    Args:
        detector: Finds things.
        policy: Makes violations of them.
        gate: Leaves frames out; None: all are looked at.
        timer: For the stages.
        min_score: Of each of the model's classes: weaker detections are left out, and a class that
            needs more than 1 is not looked for.
    """

    def __init__(
        self,
        detector: Detector,
        policy: Policy,
        gate: Gate | None,
        timer: StageTimer,
        *,
        min_score: Sequence[float],
    ) -> None:
        self._detector, self._policy, self._gate = detector, policy, gate
        self._timer, self._min_score = timer, min_score

    def rearrange(self, gate: Gate | None, min_score: Sequence[float]) -> None:
        """Look for other rules from now on; the arguments are those of the start."""
        self._gate, self._min_score = gate, min_score

    def look(
        self, ready: Ready, *, always: bool = False, unless: Callable[[], bool] = _never
    ) -> Seen:
        """Look at a frame, or find that it needs no look.

        Args:
            ready: The frame.
            always: Leave none out.
            unless: Asked once the model is done: then what it found is forgotten.

        Raises:
            ModelError: If the model gives values that are no numbers.
        """
        policy, gate = self._policy, self._gate
        plane, at = ready.plane, ready.at.mono
        unsettled = always or policy.unsettled
        if gate and plane is not None and gate.skips(plane, at, unsettled=unsettled):
            changes = policy.unchanged(ready.at)
            self._timer.skipped()
            return Seen(None, changes)
        with self._timer.stage("infer"):
            output = self._detector.infer(ready.prepared)
        with self._timer.stage("decode"):
            found = self._detector.read(output, ready.prepared, min_score=self._min_score)
            found = found.moved(ready.origin, ready.size)
        if unless():
            return Seen(None, [])
        with self._timer.stage("policy"):
            changes = policy.step(found, ready.at)
            if gate:
                gate.saw(policy.sighted)
        self._timer.looked()
        return Seen(found, changes)

    def forget(self) -> None:
        """Begin anew after a fault of the camera: what it shows next has to be looked at."""
        if self._gate:
            self._gate.forget()
