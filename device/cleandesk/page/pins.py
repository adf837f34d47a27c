"""PINs of the page: which may be set, and where the label's lies."""

from pathlib import Path
from typing import Literal

from cleandesk.contract.pin_hash import easy, fits
from cleandesk.page.errors import PageError

SHORTEST, LONGEST = 6, 12
Weakness = Literal["length", "digits", "easy"]


def weakness(pin: str) -> Weakness | None:
    """Say what is wrong with a new PIN: `length`, `digits`, `easy`, or None if it is good."""
    if not (pin.isascii() and pin.isdigit()):
        return "digits"
    if not SHORTEST <= len(pin) <= LONGEST:
        return "length"
    return "easy" if easy(pin) else None


def read_label(path: Path) -> str:
    """Return the hash of the label's PIN, as provisioning left it.

    Raises:
        PageError: If there is none, or the file holds something else, such as the PIN itself.
    """
    fix = f"write it with `cleandesk-page hash-pin > {path}`"
    try:
        known = path.read_text(encoding="ascii").strip()
        fits("", known)
    except OSError as error:
        raise PageError(f"{path}: the label's PIN: {error.strerror}; {fix}") from error
    except ValueError as error:
        raise PageError(f"{path}: is no hash of the label's PIN; {fix}") from error
    return known
