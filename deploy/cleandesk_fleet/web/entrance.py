"""Signing in by an account of the page's own."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from cleandesk_fleet.limits import Limiter
from cleandesk_fleet.subscriber.moments import Clock
from cleandesk_fleet.web import accounts, passwords, sessions
from cleandesk_fleet.web.attempts import Attempts
from cleandesk_fleet.web.audit import Action, Actor, Trail
from cleandesk_fleet.web.errors import AccountError
from cleandesk_fleet.web.store import Store

#: One network may try so often, whatever accounts it names.
_TRIES_A_MINUTE, _BURST = 12, 20
#: A password is looked at within that, or somebody keeps us busy.
_TURN_S = 5.0
#: So many wait for their turn at most: each holds a thread that other pages need.
_MOST_WAITING = 6
_LONGEST_NAME = 64


class RefusedError(Exception):
    """Somebody may not come in.

    Attributes:
        wait_s: How long they may not try again, seconds.
    """

    def __init__(self, text: str, wait_s: float = 0.0) -> None:
        super().__init__(text)
        self.wait_s = wait_s


@dataclass(frozen=True, slots=True)
class Keys:
    """What cookies carry for somebody who came in: their session, and their device."""

    session: str
    device: str


class Entrance:
    """Checks passwords: few at a time, and those from devices that are known before the others.

    Args:
        store: The log.
        trail: Where it is written down.
        clock: The time.
    """

    def __init__(self, store: Store, trail: Trail, clock: Clock) -> None:
        self._store, self._trail, self._clock = store, trail, clock
        mono: Callable[[], float] = lambda: clock().mono  # noqa: E731 - a clock of one kind
        self._attempts = Attempts(mono)
        self._limiter = Limiter(per_s=_TRIES_A_MINUTE / 60, burst=_BURST, clock=mono)
        self._counting = threading.Lock()
        # Hashing takes 64 MiB and a core for a while: strangers share one place, the known another.
        self._turns = {False: threading.Lock(), True: threading.Lock()}
        self._waiting = {known: threading.Semaphore(_MOST_WAITING) for known in self._turns}

    def sign_in(self, name: str, password: str, address: str, device: str | None) -> Keys:
        """Begin a session.

        Args:
            name: The account, as it was typed.
            password: What was typed.
            address: Where from.
            device: The token of the cookie that devices are known by, if there is one.

        Raises:
            RefusedError: If name or password is wrong, or too many were.
        """
        name = name.strip().lower()[: _LONGEST_NAME + 1]
        with self._store.reading() as connection:
            known_device = sessions.device_of(connection, device, name)
            kept = accounts.kept_password(connection, name)
            exists = accounts.find(connection, name) is not None
        self._admit(name, address, known_device)
        with self._turn(known=known_device is not None):
            fits = passwords.fits(password, kept)
        if not fits:
            if exists:  # made-up names would fill the trail
                self._tell_wrong(name, address)
            raise RefusedError("That name and password do not fit.")
        with self._counting:
            self._attempts.succeeded(name, address, known_device)
        return self._let_in(name, password, address, device, outdated=_outdated(kept))

    def change_password(self, name: str, old: str, new: str, address: str) -> Keys:
        """Change one's own password; ends all sessions of the account and begins one.

        Raises:
            RefusedError: If the present one is wrong, or too many were.
            AccountError: If the new one does not do.
        """
        with self._store.reading() as connection:
            kept = accounts.kept_password(connection, name)
        # A session is as good as a known device: whoever has none cannot make its owner wait.
        own = f"session of {name}"
        self._admit(name, address, own)
        with self._turn(known=True):
            fits = passwords.fits(old, kept)
        if not fits:
            self._tell_wrong(name, address)
            raise RefusedError("That is not your present password.")
        if old == new:
            raise AccountError("That is the password that you have.")
        with self._counting:
            self._attempts.succeeded(name, address, own)
        now = self._clock().utc
        with self._store.writing() as connection:
            accounts.set_password(connection, now, name, new)
            actor = Actor(name, "local", address)
            self._trail.enter(connection, now, actor, Action.PASSWORD_CHANGED)
            return Keys(
                sessions.begin(connection, now, name),
                sessions.remember_device(connection, now, name),
            )

    def _admit(self, name: str, address: str, device: str | None) -> None:
        with self._counting:
            left_s = self._attempts.left_s(name, address, device)
            if left_s > 0:
                raise RefusedError("Too many wrong passwords.", left_s)
            if device is None and not self._limiter.take(address):
                raise RefusedError("Too many tries.", self._limiter.wait_s(address))
            self._attempts.begin(name, address, device)

    @contextmanager
    def _turn(self, *, known: bool) -> Iterator[None]:
        turn, busy = self._turns[known], "Many people try to sign in just now."
        if not self._waiting[known].acquire(blocking=False):
            raise RefusedError(busy, _TURN_S)
        try:
            if not turn.acquire(timeout=_TURN_S):
                raise RefusedError(busy, _TURN_S)
            try:
                yield
            finally:
                turn.release()
        finally:
            self._waiting[known].release()

    def _tell_wrong(self, name: str, address: str) -> None:
        now = self._clock().utc
        with self._store.writing() as connection:
            actor = Actor(name, "local", address)
            self._trail.enter(connection, now, actor, Action.SIGN_IN_FAILED)

    def _let_in(
        self, name: str, password: str, address: str, device: str | None, *, outdated: bool
    ) -> Keys:
        now = self._clock().utc
        with self._store.writing() as connection:
            if outdated:
                accounts.rehash(connection, name, password)
            accounts.seen(connection, now, name)
            actor = Actor(name, "local", address)
            self._trail.enter(connection, now, actor, Action.SIGNED_IN)
            return Keys(
                sessions.begin(connection, now, name),
                sessions.remember_device(connection, now, name, device),
            )


def _outdated(kept: str | None) -> bool:
    return kept is not None and passwords.outdated(kept)
