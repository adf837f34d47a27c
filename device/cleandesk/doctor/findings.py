"""One failure that was looked for, and the fix of each."""

from collections.abc import Iterable, Mapping

from cleandesk.contract.doctor_messages import CheckResult, DoctorCheck, DoctorCode

_MOST_SAID = 200
_CLAIM_ANEW = "claim the box anew: `cleandesk-provision box new --again`, `sd`, `cleandesk claim`"

#: What to do about each failure.
FIXES: Mapping[DoctorCode, str] = {
    DoctorCode.CAMERA_UNAVAILABLE: (
        "push the camera's cable in at both ends, see that camera.source names it and no "
        "other program has it"
    ),
    DoctorCode.CAMERA_NO_FRAMES: (
        "push the camera's cable in at both ends and power the box off and on; of a stream, "
        "look at the other end"
    ),
    DoctorCode.CAMERA_BROKEN: (
        "restart the camera; if it stays so, change its cable, then the camera"
    ),
    DoctorCode.CAMERA_FROZEN: "power the camera off and on; if it comes again, change it",
    DoctorCode.CAMERA_DARK: "uncover the lens, or turn on the light",
    DoctorCode.CAMERA_OVEREXPOSED: "turn the camera away from window and lamp, or shade it",
    DoctorCode.CAMERA_COVERED: (
        "take off the lens whatever lies on it: cap, film, dust, condensation"
    ),
    DoctorCode.CAMERA_OUT_OF_FOCUS: "wipe the lens, then turn it until the aiming view is sharp",
    DoctorCode.CAMERA_MOVED: (
        "aim the camera again by the aiming view, then `cleandesk doctor --aimed`; the latter"
        " alone if it is where it shall be"
    ),
    DoctorCode.MODEL_MISSING: "install the model anew, or name another detector.manifest",
    DoctorCode.MODEL_HASH: "the file is damaged or another one: install the model anew",
    DoctorCode.CLOCK_NOT_SYNCED: (
        "let the box reach a time server: UDP port 123; `timedatectl` says more"
    ),
    DoctorCode.DISK_FULL: "free space on that disk, or lower outbox.max_mb and ledger.max_mb",
    DoctorCode.DISK_READ_ONLY: (
        "let the box's user write to that folder; if the whole disk is read-only, power off "
        "and on, then change the card"
    ),
    DoctorCode.DISK_FAILING: "change the card: it is worn",
    DoctorCode.TOO_HOT: "give the box air, a heat sink or a fan; lower looks_per_s",
    DoctorCode.THROTTLED: "use the power supply that belongs to the computer, and cool it",
    DoctorCode.SAFE_MODE: "look into the log for why it crashes, mend that, then restart the box",
    DoctorCode.IDENTITY_MISSING: (
        "run `cleandesk claim`, with the card that was written for this box"
    ),
    DoctorCode.IDENTITY_EXPOSED: (
        "`chmod 600` the file; if strangers use this machine, claim the box anew"
    ),
    DoctorCode.CERTIFICATE_WRONG_BOX: _CLAIM_ANEW,
    DoctorCode.CERTIFICATE_NOT_YET_VALID: (
        "set the clock of this box, or of the machine that signed"
    ),
    DoctorCode.CERTIFICATE_EXPIRED: _CLAIM_ANEW,
    DoctorCode.CERTIFICATE_EXPIRING: (
        "`cleandesk renew --now`; see that the timer cleandesk-renew runs and reaches the service"
    ),
    DoctorCode.BROKER_UNREACHABLE: (
        "is the broker running, do broker.host and broker.port name it, and does the network "
        "let this port out?"
    ),
    DoctorCode.BROKER_UNTRUSTED: (
        "broker.tls.ca must have signed the broker's certificate, which must name broker.host"
        " and hold now"
    ),
    DoctorCode.BROKER_REFUSED: (
        "look into the broker's log: is this box's certificate revoked, ended, or of an "
        "authority that it does not know?"
    ),
    DoctorCode.OWN_TOPIC_DENIED: "put deploy/broker/boxes.acl on the broker, and reload it",
    DoctorCode.OTHER_BOX_ALLOWED: (
        "put deploy/broker/boxes.acl on the broker, and reload it: until then each box can "
        "speak as any other"
    ),
    DoctorCode.NO_SUBSCRIBER: "start the subscriber, and see that it is subscribed to this site",
    DoctorCode.NO_ACK: "look into the subscriber's log and at its rights to write `ack`",
}


def passed(code: DoctorCode, said: str) -> DoctorCheck:
    """Return that it is not so."""
    return DoctorCheck(code=code, result=CheckResult.PASSED, said=said[:_MOST_SAID])


def failed(code: DoctorCode, said: str) -> DoctorCheck:
    """Return that it is so, with the fix."""
    return DoctorCheck(
        code=code, result=CheckResult.FAILED, said=said[:_MOST_SAID], fix=FIXES[code]
    )


def judged(code: DoctorCode, said: str, *, wrong: bool) -> DoctorCheck:
    """Return whether it is so."""
    return failed(code, said) if wrong else passed(code, said)


def not_tried(codes: Iterable[DoctorCode], why: str) -> list[DoctorCheck]:
    """Return that nobody looked for these."""
    return [
        DoctorCheck(code=code, result=CheckResult.NOT_TRIED, said=why[:_MOST_SAID])
        for code in codes
    ]


def is_failed(check: DoctorCheck) -> bool:
    """Say whether it is so."""
    return check.result is CheckResult.FAILED
