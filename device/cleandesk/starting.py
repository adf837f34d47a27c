"""One process of a box: counts its start, and runs the box, or safe mode after too many crashes."""

import faulthandler
import signal
from pathlib import Path
from types import FrameType
from typing import Protocol

from cleandesk.box import Box
from cleandesk.camera import video_length_s
from cleandesk.clock import SystemClock, boot_id
from cleandesk.control import Starts, starts
from cleandesk.link import OutboxError
from cleandesk.safe_box import SafeBox
from cleandesk.settings import BoxSettings


class _Runs(Protocol):
    def stop(self) -> None: ...

    def run(self, *, until_end: bool = False) -> int: ...


def run(settings: BoxSettings, *, base: Path, show: bool = False, until_end: bool = False) -> int:
    """Run a box until SIGTERM or SIGINT; returns the process's exit code.

    Raises:
        ModelError: If the model cannot be used.
        OutboxError: If the outbox cannot be used.
        PinError: If a pin cannot be used.
    """
    # What the watchdog sends a process that hangs: then the log says where. No frame is in it.
    faulthandler.register(signal.SIGQUIT, all_threads=True)
    count = Starts(starts.path_of(settings.outbox.path), settings.safe_mode, boot_id())
    crashed = count.begin(SystemClock().now())
    try:
        if crashed is not None:
            code = _until_signalled(SafeBox(settings, crashed), until_end=until_end)
        else:
            code = _look(settings, count, base=base, show=show, until_end=until_end)
    except OutboxError:
        count.withdraw()  # without it there is no safe mode either
        raise
    except Exception as error:
        count.failed(error)
        raise
    count.ended()
    return code


def _look(settings: BoxSettings, count: Starts, *, base: Path, show: bool, until_end: bool) -> int:
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
