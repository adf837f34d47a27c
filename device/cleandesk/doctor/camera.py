"""The camera's checks: of a running box by its own frames, else by opening the camera."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cleandesk.camera import Area, CameraError, CameraFactory, CaptureState, make_camera
from cleandesk.camera.source import SourceKind, kind_of
from cleandesk.clock import Clock, Instant
from cleandesk.contract.doctor_messages import DoctorCheck, DoctorCode
from cleandesk.contract.messages import CameraFault
from cleandesk.doctor import aim
from cleandesk.doctor.eye import Eye
from cleandesk.doctor.findings import failed, not_tried, passed
from cleandesk.doctor.picture import PICTURE_CODES, Glimpse, judge
from cleandesk.settings import BoxSettings
from cleandesk.worker import keeping
from cleandesk.worker.desk import AimUnknownError

ON_BREAK = "on break"
_FRAME_CODES = (
    DoctorCode.CAMERA_UNAVAILABLE,
    DoctorCode.CAMERA_NO_FRAMES,
    DoctorCode.CAMERA_BROKEN,
    DoctorCode.CAMERA_FROZEN,
)
CAMERA_CODES = (*_FRAME_CODES, *PICTURE_CODES)
_OF_FAULT = {
    CameraFault.UNAVAILABLE: DoctorCode.CAMERA_UNAVAILABLE,
    CameraFault.STALLED: DoctorCode.CAMERA_NO_FRAMES,
    CameraFault.ENDED: DoctorCode.CAMERA_NO_FRAMES,
    CameraFault.BROKEN: DoctorCode.CAMERA_BROKEN,
    CameraFault.FROZEN: DoctorCode.CAMERA_FROZEN,
    CameraFault.BLACK: DoctorCode.CAMERA_DARK,
}
#: A camera needs so long to find its exposure.
_SETTLES_S = 2.0


@dataclass(frozen=True, slots=True)
class Sources:
    """Where a running box's camera is looked at.

    Attributes:
        state: How it does.
        resting: The worker has a break.
        note: Enters something into the ledger: a word for programs, a text for the worker.
    """

    eye: Eye
    state: Callable[[Instant], CaptureState]
    resting: Callable[[], bool]
    note: Callable[[str, str], None]


class RunningCamera:
    """The camera of a box that runs: its next frame is measured, nothing is opened or woken."""

    def __init__(self, settings: BoxSettings, clock: Clock, sources: Sources) -> None:
        self._clock, self._from = clock, sources
        self._aim = aim.path_of(settings.outbox.path)
        # By then each fault is told, and a frame that is due has come.
        camera = settings.camera
        period_s = 1 / settings.looks_per_s
        self._patience_s = 1 + max(camera.timeout_s, camera.black_after_s) + 2 * period_s

    def checks(self) -> list[DoctorCheck]:
        """Look; waits for a frame."""
        if self._from.resting():
            return not_tried(CAMERA_CODES, ON_BREAK)
        faults = self._faults()
        if faults:
            return faults
        glimpse = self._from.eye.look(self._patience_s)
        if self._from.resting():  # perhaps only since the frame was taken
            return not_tried(CAMERA_CODES, ON_BREAK)
        if glimpse is None:
            return self._faults() or faulty(
                DoctorCode.CAMERA_NO_FRAMES, f"none in {self._patience_s:.0f} s"
            )
        return _framed() + judge(glimpse, aim.read(self._aim))

    def remember(self) -> None:
        """Keep where the camera is aimed.

        Raises:
            AimUnknownError: If there is no picture, or the disk does not take it.
        """
        glimpse = None if self._from.resting() else self._from.eye.look(self._patience_s)
        if glimpse is None or self._from.resting():
            raise AimUnknownError("no picture: a break, or a fault of the camera")
        self._from.note(
            "aim_remembered",
            "Somebody at the box had it remember where the camera is aimed, to tell later whether "
            "it was moved: signs of which part is brighter than the next one, no picture.",
        )
        aim.write(self._aim, glimpse.aim)

    def _faults(self) -> list[DoctorCheck] | None:
        state = self._from.state(self._clock.now())
        return None if state.fault is None else faulty(_OF_FAULT[state.fault], state.detail)


def look_once(settings: BoxSettings, clock: Clock, *, base: Path) -> list[DoctorCheck]:
    """Open the camera that the settings name, look at one picture, and close it."""
    return look_by(lambda: make_camera(settings.camera, clock, base=base), settings, clock)


def look_by(factory: CameraFactory, settings: BoxSettings, clock: Clock) -> list[DoctorCheck]:
    """Look once by a camera; the caller knows that nobody has a break and no box runs."""
    camera, settles = factory(), kind_of(settings.camera.source) is not SourceKind.RECORDING
    try:
        camera.open()
        frame = camera.read(settings.camera.timeout_s)
        until = clock.now().mono + _SETTLES_S
        while settles and clock.now().mono < until:
            frame = camera.read(settings.camera.timeout_s)
        glimpse = Glimpse.of(Area(settings.area).blank(frame))
    except CameraError as error:
        return faulty(_OF_FAULT[error.fault], error.detail)
    finally:
        camera.close()
    return _framed(frozen="takes longer: the running box watches for it") + judge(
        glimpse, aim.read(aim.path_of(settings.outbox.path))
    )


def rests(outbox: Path) -> bool:
    """Say whether the worker has a break, by what is kept; what nobody can tell is one."""
    try:
        kept = keeping.read(keeping.path_of(outbox))
    except keeping.UnknownStateError:
        return True
    return outbox.exists() if kept is None else kept.present is not None


def faulty(code: DoctorCode, said: str) -> list[DoctorCheck]:
    """Return one fault; what comes before it is not so, what comes after is not known."""
    at = CAMERA_CODES.index(code)
    return [
        *(passed(one, f"not so: {code}") for one in CAMERA_CODES[:at]),
        failed(code, said),
        *not_tried(CAMERA_CODES[at + 1 :], "no picture that can be believed"),
    ]


def _framed(frozen: str | None = None) -> list[DoctorCheck]:
    """Return that frames come."""
    *most, last = _FRAME_CODES
    checks = [passed(code, "frames come") for code in most]
    return [*checks, *(not_tried([last], frozen) if frozen else [passed(last, "frames differ")])]
