"""How a PIN is kept: provisioning writes the hash of the label's, the worker's page reads it."""

import base64
import hashlib
import hmac
import itertools
import secrets

_FEWEST_DIGITS = 3
# About 50 ms and 16 MB on a desktop, some 0.3 s on a Raspberry Pi.
_N, _R, _P = 2**14, 8, 1
_SALT, _KEY = 16, 32
_KIND = "scrypt"


def easy(pin: str) -> bool:
    """Say whether digits are easy to guess: few different ones, in steps, or repeated.

    >>> easy("123456"), easy("27272727"), easy("12341234"), easy("291847")
    (True, True, True, False)
    """
    steps = {(int(b) - int(a)) % 10 for a, b in itertools.pairwise(pin)}
    half = len(pin) // 2
    repeated = any(pin == (pin[:size] * len(pin))[: len(pin)] for size in range(1, half + 1))
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


def _derived(pin: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    return hashlib.scrypt(pin.encode(), salt=salt, n=n, r=r, p=p, maxmem=2**26, dklen=_KEY)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
