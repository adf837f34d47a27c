"""The doctor beside a box: asks the one that runs, or else looks for itself."""

import asyncio
import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from cleandesk.clock import Clock, boot_id
from cleandesk.contract.doctor_messages import DoctorCheck, DoctorCode
from cleandesk.contract.topics import Address
from cleandesk.control import Starts, starts
from cleandesk.doctor.acks import acks
from cleandesk.doctor.broker import BROKER_CODES, try_broker
from cleandesk.doctor.camera import CAMERA_CODES, ON_BREAK, look_once, rests
from cleandesk.doctor.certificate import identity
from cleandesk.doctor.findings import failed, is_failed, not_tried, passed
from cleandesk.doctor.machine import machine
from cleandesk.link import LedgerUnreadableError
from cleandesk.link.ledger_file import read_only
from cleandesk.link.opening import lock_of
from cleandesk.page.client import BoxClient
from cleandesk.page.errors import BoxUnreachableError
from cleandesk.settings import BoxSettings
from cleandesk.worker.protocol import Examine, Examined
from cleandesk.worker.reception import socket_of

#: The running box waits for a frame, and for the broker.
_PATIENCE_S = 60.0
_SILENT = (
    "a box runs that this user cannot ask: it has no socket (page.enabled is false), "
    "or is another user's; stop it first, ask as its user, or by cmd/doctor"
)


class Asked(StrEnum):
    """Who looked: the running box; this command alone; or this beside a box that says nothing."""

    BOX = "box"
    HERE = "here"
    BESIDE = "beside"


@dataclass(frozen=True, slots=True)
class Report:
    """What came of a visit."""

    settings: BoxSettings
    asked: Asked
    checks: list[DoctorCheck]

    @property
    def well(self) -> bool:
        """Whether nothing failed."""
        return not any(map(is_failed, self.checks))

    @property
    def aiming(self) -> str | None:
        """The address of the worker's page where the picture is shown; None without a page."""
        address = Address(self.settings.site, self.settings.box)
        return f"https://{address.host}.local/aim" if self.settings.page.enabled else None


def visit(settings: BoxSettings, clock: Clock, *, base: Path, aimed: bool = False) -> Report:
    """Look for what is wrong with a box.

    Args:
        settings: The box's own file.
        clock: The machine's.
        base: The folder that relative paths start from.
        aimed: The camera is aimed right now: remember its aim first.

    Raises:
        BoxUnreachableError: If the aim is to be remembered, and no box runs to do it.
        BoxFailedError: If the box could not remember it.
    """
    client = BoxClient(socket_of(settings), patience_s=_PATIENCE_S)
    try:
        answer = asyncio.run(client.ask(Examine(aimed=aimed), Examined))
        return Report(settings, Asked.BOX, answer.checks)
    except BoxUnreachableError:
        if aimed:
            raise
    with _alone(settings.outbox.path) as alone:
        seen = _alone_checks(settings, clock, base) if alone else _beside(settings)
        now = clock.now()
        checks = [
            *_next_start(settings),
            *seen[: len(CAMERA_CODES)],
            *machine(settings, now),
            *identity(settings, now),
            *seen[len(CAMERA_CODES) :],
            _acks(settings, clock),
        ]
    return Report(settings, Asked.HERE if alone else Asked.BESIDE, checks)


@contextmanager
def _alone(outbox: Path) -> Iterator[bool]:
    """Say whether no box runs, and let none start meanwhile.

    The lock is never made here: made by root, the box's user could not open it.
    """
    try:
        file = lock_of(outbox).open("rb")
    except FileNotFoundError:
        yield True  # no box has ever run here
        return
    except OSError:
        yield False  # whoever may not know it must not speak in the box's name
        return
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def _alone_checks(settings: BoxSettings, clock: Clock, base: Path) -> list[DoctorCheck]:
    if rests(settings.outbox.path):
        seen = not_tried(CAMERA_CODES, ON_BREAK)
    else:
        seen = look_once(settings, clock, base=base)
    return seen + try_broker(settings, clock)


def _beside(settings: BoxSettings) -> list[DoctorCheck]:
    """Neither the camera nor the broker is taken from a box that runs."""
    seen = ON_BREAK if rests(settings.outbox.path) else _SILENT
    return not_tried(CAMERA_CODES, seen) + not_tried(BROKER_CODES, _SILENT)


def _next_start(settings: BoxSettings) -> list[DoctorCheck]:
    count = Starts(starts.path_of(settings.outbox.path), settings.safe_mode, boot_id())
    why, code = count.crashed(), DoctorCode.SAFE_MODE
    return [passed(code, "no starts in a row crashed") if why is None else failed(code, why)]


def _acks(settings: BoxSettings, clock: Clock) -> DoctorCheck:
    if not settings.outbox.path.exists():
        why = f"there is no {settings.outbox.path}: no box has run here"
        return not_tried([DoctorCode.NO_ACK], why)[0]
    try:
        with read_only(settings.outbox.path) as ledger:
            return acks(settings, ledger.waiting(boot_id(), clock.now().mono))
    except LedgerUnreadableError as error:
        return not_tried([DoctorCode.NO_ACK], str(error))[0]
