"""The check of the subscriber's word: nothing is sent for it.

An event could be sent anew, and a subscriber that has it would answer `duplicate`. But one that has
deleted it after its time would log it once more, and that is the worker's. So what was sent by
itself is looked at: the outbox keeps each event until its `ack` names it.
"""

from cleandesk.contract.doctor_messages import DoctorCheck, DoctorCode
from cleandesk.doctor.findings import failed, not_tried, passed
from cleandesk.link.ledger_file import Waiting
from cleandesk.settings import BoxSettings

_LEAST_PATIENCE_S, _TIMES = 60.0, 4


def acks(settings: BoxSettings, waiting: Waiting, age_s: float | None = None) -> DoctorCheck:
    """Say whether the subscriber answers.

    Args:
        settings: The box's.
        waiting: What waits for it.
        age_s: Seconds since its last answer; None: not known.
    """
    code = DoctorCode.NO_ACK
    patience_s = max(_LEAST_PATIENCE_S, _TIMES * settings.broker.ack_timeout_s)
    last = "" if age_s is None else f"; the last answer came {age_s:.0f} s ago"
    if waiting.oldest_s is not None and waiting.oldest_s > patience_s:
        oldest = f"{waiting.depth} events wait, the oldest for {waiting.oldest_s:.0f} s"
        return failed(code, f"{oldest}; {patience_s:.0f} s are patience{last}")
    if waiting.depth:
        return not_tried([code], f"{waiting.depth} events are on their way: ask again{last}")[0]
    if waiting.numbered == 0:
        why = "no event was ever made: lay something forbidden on the desk, and ask again"
        return not_tried([code], why)[0]
    return passed(code, f"none of {waiting.numbered} events waits{last}")
