"""The languages that workers read."""

from enum import StrEnum


class Language(StrEnum):
    """Those that there is a file of texts in."""

    EN = "en"
    ES = "es"
