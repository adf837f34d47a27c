"""Break mode: kept on the disk, then the sensor is stopped; only the worker ends it."""

import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum
from pathlib import Path

from cleandesk.clock import Clock, Instant
from cleandesk.contract.messages import BreakReason, Privacy
from cleandesk.settings_worker import BreakSettings
from cleandesk.worker import keeping
from cleandesk.worker.breaks import Break, Kept, Rules
from cleandesk.worker.sensor import Sensor

log = logging.getLogger(__name__)

Note = Callable[[str, str], None]


class By(StrEnum):
    """Who began or ended a break."""

    PAGE = "page"
    BUTTON = "button"
    COMPANY = "company"


class BreakMode:
    """Whether the worker has a break. From any thread.

    It alone starts and stops the sensor, under one lock: there is no moment at which a break has
    begun and the sensor is started.

    Args:
        path: The file of `keeping`.
        rules: How breaks are counted.
        clock: The box's.
        sensor: What a break stops.
        fresh: The box has never run before, so that a missing file means nothing.
        note: Enters something into the ledger: a word for programs, a text for the worker.
    """

    def __init__(
        self, path: Path, rules: Rules, clock: Clock, sensor: Sensor, *, fresh: bool, note: Note
    ) -> None:
        self._path, self._rules, self._clock, self._sensor = path, rules, clock, sensor
        self._note = note
        self._guard = threading.RLock()
        self._wake: Callable[[], None] = _nobody
        self._begun = 0
        self._kept = self._restored(fresh=fresh)

    def listen(self, wake: Callable[[], None]) -> None:
        """Have someone told of each beginning and end, in the thread that asked for it."""
        self._wake = wake

    def limit(self, limits: BreakSettings) -> None:
        """Tell breaks beyond these limits from now on."""
        with self._guard:
            self._rules = replace(self._rules, limits=limits)

    @property
    def present(self) -> Break | None:
        """The break that goes on."""
        return self._kept.present

    @property
    def begun(self) -> int:
        """How many breaks began in this process."""
        return self._begun

    @property
    def sensing(self) -> bool:
        """Whether frames may be acquired: in a break, only until the camera has let go."""
        return self._sensor.runs

    @property
    def pin_resets(self) -> int:
        """How often the page's PIN was reset by the button."""
        return self._kept.pin_resets

    @property
    def today(self) -> int:
        """How many breaks began since midnight."""
        return self._rules.today(self._kept, self._clock.now())

    def privacy(self, now: Instant) -> Privacy | None:
        """Return what to publish of the break that goes on; None without one."""
        present = self._kept.present
        return None if present is None else self._rules.privacy(present, now)

    def start(self, reason: BreakReason, by: By) -> Break:
        """Begin a break: it is on the disk, then the sensor is stopped. It is never refused.

        Returns:
            The break; the one that goes on, if there is one.
        """
        with self._guard:
            kept, present = self._rules.begun(self._kept, reason, self._clock.now())
            begins = kept is not self._kept
            if begins:
                self._keep(kept, or_forget=True)
                self._begun += 1
            self._sensor.stop()
        if begins:
            self._tell(f"break_by_{by}", f"A break began: {reason}.")
        return present

    def end(self, by: By) -> None:
        """End the break, if there is one; the frame loop starts the sensor then."""
        with self._guard:
            ends = self._kept.present is not None
            if ends:
                self._keep(self._kept.model_copy(update={"present": None}), or_forget=False)
        if ends:
            self._tell(f"break_ended_by_{by}", "The break ended.")

    def toggle(self) -> None:
        """Begin a break, or end the one that goes on: what a push of the button does."""
        with self._guard:
            if self._kept.present is None:
                self.start(BreakReason.OTHER, By.BUTTON)
            else:
                self.end(By.BUTTON)

    def reset_pin(self) -> None:
        """Count one reset of the page's PIN; the page sees the number."""
        with self._guard:
            resets = self._kept.pin_resets + 1
            self._keep(self._kept.model_copy(update={"pin_resets": resets}), or_forget=False)
        self._tell("pin_reset", "The page's PIN was reset by the button.")

    def run_sensor(self) -> bool:
        """Start the sensor, or in a break see that it has stopped; say whether it does so.

        False: the camera still hangs in its driver since it was told to stop.
        """
        with self._guard:
            if self._kept.present is None:
                self._sensor.start()
            else:
                self._sensor.stop(0.0)
            return not self._sensor.stopping

    def stop_sensor(self) -> None:
        """Stop the sensor for good: the process ends."""
        with self._guard:
            self._sensor.stop()

    def date(self) -> None:
        """Correct the beginning of a break once the wall clock is trusted."""
        with self._guard:
            present = self._kept.present
            if present is None or present.synced:
                return
            dated = present.dated(self._rules.boot, self._clock.now())
            if dated is not present:
                self._keep(self._kept.model_copy(update={"present": dated}), or_forget=False)

    def _keep(self, kept: Kept, *, or_forget: bool) -> None:
        """Write, then take it to be so.

        A disk that takes nothing refuses no break: then the file goes, as an unknown state is a
        break, too. What ends a break holds for this process alone then.
        """
        try:
            keeping.write(self._path, kept)
        except OSError as error:
            log.exception(
                "cannot keep whether there is a break; a restart will begin with one",
                extra={"path": str(self._path), "fix": f"free or repair its disk: {error}"},
            )
            if or_forget:
                self._forget()
        self._kept = kept

    def _forget(self) -> None:
        try:
            keeping.forget(self._path)
        except OSError:
            log.exception(
                "and the old file cannot be taken away: a restart will look at the desk",
                extra={"path": str(self._path), "fix": "take the power away during the break"},
            )

    def _restored(self, *, fresh: bool) -> Kept:
        try:
            kept = keeping.read(self._path)
        except keeping.UnknownStateError as error:
            return self._unknown(str(error))
        if kept is None and not fresh:
            return self._unknown(f"{self._path}: there is no such file, and the box ran before")
        if kept is None:
            kept = Kept()
            self._keep(kept, or_forget=False)
        return kept

    def _unknown(self, why: str) -> Kept:
        log.error(
            "nobody can tell whether there was a break, so there is one now",
            extra={"reason": why, "fix": "the worker ends it, by the page or the button"},
        )
        kept, _ = self._rules.begun(Kept(), BreakReason.OTHER, self._clock.now())
        self._keep(kept, or_forget=False)
        self._note(
            "break_unknown", "The box could not tell whether there was a break, and began one."
        )
        return kept

    def _tell(self, what: str, text: str) -> None:
        self._note(what, text)
        self._wake()


def _nobody() -> None:
    """Stand in for a listener."""
