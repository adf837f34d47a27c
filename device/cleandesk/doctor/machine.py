"""The machine's checks: model, clock, disk, heat. By the box or beside it, as any user may."""

import errno
import hashlib
import os
import shutil
import tempfile
from pathlib import Path

from cleandesk import vitals
from cleandesk.clock import Instant
from cleandesk.contract.doctor_messages import DoctorCheck, DoctorCode
from cleandesk.detector import ModelError, read_manifest
from cleandesk.detector.precision import choose, cpuinfo
from cleandesk.doctor.findings import failed, judged, not_tried, passed
from cleandesk.model.running import described, manifest_of, shelf_of
from cleandesk.settings import BoxSettings

#: SQLite needs room to tidy up in, and the system for its own.
LEAST_FREE_MB = 64
#: From here on a Raspberry Pi slows itself down, Celsius.
TOO_HOT_C = 80.0
_READ_ONLY = frozenset({errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOENT, errno.ENOTDIR})
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_DISK_CODES = (DoctorCode.DISK_READ_ONLY, DoctorCode.DISK_FAILING, DoctorCode.DISK_FULL)
_UNKNOWN = "this machine does not tell"


def machine(settings: BoxSettings, now: Instant) -> list[DoctorCheck]:
    """Return what the machine itself tells."""
    return [
        *model(settings),
        clock(now),
        *disk(settings.outbox.path.parent),
        *heat(vitals.heat()),
    ]


def model(settings: BoxSettings) -> list[DoctorCheck]:
    """Compare the weights that this machine would load with the manifest's hash."""
    try:
        path = manifest_of(settings)
        manifest = read_manifest(path)
        weights = choose(manifest, path, settings.detector.precision, cpuinfo())
        with weights.file.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except ModelError as error:
        return _no_model(f"{error.place}: {error.reason}")
    except OSError as error:
        return _no_model(f"{weights.file}: {error.strerror}")
    runs = described(settings, manifest, shelf_of(settings).read())
    said = f"{weights.file.name} of {runs.name} {runs.version}, {runs.state}: sha256 {found[:12]}…"
    wrong = found != weights.sha256
    if wrong:
        said += f", the manifest says {weights.sha256[:12]}…"
    there = passed(DoctorCode.MODEL_MISSING, f"{weights.file.name} is there")
    return [there, judged(DoctorCode.MODEL_HASH, said, wrong=wrong)]


def _no_model(said: str) -> list[DoctorCheck]:
    missing = failed(DoctorCode.MODEL_MISSING, said)
    return [missing, *not_tried([DoctorCode.MODEL_HASH], "there is no model")]


def clock(now: Instant) -> DoctorCheck:
    """Say whether the time was set from the network."""
    said = f"{now.utc:%Y-%m-%d %H:%M:%S} UTC{'' if now.synced else ', set by nobody'}"
    return judged(DoctorCode.CLOCK_NOT_SYNCED, said, wrong=not now.synced)


def disk(folder: Path) -> list[DoctorCheck]:
    """Write a page where the outbox lies, have it on the disk, and take it away."""
    code = None
    try:
        with tempfile.TemporaryFile(prefix=".doctor-", dir=folder) as file:
            file.write(os.urandom(4096))
            file.flush()
            os.fsync(file.fileno())
        free_mb = shutil.disk_usage(folder).free / 1e6
    except OSError as error:
        said, code = f"{folder}: {error.strerror}", DoctorCode.DISK_FAILING
        if error.errno in _READ_ONLY:
            code = DoctorCode.DISK_READ_ONLY
        elif error.errno in _FULL:
            code = DoctorCode.DISK_FULL
    else:
        said = f"{folder}: {free_mb:.0f} MB free; {LEAST_FREE_MB} at least"
        code = DoctorCode.DISK_FULL if free_mb < LEAST_FREE_MB else None
    at = len(_DISK_CODES) if code is None else _DISK_CODES.index(code)
    return [
        *(passed(one, said if code is None else f"not so: {code}") for one in _DISK_CODES[:at]),
        *([] if code is None else [failed(code, said)]),
        *not_tried(_DISK_CODES[at + 1 :], "nothing can be written"),
    ]


def heat(seen: vitals.Heat) -> list[DoctorCheck]:
    """Say whether the processor is too hot, or slowed down."""
    hot, slow = DoctorCode.TOO_HOT, DoctorCode.THROTTLED
    checks = (
        not_tried([hot], _UNKNOWN)
        if seen.celsius is None
        else [judged(hot, f"{seen.celsius:.0f} °C", wrong=seen.celsius >= TOO_HOT_C)]
    )
    if seen.throttled is None:
        return checks + not_tried([slow], _UNKNOWN)
    said = "slowed down now" if seen.throttled else "not slowed down"
    return [*checks, judged(slow, said, wrong=seen.throttled)]
