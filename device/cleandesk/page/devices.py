"""Devices that the right PIN was given on: strangers' wrong PINs do not make these wait.

A device is known by a cookie that opens nothing: the PIN is asked for all the same.
"""

import secrets

from cleandesk.clock import Clock
from cleandesk.page.store import Store, digest

#: Each has attempts of its own, so few are known: the latest.
MOST = 8
_TOKEN_BYTES = 32


class Devices:
    """Remembers devices, for ever until the PIN changes; only digests of their tokens are kept."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    def find(self, token: str | None) -> str | None:
        """Return the name of a cookie's device, if it is known."""
        name = digest(token) if token else None
        known = name is not None and self._store.device_failures(name) is not None
        return name if known else None

    def remember(self, token: str | None = None) -> str:
        """Know a device from now on; returns its cookie's token, the one that it has if any."""
        if token is None or self.find(token) is None:
            token = secrets.token_urlsafe(_TOKEN_BYTES)
        self._store.put_device(digest(token), 0, self._clock.now().utc)
        self._store.drop_devices(most=MOST)
        return token

    def forget(self, *, but: str | None = None) -> None:
        """Know none any more, but perhaps the one with this token."""
        kept = self.find(but)
        self._store.drop_devices(most=0)
        if kept is not None:
            self._store.put_device(kept, 0, self._clock.now().utc)
