"""Passwords: how they are kept, and which do."""

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

#: NIST SP 800-63B: length counts, and no rules about kinds of characters.
SHORTEST, LONGEST = 12, 128
_FEWEST_DIFFERENT = 5
#: argon2id with RFC 9106's second recommended choice: three passes over 64 MiB.
_hasher = PasswordHasher()
#: What is compared where there is no such account, so that it takes as long.
_NOBODY = _hasher.hash("nobody has this password")


def weakness(password: str, account: str) -> str | None:
    """Say for people what is wrong with a new password; None if it does."""
    if len(password) < SHORTEST:
        return f"Too short: use {SHORTEST} characters or more, such as four words."
    if len(password) > LONGEST:
        return f"Too long: use {LONGEST} characters at most."
    if len(set(password)) < _FEWEST_DIFFERENT:
        return "Too easy to guess: use more different characters."
    if account.lower() in password.lower():
        return "Too easy to guess: leave the account's name out of it."
    return None


def hashed(password: str) -> str:
    """Return what is kept of a password."""
    return _hasher.hash(password)


def fits(password: str, known: str | None) -> bool:
    """Say whether a password is the one; takes as long where none is known."""
    try:
        _hasher.verify(known or _NOBODY, password[: LONGEST + 1])
    except VerificationError:
        return False
    return known is not None


def outdated(known: str) -> bool:
    """Say whether a hash was made with other settings than today's."""
    return _hasher.check_needs_rehash(known)
