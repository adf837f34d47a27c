"""The PIN on a box's label, by which its worker first opens the worker's page."""

import base64
import hashlib
import itertools
import secrets

_DIGITS = 8
_FEWEST = 4
# As the worker's page computes it.
_N, _R, _P = 2**14, 8, 1
_SALT, _KEY = 16, 32


def new_pin() -> str:
    """Return eight random digits that are no pattern."""
    while _easy(pin := "".join(secrets.choice("0123456789") for _ in range(_DIGITS))):
        pass
    return pin


def _easy(pin: str) -> bool:
    steps = {(int(b) - int(a)) % 10 for a, b in itertools.pairwise(pin)}
    return len(set(pin)) < _FEWEST or len(steps) == 1 or pin[:4] == pin[4:]


def hashed(pin: str) -> str:
    """Return a PIN's hash as the worker's page reads it: `scrypt$n$r$p$salt$key`."""
    salt = secrets.token_bytes(_SALT)
    key = hashlib.scrypt(pin.encode(), salt=salt, n=_N, r=_R, p=_P, maxmem=2**26, dklen=_KEY)
    return "$".join(map(str, ("scrypt", _N, _R, _P, _text(salt), _text(key))))


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
