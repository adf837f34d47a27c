"""Which frames of a still scene need no look. Pure: its time is the frames'.

A clean desk asks "what lies there", not "what moved": the gate never decides that nothing is there,
only that what the last look saw is still so. It leaves a frame out if

- it shows what the frame that was last looked at shows: not the frame before, so that a slow change
  adds up;
- nothing is on its way to open or to close, and the last change was some looks ago;
- the next frame will still be within the deadline.

So from the first frame of a visible change on, the policy gets the same looks as without a gate.
What it cannot see is looked at within the deadline.
"""

from cleandesk.loop.needs import Needs
from cleandesk.loop.scene import Plane, Scene

_ROUNDING_S = 1e-6


class Gate:
    """Decides, frame by frame.

    Args:
        needs: Of the rules.
        look_s: Seconds from one frame to the next, as planned.
    """

    def __init__(self, needs: Needs, look_s: float) -> None:
        self._needs = needs
        self._look_s = look_s
        self._scene = Scene()
        self._looked: float | None = None
        self._last = 0.0
        self._interval_s = look_s
        self._settling = 0
        self._most: tuple[int, ...] = ()

    def skips(self, plane: Plane, at: float, *, unsettled: bool) -> bool:
        """Say whether a frame is left out; one that is not has to be looked at.

        Args:
            plane: The frame's, uint8; all of one size.
            at: The frame's own monotonic time, seconds; frames come in order.
            unsettled: Whether something is on its way to open or to close.
        """
        changed = self._scene.changed(plane)
        if changed:
            self._settling = self._needs.settle_looks
            self._most = ()
        late = self._late(at)
        if not (changed or late or unsettled or self._settling):
            return True
        self._scene.keep()
        self._settling = max(0, self._settling - 1)
        self._looked = self._last = at
        self._interval_s = self._look_s
        return False

    def saw(self, sighted: tuple[int, ...]) -> None:
        """Take note of what a look gave: one thing more than ever since the last change is news.

        What comes and goes at the edge of what the detector can tell is not: in a noisy picture of
        a full desk some of that happens at each look.

        Args:
            sighted: How many things each rule was about.
        """
        most = tuple(map(max, sighted, self._most)) if self._most else sighted
        if most != self._most:
            self._most, self._settling = most, self._needs.settle_looks

    def forget(self) -> None:
        """Begin anew, as after a fault of the camera: the next frame has to be looked at."""
        self._scene.forget()
        self._looked = None

    def _late(self, at: float) -> bool:
        """Say whether the deadline would be over before the next frame, as far as one can tell."""
        if self._looked is None:
            return True
        self._interval_s = max(self._interval_s, at - self._last)
        self._last = at
        return at + self._interval_s - self._looked > self._needs.deadline_s + _ROUNDING_S
