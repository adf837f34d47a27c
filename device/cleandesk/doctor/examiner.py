"""The doctor inside a running box: it answers from what the box knows, and opens nothing."""

import logging
import threading
from dataclasses import dataclass

from cleandesk.clock import Clock
from cleandesk.contract.commands import Outcome
from cleandesk.contract.doctor_messages import (
    DoctorCheck,
    DoctorCode,
    DoctorRequest,
    DoctorResponse,
)
from cleandesk.contract.topics import Command
from cleandesk.doctor.acks import acks
from cleandesk.doctor.broker import ask_link
from cleandesk.doctor.camera import CAMERA_CODES, RunningCamera
from cleandesk.doctor.certificate import identity
from cleandesk.doctor.findings import failed, not_tried, passed
from cleandesk.doctor.machine import machine
from cleandesk.link import Link, Outbox
from cleandesk.link.ledger_file import Waiting
from cleandesk.settings import BoxSettings
from cleandesk.worker.commands import Commands, Reply
from cleandesk.worker.desk import AimUnknownError

log = logging.getLogger(__name__)

_AN_HOUR = 12


@dataclass(frozen=True, slots=True)
class Patient:
    """The box that is examined.

    Attributes:
        settings: What runs.
        camera: None in safe mode, where there is none.
        safe_mode: Why it is in safe mode; None: it is not.
    """

    settings: BoxSettings
    clock: Clock
    outbox: Outbox
    link: Link
    camera: RunningCamera | None
    safe_mode: str | None = None


class Examiner:
    """Looks for what is wrong. From any thread but the loop's and the link's: it waits for them."""

    def __init__(self, patient: Patient) -> None:
        self._of = patient
        self._busy = threading.Lock()

    def serve(self, commands: Commands) -> None:
        """Plug in the command."""
        commands.add(
            Command.DOCTOR, DoctorRequest, DoctorResponse, self._on_doctor, per_hour=_AN_HOUR
        )

    def examine(self, *, aimed: bool = False) -> list[DoctorCheck]:
        """Return what was looked for; each code once.

        Args:
            aimed: The camera is aimed right now: remember its aim first.

        Raises:
            AimUnknownError: If it cannot be remembered.
        """
        of = self._of
        if aimed:
            if of.camera is None:
                raise AimUnknownError("safe mode: there is no camera")
            of.camera.remember()
        camera = self._camera()  # it takes its time
        now, standing, waits = of.clock.now(), of.link.standing, of.outbox.health()
        waiting = Waiting(waits.depth, waits.next_seq - 1, waits.oldest_s)
        return [
            *self._mode(),
            *camera,
            *_with_storage(machine(of.settings, now), waits.storage),
            *identity(of.settings, now),
            *ask_link(of.settings, standing, now, of.link.probe),
            acks(of.settings, waiting, standing.ack_age_s),
        ]

    def _mode(self) -> list[DoctorCheck]:
        why = self._of.safe_mode
        code = DoctorCode.SAFE_MODE
        return [passed(code, "it runs") if why is None else failed(code, why)]

    def _camera(self) -> list[DoctorCheck]:
        if self._of.camera is None:
            return not_tried(CAMERA_CODES, "safe mode: no camera is opened")
        return self._of.camera.checks()

    def _on_doctor(self, _: DoctorRequest, reply: Reply) -> None:
        if self._busy.acquire(blocking=False):
            threading.Thread(target=self._answer, args=(reply,), name="doctor", daemon=True).start()
        else:
            reply(self._response(Outcome.BUSY, detail="one runs already"))

    def _answer(self, reply: Reply) -> None:
        try:
            reply(self._response(Outcome.DONE, self.examine()))
        except Exception:
            log.exception("the doctor failed")
            reply(self._response(Outcome.FAILED, detail="it failed; the box's log says why"))
        finally:
            self._busy.release()

    def _response(
        self, outcome: Outcome, checks: list[DoctorCheck] | None = None, detail: str | None = None
    ) -> DoctorResponse:
        now = self._of.clock.now()
        return DoctorResponse(
            outcome=outcome,
            detail=detail,
            checks=checks or [],
            at=now.utc,
            clock_synced=now.synced,
        )


def _with_storage(checks: list[DoctorCheck], storage: str) -> list[DoctorCheck]:
    """Put in what the outbox has seen of its disk since."""
    codes = {"full": DoctorCode.DISK_FULL, "failing": DoctorCode.DISK_FAILING}
    code = codes.get(storage)
    if code is None:
        return checks
    seen = failed(code, f"the outbox cannot write: its disk is {storage}")
    return [seen if check.code is code else check for check in checks]
