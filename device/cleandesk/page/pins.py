"""PINs: how they are kept (scrypt), and which are too easy to guess."""

import base64
import hashlib
import hmac
import itertools
import secrets
from pathlib import Path
from typing import Literal

from cleandesk.page.errors import PageError

SHORTEST, LONGEST = 6, 12
_FEWEST_DIGITS = 3
# About 50 ms and 16 MB on a desktop, some 0.3 s on a Raspberry Pi.
_N, _R, _P = 2**14, 8, 1
Weakness = Literal["length", "digits", "easy"]
_SALT, _KEY = 16, 32
_KIND = "scrypt"


def weakness(pin: str) -> Weakness | None:
    """Say what is wrong with a new PIN: `length`, `digits`, `easy`, or None if it is good."""
    if not (pin.isascii() and pin.isdigit()):
        return "digits"
    if not SHORTEST <= len(pin) <= LONGEST:
        return "length"
    return "easy" if _easy(pin) else None


def _easy(pin: str) -> bool:
    steps = {(int(b) - int(a)) % 10 for a, b in itertools.pairwise(pin)}
    repeated = any(pin == (pin[:size] * len(pin))[: len(pin)] for size in range(1, 4))
    return len(steps) == 1 or repeated or len(set(pin)) < _FEWEST_DIGITS


def hashed(pin: str) -> str:
    """Return a PIN's hash with all that is needed to compare: `scrypt$n$r$p$salt$key`."""
    salt = secrets.token_bytes(_SALT)
    parts = (_KIND, _N, _R, _P, _text(salt), _text(_derived(pin, salt, _N, _R, _P)))
    return "$".join(map(str, parts))


def fits(pin: str, known: str) -> bool:
    """Say whether a PIN is the one of this hash; takes the same time either way.

    Raises:
        ValueError: If `known` is no such hash.
    """
    kind, n, r, p, salt, key = known.split("$")
    if kind != _KIND:
        raise ValueError(f"{kind[:20]!r} is not {_KIND}")
    derived = _derived(pin, base64.b64decode(salt), int(n), int(r), int(p))
    return hmac.compare_digest(derived, base64.b64decode(key))


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


def _derived(pin: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    return hashlib.scrypt(pin.encode(), salt=salt, n=n, r=r, p=p, maxmem=2**26, dklen=_KEY)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
