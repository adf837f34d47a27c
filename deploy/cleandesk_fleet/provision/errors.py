"""What can go wrong with provisioning: each kind has its exit code, and its text says the fix."""

from typing import ClassVar


class ProvisionError(Exception):
    """Something failed; the text names the place, the reason and the fix."""

    code: ClassVar[int] = 1


class UsageError(ProvisionError):
    """What was asked for makes no sense here."""

    code = 2


class UnknownNameError(ProvisionError):
    """There is no such site, box or operator."""

    code = 3


class ConflictError(ProvisionError):
    """It is there already, and is not what was asked for."""

    code = 4


class LockedError(ProvisionError):
    """A key is missing, or its passphrase is wrong."""

    code = 5


class UnsafeTargetError(ProvisionError):
    """Nothing is written there: it is no card, or not a removable one."""

    code = 6


class BrokerError(ProvisionError):
    """The broker did not do what was asked: it is not known that the box is out."""

    code = 7


class RequestRefusedError(ProvisionError):
    """A certificate signing request, or a token, is not accepted."""

    code = 8


class OfflineError(ProvisionError):
    """The box is not on the line, or did not answer in time."""

    code = 9


class BoxError(ProvisionError):
    """The box was asked, and did not do it."""

    code = 10


def halves(error: Exception) -> tuple[str, str]:
    """Return an error's reason, and its fix."""
    reason, _, fix = str(error).partition(": ")
    return reason, fix
