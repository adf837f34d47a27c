"""What the page remembers: a SQLite file with PIN, sessions, devices, wrong PINs, the companion.

Tokens are kept as digests only: who reads the file can sign in nowhere.
"""

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cleandesk.page.errors import PageError

VERSION = 1
_SCHEMA = (
    """CREATE TABLE sessions (
        digest TEXT PRIMARY KEY, form TEXT NOT NULL, pairing INTEGER NOT NULL,
        began REAL NOT NULL, seen REAL NOT NULL)""",
    "CREATE TABLE devices (digest TEXT PRIMARY KEY, failures INTEGER NOT NULL, seen REAL NOT NULL)",
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value)",
    f"PRAGMA user_version = {VERSION}",
)


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who gave the PIN.

    Attributes:
        digest: Of the cookie's token.
        form: What each form must carry.
        pairing: It came by the label's PIN, and may only set a new one.
        began: When.
        seen: When it last asked for something.
    """

    digest: str
    form: str
    pairing: bool
    began: datetime
    seen: datetime


def digest(token: str) -> str:
    """Return what is kept of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


class Store:
    """The file. One thread uses it.

    Args:
        path: The file; made with mode 0600.

    Raises:
        PageError: If it cannot be used.
    """

    def __init__(self, path: Path) -> None:
        try:
            path.touch(mode=0o600)
            self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            for pragma in ("journal_mode = WAL", "synchronous = FULL", "trusted_schema = OFF"):
                self._db.execute(f"PRAGMA {pragma}")
            self._prepare(path)
        except (sqlite3.Error, OSError) as error:
            raise PageError(
                f"{path}: cannot be used ({error}); make it writable for the page's user, or "
                "delete it: then the label's PIN counts again"
            ) from error

    def _prepare(self, path: Path) -> None:
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        if version == 0:
            with self.transaction():
                for statement in _SCHEMA:
                    self._db.execute(statement)
        elif version != VERSION:
            raise PageError(
                f"{path}: is of version {version}, this software knows {VERSION}: install the "
                "newer software, or delete the file: then the label's PIN counts again"
            )

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make what is done inside one step: all of it or nothing."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    @property
    def pin(self) -> str | None:
        """The hash of the worker's own PIN; None: the label's counts."""
        return self._text("pin")

    @pin.setter
    def pin(self, hashed: str | None) -> None:
        self._put("pin", hashed)

    @property
    def failures(self) -> int:
        """Wrong PINs since the last right one."""
        return self._number("failures") or 0

    @failures.setter
    def failures(self, count: int) -> None:
        self._put("failures", count)

    @property
    def resets(self) -> int | None:
        """The box's count of resets that was last acted on; None: never asked."""
        return self._number("resets")

    @resets.setter
    def resets(self, count: int) -> None:
        self._put("resets", count)

    @property
    def companion(self) -> str | None:
        """The digest of the companion's token, if one is allowed."""
        return self._text("companion")

    @companion.setter
    def companion(self, digest_of_token: str | None) -> None:
        self._put("companion", digest_of_token)

    def _number(self, key: str) -> int | None:
        value = self._get(key)
        return value if isinstance(value, int) else None

    def _text(self, key: str) -> str | None:
        value = self._get(key)
        return value if isinstance(value, str) else None

    def _get(self, key: str) -> object:
        row = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return row[0] if row else None

    def _put(self, key: str, value: str | int | None) -> None:
        self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def session(self, digest_of_token: str) -> Session | None:
        """Return a session."""
        row = self._db.execute(
            "SELECT digest, form, pairing, began, seen FROM sessions WHERE digest = ?",
            (digest_of_token,),
        ).fetchone()
        if row is None:
            return None
        name, form, pairing, began, seen = row
        return Session(
            name,
            form,
            bool(pairing),
            datetime.fromtimestamp(began, UTC),
            datetime.fromtimestamp(seen, UTC),
        )

    def put_session(self, session: Session) -> None:
        """Keep a session, or what changed of it."""
        self._db.execute(
            "INSERT OR REPLACE INTO sessions VALUES (?, ?, ?, ?, ?)",
            (
                session.digest,
                session.form,
                session.pairing,
                session.began.timestamp(),
                session.seen.timestamp(),
            ),
        )

    def drop_session(self, digest_of_token: str) -> None:
        """Forget one session."""
        self._db.execute("DELETE FROM sessions WHERE digest = ?", (digest_of_token,))

    def drop_sessions(self, *, seen_before: datetime | None = None) -> None:
        """Forget all sessions, or those that were last seen before a moment."""
        before = float("inf") if seen_before is None else seen_before.timestamp()
        self._db.execute("DELETE FROM sessions WHERE seen < ?", (before,))

    def device_failures(self, digest_of_token: str) -> int | None:
        """Return a device's wrong PINs since its last right one; None: it is not known."""
        row = self._db.execute(
            "SELECT failures FROM devices WHERE digest = ?", (digest_of_token,)
        ).fetchone()
        return None if row is None else int(row[0])

    def put_device(self, digest_of_token: str, failures: int, seen: datetime) -> None:
        """Keep a device, or what changed of it."""
        self._db.execute(
            "INSERT OR REPLACE INTO devices VALUES (?, ?, ?)",
            (digest_of_token, failures, seen.timestamp()),
        )

    def drop_devices(self, *, most: int) -> None:
        """Forget all devices but so many, those that were seen last."""
        self._db.execute(
            "DELETE FROM devices WHERE digest NOT IN "
            "(SELECT digest FROM devices ORDER BY seen DESC LIMIT ?)",
            (most,),
        )
