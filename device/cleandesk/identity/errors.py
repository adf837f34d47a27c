"""What can go wrong with a box's identity: each with its own code, place, reason and fix."""

from enum import StrEnum


class Code(StrEnum):
    """What went wrong, for programs."""

    CARD_MISSING = "card_missing"
    CARD_DAMAGED = "card_damaged"
    CARD_MISMATCH = "card_mismatch"
    SETTINGS = "settings"
    DISK = "disk"
    BUSY = "busy"
    KEY = "key"
    NOT_CLAIMED = "not_claimed"
    SERVICE_AWAY = "service_away"
    SERVICE_UNKNOWN = "service_unknown"
    SERVICE_DATE = "service_date"
    TOKEN_REFUSED = "token_refused"  # noqa: S105 - a code
    REFUSED = "refused"
    NEW_KEY = "new_key"
    ANSWER = "answer"
    CA = "ca"
    DATE = "date"
    EXPIRED = "expired"
    BROKER = "broker"
    TOPIC = "topic"


#: What may go away by itself, or by a person's hand elsewhere: the same command again will do.
PASSING = frozenset({Code.DISK, Code.BUSY, Code.SERVICE_AWAY, Code.BROKER})
#: What somebody must put right on the card.
_GIVEN = frozenset({Code.CARD_MISSING, Code.CARD_DAMAGED, Code.CARD_MISMATCH, Code.SETTINGS})
EXIT_FAILED, EXIT_GIVEN, EXIT_AGAIN = 1, 2, 75


class IdentityError(Exception):
    """A step that could not be done; what was done before it stays.

    Attributes:
        code: What went wrong.
        place: A file, an address or a topic.
        reason: Why.
        fix: What to do about it.
        wait_s: Who says no wants to be left alone for so long; 0: they did not say.
    """

    def __init__(
        self, code: Code, place: object, reason: str, fix: str, *, wait_s: float = 0
    ) -> None:
        super().__init__(f"{place}: {reason}: {fix} [{code}]")
        self.code, self.place, self.reason, self.fix = code, str(place), reason, fix
        self.wait_s = wait_s

    @property
    def exit_code(self) -> int:
        """75 where the same command again may do, 2 where the card is wrong, else 1."""
        if self.code in PASSING:
            return EXIT_AGAIN
        return EXIT_GIVEN if self.code in _GIVEN else EXIT_FAILED

    def as_data(self) -> dict[str, str]:
        """Return it as plain data, for JSON."""
        return {"code": self.code, "place": self.place, "reason": self.reason, "fix": self.fix}
