"""The PIN on a box's label, by which its worker first opens the worker's page."""

import secrets

from cleandesk.contract.pin_hash import easy

_DIGITS = 8


def new_pin() -> str:
    """Return eight random digits that are not easy to guess."""
    while easy(pin := "".join(secrets.choice("0123456789") for _ in range(_DIGITS))):
        pass
    return pin
