"""The checks of who the box is: its certificate and key, without a word to anybody."""

import stat
from datetime import datetime
from pathlib import Path

from cryptography import x509

from cleandesk.clock import Instant
from cleandesk.contract import tls, tls_clock
from cleandesk.contract.connection import TlsSettings
from cleandesk.contract.doctor_messages import DoctorCheck, DoctorCode
from cleandesk.contract.publication import TlsError
from cleandesk.contract.topics import Address
from cleandesk.doctor.findings import failed, judged, not_tried, passed
from cleandesk.identity.chain import common_name
from cleandesk.settings import BoxSettings

#: Renewal is due in the last third of a certificate's life; by now it has failed many times.
_LAST_SHARE = 1 / 6
_DATES = (
    DoctorCode.CERTIFICATE_NOT_YET_VALID,
    DoctorCode.CERTIFICATE_EXPIRED,
    DoctorCode.CERTIFICATE_EXPIRING,
)
IDENTITY_CODES = (
    DoctorCode.IDENTITY_MISSING,
    DoctorCode.IDENTITY_EXPOSED,
    DoctorCode.CERTIFICATE_WRONG_BOX,
    *_DATES,
)


def identity(settings: BoxSettings, now: Instant) -> list[DoctorCheck]:
    """Look at the certificate and the key that the box shows to the broker."""
    files = settings.broker.tls
    if files is None or files.cert is None or files.key is None:
        said = "no certificate is set: whoever is in the network can pretend to be this box"
        return _none(said)
    try:
        tls.context(files)  # key and certificate fit each other
        certificate = x509.load_pem_x509_certificates(files.cert.read_bytes())[0]
        mode = stat.S_IMODE(files.key.stat().st_mode)
    except (TlsError, OSError, ValueError) as error:
        return _none(str(error))
    name, wanted = common_name(certificate), str(Address(settings.site, settings.box))
    return [
        passed(DoctorCode.IDENTITY_MISSING, f"certificate {certificate.serial_number:x}"),
        judged(DoctorCode.IDENTITY_EXPOSED, _mode(files.key, mode), wrong=bool(mode & 0o077)),
        judged(
            DoctorCode.CERTIFICATE_WRONG_BOX,
            f"it names '{name}'" + ("" if name == wanted else f", this is {wanted}"),
            wrong=name != wanted,
        ),
        *dates(certificate, _moment(files, now)),
    ]


def dates(certificate: x509.Certificate, now: datetime) -> list[DoctorCheck]:
    """Hold a certificate against a moment."""
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    said = f"from {begins:%Y-%m-%d %H:%M} to {ends:%Y-%m-%d %H:%M} UTC"
    early, late, expiring = _DATES
    if now < begins:
        return [failed(early, said), *not_tried(_DATES[1:], "it has not begun")]
    if now > ends:
        return [passed(early, said), failed(late, said), *not_tried([expiring], "it has ended")]
    left = (ends - now) / (ends - begins)
    return [
        passed(early, said),
        passed(late, said),
        judged(expiring, f"{100 * left:.0f} % of its life is left", wrong=left < _LAST_SHARE),
    ]


def _none(said: str) -> list[DoctorCheck]:
    missing = failed(DoctorCode.IDENTITY_MISSING, said)
    return [missing, *not_tried(IDENTITY_CODES[1:], "there is no certificate that can be used")]


def _mode(key: Path, mode: int) -> str:
    return f"{key} has mode {mode:04o}"


def _moment(files: TlsSettings, now: Instant) -> datetime:
    """Return the present moment, or the last known one where the clock is behind it."""
    known = None if files.clock is None else tls_clock.read(files.clock)
    return now.utc if known is None else max(known, now.utc)
