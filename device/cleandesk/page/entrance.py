"""Who may come in: the label's PIN once, then the worker's own, until the button resets it."""

import asyncio
import secrets
from dataclasses import dataclass
from typing import Literal

from cleandesk.clock import Clock
from cleandesk.contract import pin_hash
from cleandesk.page import pins
from cleandesk.page.attempts import Attempts
from cleandesk.page.client import BoxClient
from cleandesk.page.devices import Devices
from cleandesk.page.pins import Weakness
from cleandesk.page.sessions import Sessions
from cleandesk.page.store import Session, Store, digest
from cleandesk.worker.protocol import Note, State

Refused = Literal["wrong", "wait", "label", "differ", "paired"] | Weakness


class RefusedError(Exception):
    """A PIN that does not do.

    Attributes:
        why: A code that there is a text for.
        wait_s: How long nobody may try, seconds.
    """

    def __init__(self, why: Refused, wait_s: float = 0.0) -> None:
        super().__init__(why)
        self.why = why
        self.wait_s = wait_s


@dataclass(frozen=True, slots=True)
class Keys:
    """What cookies carry for somebody who came in.

    Attributes:
        session: The session's token.
        device: The token that the device is known by; None while pairing.
    """

    session: str
    device: str | None = None


@dataclass(frozen=True, slots=True)
class Entrance:
    """Checks PINs one after another, and tells the box what the ledger must say.

    Attributes:
        label: Hash of the label's PIN.
    """

    store: Store
    sessions: Sessions
    devices: Devices
    attempts: Attempts
    box: BoxClient
    label: str
    _turn: asyncio.Lock

    @classmethod
    def open(cls, store: Store, box: BoxClient, label: str, clock: Clock) -> "Entrance":
        """Return the entrance of this store and this box."""
        sessions, devices = Sessions(store, clock), Devices(store, clock)
        return cls(store, sessions, devices, Attempts(store, clock), box, label, asyncio.Lock())

    async def state(self) -> State:
        """Return the box's state; acts on the button's reset before anybody sees anything.

        Raises:
            BoxUnreachableError: If the box does not answer.
        """
        state = await self.box.state()
        if self.store.resets != state.pin_resets:
            async with self._turn:
                await self._follow(state.pin_resets)
        return state

    async def _follow(self, resets: int) -> None:
        known = self.store.resets
        # A lower count is a box that has lost its own: nobody pressed the button.
        if known is not None and resets > known:
            await self.box.tell(Note(kind="pin_reset"))
            with self.store.transaction():
                self.store.pin = None
                self.store.companion = None
                self.store.drop_sessions()
                self.devices.forget()
                self.store.failures = 0
                self.store.resets = resets
        elif known != resets:
            self.store.resets = resets

    @property
    def paired(self) -> bool:
        """Whether the worker has a PIN of their own."""
        return self.store.pin is not None

    async def sign_in(self, pin: str, device: str | None = None) -> Keys:
        """Begin a session by a PIN.

        Args:
            pin: What was given.
            device: The token of the cookie that devices are known by, if there is one.

        Raises:
            RefusedError: If the PIN is wrong, or too many were.
        """
        async with self._turn:
            await self._check(pin, device)
            if not self.paired:
                return Keys(self.sessions.begin(pairing=True))
            return Keys(self.sessions.begin(), self.devices.remember(device))

    async def set_pin(
        self,
        session: Session,
        new: str,
        again: str,
        *,
        present: str | None = None,
        device: str | None = None,
    ) -> Keys:
        """Set the worker's PIN; ends all sessions and begins one, and no other device is known.

        Args:
            session: Whose it is.
            new: The new PIN.
            again: The same, to be sure.
            present: The present one; not asked for while pairing.
            device: As in `sign_in`.

        Raises:
            RefusedError: If one of them does not do.
            BoxUnreachableError: If it cannot be ledgered; then nothing changes.
        """
        async with self._turn:
            if session.pairing and self.paired:
                raise RefusedError("paired")
            if new != again:
                raise RefusedError("differ")
            if weakness := pins.weakness(new):
                raise RefusedError(weakness)
            if not session.pairing:
                await self._check(present or "", device)
            if await asyncio.to_thread(pin_hash.fits, new, self.label):
                raise RefusedError("label")
            hashed = await asyncio.to_thread(pin_hash.hashed, new)
            await self.box.tell(Note(kind="paired" if session.pairing else "pin_changed"))
            with self.store.transaction():
                self.store.pin = hashed
                self.store.drop_sessions()
                self.devices.forget()
                return Keys(self.sessions.begin(), self.devices.remember())

    def sign_out_everywhere(self, device: str | None) -> None:
        """End all sessions; of the devices only this one is known from now on."""
        self.sessions.end_all()
        self.devices.forget(but=device)

    async def _check(self, pin: str, token: str | None) -> None:
        device = self.devices.find(token)
        left = self.attempts.left_s(device)
        if left > 0:
            raise RefusedError("wait", left)
        self.attempts.begin(device)
        known = self.store.pin or self.label
        if not await asyncio.to_thread(pin_hash.fits, pin[: pins.LONGEST + 1], known):
            raise RefusedError("wrong", self.attempts.left_s(device))
        self.attempts.succeeded(device)

    async def allow_companion(self) -> str:
        """Make a token for the companion, instead of one before; it is shown once and kept nowhere.

        Raises:
            BoxUnreachableError: If it cannot be ledgered; then nothing changes.
        """
        token = secrets.token_urlsafe(32)
        await self.box.tell(Note(kind="companion_allowed"))
        self.store.companion = digest(token)
        return token

    async def revoke_companion(self) -> None:
        """Make the companion's token worth nothing, at once; then tell the box.

        Raises:
            BoxUnreachableError: If it cannot be ledgered; it is revoked all the same.
        """
        self.store.companion = None
        await self.box.tell(Note(kind="companion_revoked"))

    def is_companion(self, token: str) -> bool:
        """Say whether a token is the companion's."""
        known = self.store.companion
        return known is not None and secrets.compare_digest(known, digest(token))
