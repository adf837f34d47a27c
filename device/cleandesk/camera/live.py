"""What the live cameras share: frames come whether or not they are read."""

import numpy as np
from numpy.typing import NDArray

from cleandesk.camera.frame import Frame
from cleandesk.clock import Clock, Instant
from cleandesk.settings import CameraSettings

FROZEN_AFTER_S = 30.0  # a sensor's noise never repeats itself; a stuck driver does


class LiveCamera:
    """The part of a `Camera` that does not depend on how its pictures are had."""

    def __init__(self, settings: CameraSettings, clock: Clock, name: str) -> None:
        self._settings = settings
        self._clock = clock
        self._name = name
        self._number = 0

    @property
    def name(self) -> str:
        """The source for people, without credentials."""
        return self._name

    @property
    def live(self) -> bool:
        """True: frames come whether or not they are read."""
        return True

    @property
    def frozen_after_s(self) -> float | None:
        """Identical frames for so long are a fault."""
        return self._settings.frozen_after_s or FROZEN_AFTER_S

    def _frame(self, image: NDArray[np.uint8], at: Instant) -> Frame:
        self._number += 1
        return Frame(image, at, self._number)
