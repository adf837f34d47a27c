"""How a connection to a broker ends: what is wrong, for programs, and in words with the fix."""

import ssl
from dataclasses import dataclass
from enum import StrEnum


class Trouble(StrEnum):
    """What kept a connection from being made, or ended it.

    `files`: our own TLS files cannot be used. `unreachable`: nobody answers as a broker would.
    `untrusted`: who answers is not vouched for by our authority. `refused`: the broker does not
    take us. `denied`: it does not grant a subscription. `lost`: it had taken us.
    """

    FILES = "files"
    UNREACHABLE = "unreachable"
    UNTRUSTED = "untrusted"
    REFUSED = "refused"
    DENIED = "denied"
    LOST = "lost"

    @classmethod
    def of(cls, error: OSError) -> "Trouble":
        """Return what a connection failed by."""
        if isinstance(error, ssl.SSLCertVerificationError):
            return cls.UNTRUSTED
        # An alert is the other side's word about us.
        alert = isinstance(error, ssl.SSLError) and "ALERT" in (error.reason or "")
        return cls.REFUSED if alert else cls.UNREACHABLE


@dataclass(frozen=True, slots=True)
class End:
    """How a connection ended, with the fix.

    Attributes:
        code: The broker's reason code, if it gave one.
        lasted_s: Seconds from being ready to the end; None if it never was.
        trouble: None: it was ended from here.
        again: We left in order, to connect anew at once.
    """

    why: str
    advice: str
    code: int | None = None
    lasted_s: float | None = None
    trouble: Trouble | None = None
    again: bool = False
