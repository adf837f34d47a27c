"""What the command line does with accounts, each with its line in the trail."""

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import Connection

from cleandesk_fleet.subscriber.moments import system_clock
from cleandesk_fleet.web import accounts
from cleandesk_fleet.web.accounts import Account
from cleandesk_fleet.web.audit import Action, Subject, Trail, by_command_line
from cleandesk_fleet.web.roles import Role
from cleandesk_fleet.web.settings import WebSettings
from cleandesk_fleet.web.store import Store


def add(settings: WebSettings, name: str, role: Role, password: str) -> None:
    """Make an account.

    Raises:
        AccountError: If the name or the password does not do, or the name is taken.
    """
    _do(
        settings,
        lambda connection, now: accounts.add(connection, now, name, role, password),
        Action.ACCOUNT_ADDED,
        name,
        role.value,
    )


def set_password(settings: WebSettings, name: str, password: str) -> None:
    """Give an account another password; ends its sessions.

    Raises:
        AccountError: If there is no such account, or the password does not do.
    """
    _do(
        settings,
        lambda connection, now: accounts.set_password(connection, now, name, password),
        Action.PASSWORD_CHANGED,
        name,
    )


def set_role(settings: WebSettings, name: str, role: Role) -> None:
    """Give an account another role.

    Raises:
        AccountError: If there is no such account, or it is the last administrator.
    """
    _do(
        settings,
        lambda connection, _: accounts.set_role(connection, name, role),
        Action.ROLE_CHANGED,
        name,
        role.value,
    )


def remove(settings: WebSettings, name: str) -> None:
    """Delete an account and its sessions.

    Raises:
        AccountError: If there is no such account.
    """
    _do(
        settings,
        lambda connection, _: accounts.remove(connection, name),
        Action.ACCOUNT_REMOVED,
        name,
    )


def every(settings: WebSettings) -> list[Account]:
    """Return all accounts."""
    store = Store(settings.store.place)
    try:
        with store.reading() as connection:
            return accounts.every(connection)
    finally:
        store.close()


def _do(
    settings: WebSettings,
    what: Callable[[Connection, datetime], None],
    action: Action,
    name: str,
    detail: str | None = None,
) -> None:
    store, now = Store(settings.store.place), system_clock().utc
    trail = Trail(timedelta(days=settings.audit_days))
    actor = by_command_line()
    try:
        with store.writing() as connection:
            what(connection, now)
            trail.enter(connection, now, actor, action, subject=Subject(name), detail=detail)
    finally:
        store.close()
