"""Accounts of the page's own: made on the command line, looked after by administrators."""

import re
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from cleandesk_fleet.web import passwords
from cleandesk_fleet.web.errors import AccountError
from cleandesk_fleet.web.roles import Role
from cleandesk_fleet.web.tables import accounts, devices, sessions

_NAME = re.compile(r"[a-z0-9]([a-z0-9._@-]{0,62}[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class Account:
    """One account, without its password."""

    name: str
    role: Role
    disabled: bool
    created_at: datetime
    password_at: datetime
    seen_at: datetime | None


def add(connection: Connection, now: datetime, name: str, role: Role, password: str) -> None:
    """Make an account.

    Raises:
        AccountError: If the name or the password does not do, or the name is taken.
    """
    if not _NAME.fullmatch(name):
        raise AccountError(
            f"{name!r} is no name for an account: use 1 to 64 of a-z, 0-9 and . _ @ -, with a "
            "letter or a number at both ends"
        )
    if find(connection, name) is not None:
        raise AccountError(f"there is an account {name} already: choose another name")
    _must_do(password, name)
    connection.execute(
        accounts.insert().values(
            name=name,
            role=role.value,
            password=passwords.hashed(password),
            disabled=False,
            created_at=now,
            password_at=now,
        )
    )


def find(connection: Connection, name: str) -> Account | None:
    """Return an account, if there is one of this name."""
    columns = [column for column in accounts.c if column.name != "password"]
    row = connection.execute(select(*columns).where(accounts.c.name == name)).first()
    return None if row is None else _account(row._asdict())


def every(connection: Connection) -> list[Account]:
    """Return all accounts, by name."""
    columns = [column for column in accounts.c if column.name != "password"]
    rows = connection.execute(select(*columns).order_by(accounts.c.name))
    return [_account(row._asdict()) for row in rows]


def kept_password(connection: Connection, name: str) -> str | None:
    """Return what is kept of the password of an account that may sign in."""
    statement = select(accounts.c.password).where(
        accounts.c.name == name, accounts.c.disabled.is_(False)
    )
    return connection.scalar(statement)


def set_password(connection: Connection, now: datetime, name: str, password: str) -> None:
    """Change a password; ends all sessions of the account, and forgets its devices.

    Raises:
        AccountError: If there is no such account, or the password does not do.
    """
    _must_be(connection, name)
    _must_do(password, name)
    _update(connection, name, password=passwords.hashed(password), password_at=now)
    _put_out(connection, name)


def rehash(connection: Connection, name: str, password: str) -> None:
    """Keep the same password by today's settings."""
    _update(connection, name, password=passwords.hashed(password))


def set_role(connection: Connection, name: str, role: Role) -> None:
    """Give another role; it counts from the next request.

    Raises:
        AccountError: If there is no such account, or nobody would be left to look after accounts.
    """
    before = _must_be(connection, name)
    _update(connection, name, role=role.value)
    if before.role is Role.ADMIN:
        _must_have_admin(connection)


def set_disabled(connection: Connection, name: str, *, disabled: bool) -> None:
    """Keep an account from signing in, and end its sessions; or let it again.

    Raises:
        AccountError: As `set_role`.
    """
    _must_be(connection, name)
    _update(connection, name, disabled=disabled)
    if disabled:
        _put_out(connection, name)
        _must_have_admin(connection)


def remove(connection: Connection, name: str) -> None:
    """Delete an account; what it did stays in the trail.

    Raises:
        AccountError: If there is no such account.
    """
    _must_be(connection, name)
    _put_out(connection, name)
    connection.execute(accounts.delete().where(accounts.c.name == name))


def seen(connection: Connection, now: datetime, name: str) -> None:
    """Take note that somebody signed in."""
    _update(connection, name, seen_at=now)


def _must_be(connection: Connection, name: str) -> Account:
    found = find(connection, name)
    if found is None:
        raise AccountError(f"there is no account {name!r}: see the list of accounts")
    return found


def _must_do(password: str, name: str) -> None:
    reason = passwords.weakness(password, name)
    if reason is not None:
        raise AccountError(reason)


def _must_have_admin(connection: Connection) -> None:
    """Refuse what would leave nobody who may look after accounts; the caller rolls back."""
    left = connection.scalar(
        select(func.count()).where(
            accounts.c.role == Role.ADMIN.value, accounts.c.disabled.is_(False)
        )
    )
    if not left:
        raise AccountError("This is the last administrator: make another one first.")


def _put_out(connection: Connection, name: str) -> None:
    for table in (sessions, devices):
        connection.execute(table.delete().where(table.c.account == name))


def _update(connection: Connection, name: str, **values: object) -> None:
    connection.execute(accounts.update().where(accounts.c.name == name).values(values))


def _account(row: dict[str, object]) -> Account:
    return Account(**row | {"role": Role(str(row["role"]))})  # type: ignore[arg-type]  # as selected
