"""One process of a box: counts its start, and runs the box, or safe mode after too many crashes."""

import faulthandler
import logging
import signal
from pathlib import Path
from types import FrameType
from typing import Protocol

from cleandesk.box import Box
from cleandesk.camera import video_length_s
from cleandesk.clock import SystemClock, boot_id
from cleandesk.control import Starts, kept, software, starts
from cleandesk.control.held import REBOOT_AFTER_S, Held
from cleandesk.link import OutboxBusyError, OutboxError, OutboxHeldError
from cleandesk.model.probation import Probation
from cleandesk.model.running import shelf_of
from cleandesk.safe_box import SafeBox
from cleandesk.settings import BoxSettings

log = logging.getLogger(__name__)


class _Runs(Protocol):
    def stop(self) -> None: ...

    def run(self, *, until_end: bool = False) -> int: ...


def run(settings: BoxSettings, *, base: Path, show: bool = False, until_end: bool = False) -> int:
    """Run a box until SIGTERM or SIGINT; returns the process's exit code.

    Raises:
        ModelError: If the model cannot be used.
        OutboxError: If the outbox cannot be used; an `OutboxHeldError` if a reboot alone helps.
        PinError: If a pin cannot be used.
    """
    # What the watchdog sends a process that hangs: then the log says where. No frame is in it.
    faulthandler.register(signal.SIGQUIT, all_threads=True)
    count = Starts(starts.path_of(settings.outbox.path), settings.safe_mode, boot_id())
    crashed = count.begin(SystemClock().now())
    if crashed is not None and _went_back(settings, crashed):
        count.anew(SystemClock().now())
        crashed = None
    try:
        if crashed is not None:
            code = _until_signalled(SafeBox(settings, crashed), until_end=until_end)
        else:
            code = _look(settings, count, base=base, show=show, until_end=until_end)
    except OutboxError as error:
        count.withdraw()  # without it there is no safe mode either
        if isinstance(error, OutboxBusyError):
            _see_whether_it_is_held(settings.outbox.path, error)
        raise
    except Exception as error:
        count.failed(error)
        raise
    count.ended()
    return code


def _see_whether_it_is_held(outbox: Path, error: OutboxBusyError) -> None:
    """Tell a process that ends soon from one that nothing but a reboot ends.

    Raises:
        OutboxHeldError: If it is one of those.
    """
    if Held(outbox, boot_id()).for_good(SystemClock().now()):
        raise OutboxHeldError(
            f"outbox {outbox} has been in use by another process for {REBOOT_AFTER_S / 60:.0f} "
            "minutes of starts: it hangs in the kernel, in a camera's driver, where no signal ends "
            "it: reboot the machine; if that comes again, look at the camera and its cable"
        ) from error


def _went_back(settings: BoxSettings, crashed: str) -> bool:
    """Go back to the last good configuration, if it may be the present one that crashes."""
    try:
        went = kept.fall_back(kept.path_of(settings.outbox.path), crashed)
    except OSError as error:
        log.warning("the last good configuration is not kept", extra={"why": error.strerror})
        return False
    if went:
        log.error("a configuration is given up", extra={"why": crashed})
    return went


def _look(settings: BoxSettings, count: Starts, *, base: Path, show: bool, until_end: bool) -> int:
    """Run the box, and have a model that it dies of be left by the next start."""
    shelf, on_trial = shelf_of(settings), software.WHERE.on_trial
    probation = Probation(shelf, boot_id(), software_on_trial=on_trial)
    probation.begin()
    try:
        code = _box(settings, count, base=base, show=show, until_end=until_end)
    except OutboxError:
        probation.ended()  # it is nobody's fault that another model could mend
        raise
    except Exception as error:
        probation.failed(error)
        raise
    probation.ended()
    return code


def _box(settings: BoxSettings, count: Starts, *, base: Path, show: bool, until_end: bool) -> int:
    if not show:
        return _until_signalled(Box(settings, base=base, starts=count), until_end=until_end)
    from cleandesk.show import LiveView  # noqa: PLC0415 - only a person at a terminal needs it

    length_s = video_length_s(settings.camera, base=base)
    with LiveView(title=f"{settings.site}/{settings.box}", length_s=length_s) as view:
        box = Box(settings, base=base, observer=view, starts=count)
        return _until_signalled(box, until_end=until_end)


def _until_signalled(box: _Runs, *, until_end: bool) -> int:
    def end(_number: int, _frame: FrameType | None) -> None:
        box.stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    return box.run(until_end=until_end)
