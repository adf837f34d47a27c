"""Sessions: who gave the PIN, for how long, and what ends it."""

import secrets
from dataclasses import replace
from datetime import timedelta

from cleandesk.clock import Clock
from cleandesk.page.store import Session, Store, digest

#: Not used for so long: it ends.
IDLE = timedelta(days=7)
#: It ends then in any case.
LONGEST = timedelta(days=30)
#: One that came by the label's PIN must set a new PIN within that.
PAIRING = timedelta(minutes=15)
#: Use is written down no more often, to spare the card.
_NOTED_EVERY = timedelta(minutes=5)
_TOKEN_BYTES = 32


class Sessions:
    """Begins, finds and ends sessions; they outlive a restart."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def begin(self, *, pairing: bool = False) -> str:
        """Begin a session; returns the token for the cookie, which is kept nowhere."""
        now = self._clock.now().utc
        self._store.drop_sessions(seen_before=now - IDLE)
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        form = secrets.token_urlsafe(_TOKEN_BYTES)
        self._store.put_session(Session(digest(token), form, pairing, now, now))
        return token

    def find(self, token: str | None) -> Session | None:
        """Return the session of a cookie, if it has not ended."""
        session = self._store.session(digest(token)) if token else None
        if session is None:
            return None
        now = self._clock.now().utc
        longest = PAIRING if session.pairing else LONGEST
        if now - session.began > longest or now - session.seen > IDLE:
            self._store.drop_session(session.digest)
            return None
        if now - session.seen > _NOTED_EVERY:
            session = replace(session, seen=now)
            self._store.put_session(session)
        return session

    def alive(self, session: Session) -> bool:
        """Say whether a session that was found before is still there."""
        return self._store.session(session.digest) is not None

    def end(self, session: Session) -> None:
        """End one."""
        self._store.drop_session(session.digest)

    def end_all(self) -> None:
        """End all of them."""
        self._store.drop_sessions()
