"""What can go wrong with provisioning: each kind has its exit code, and its text says the fix."""

from typing import ClassVar


class ProvisionError(Exception):
    """Something failed; the text names the place, the reason and the fix.

    Attributes:
        code: The exit code of its kind.
        word: The name of its kind, for programs. None changes its meaning.
    """

    code: ClassVar[int] = 1
    word: ClassVar[str] = "failed"


class UsageError(ProvisionError):
    """What was asked for makes no sense here."""

    code, word = 2, "usage"


class UnknownNameError(ProvisionError):
    """There is no such site, box or operator."""

    code, word = 3, "unknown_name"


class ConflictError(ProvisionError):
    """It is there already, and is not what was asked for."""

    code, word = 4, "conflict"


class LockedError(ProvisionError):
    """A key is missing, or its passphrase is wrong."""

    code, word = 5, "locked"


class UnsafeTargetError(ProvisionError):
    """Nothing is written there: it is no card, or not a removable one."""

    code, word = 6, "unsafe_target"


class BrokerError(ProvisionError):
    """The broker did not do what was asked: it is not known that the box is out."""

    code, word = 7, "broker"


class RequestRefusedError(ProvisionError):
    """A certificate signing request, or a token, is not accepted."""

    code, word = 8, "refused"


class OfflineError(ProvisionError):
    """The box is not on the line, or did not answer in time."""

    code, word = 9, "offline"


class BoxError(ProvisionError):
    """The box was asked, and did not do it."""

    code, word = 10, "box"


def halves(error: Exception) -> tuple[str, str]:
    """Return an error's reason, with its place if there is one, and its fix."""
    reason, colon, fix = str(error).rpartition(": ")
    return (reason, fix) if colon else (fix, "")
