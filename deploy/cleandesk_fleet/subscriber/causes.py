"""Why a message could not be logged, in so few words that they can be counted."""

from enum import StrEnum


class Cause(StrEnum):
    """What was wrong with a message.

    `topic`: none of the contract's. `channel`: none that is logged. `site`: not logged here.
    `size`: too large. `json`: not the JSON that is taken. `fields`: not the message it should be.
    `version`: a newer one's. `still`: a picture that is not what is said of it. `conflict`:
    readable, and against what is logged already, or not to be stored.
    """

    TOPIC = "topic"
    CHANNEL = "channel"
    SITE = "site"
    SIZE = "size"
    JSON = "json"
    FIELDS = "fields"
    VERSION = "version"
    STILL = "still"
    CONFLICT = "conflict"
