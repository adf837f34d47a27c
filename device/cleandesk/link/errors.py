"""How the outbox fails when it is opened. Once it is open, nothing of it raises into the loop."""


class OutboxError(Exception):
    """The outbox cannot be used as configured; the text names place, reason and fix."""


class OutboxBusyError(OutboxError):
    """Another process has the outbox."""


class OutboxHeldError(OutboxBusyError):
    """Another process has had it for so long that no signal ends it."""


class OutboxAccessError(OutboxError):
    """The file or its folder may not be used, or is something else."""


class LedgerUnreadableError(OutboxError):
    """The ledger cannot be read at present."""
