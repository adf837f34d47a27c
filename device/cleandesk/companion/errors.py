"""What can go wrong for the companion, with the fix in the text."""


class CompanionError(Exception):
    """The companion cannot go on; the text says why, and what to do."""


class NoInputAgeError(CompanionError):
    """This system does not say how old the last input is."""


class UnreachableError(Exception):
    """The page does not answer at present; it is tried again."""
