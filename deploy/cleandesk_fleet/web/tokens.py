"""Secrets that cookies carry: long, by chance, and kept only as digests."""

import hashlib
import secrets


def fresh() -> str:
    """Return a new one."""
    return secrets.token_urlsafe(32)


def digest(token: str) -> str:
    """Return what is kept of a token."""
    return hashlib.sha256(token.encode()).hexdigest()
