"""People and services with a certificate of their own: who there is, and what they may do."""

from collections.abc import Sequence

from sqlalchemy import select, update

from cleandesk_fleet.provision.boxes import known_site
from cleandesk_fleet.provision.change import Change
from cleandesk_fleet.provision.errors import ConflictError, UnknownNameError
from cleandesk_fleet.provision.roles import Operator, Role
from cleandesk_fleet.provision.tables import operators


def add(change: Change, operator: Operator) -> bool:
    """Add somebody; returns False if they are there, with this role and site.

    Raises:
        UnknownNameError: If there is no such site.
        ConflictError: If they are there with another one.
    """
    if operator.site is not None:
        known_site(change, operator.site)
    known = find(change, operator.name)
    if known == operator:
        return False
    if known is not None:
        raise ConflictError(
            f"{operator.name} is {known.role} of {known.site or 'every site'}: revoke that first, "
            "or take another name"
        )
    row = {"role": operator.role.value, "site": operator.site, "added_at": change.now}
    change.connection.execute(
        operators.delete().where(operators.c.name == operator.name)  # removed once
    )
    change.connection.execute(operators.insert().values(name=operator.name, **row))
    change.note("operator added", operator.name, role=operator.role.value, site=operator.site)
    return True


def find(change: Change, name: str) -> Operator | None:
    """Return somebody by name; None if there is nobody, or not any more."""
    return next((one for one in present(change) if one.name == name), None)


def remove(change: Change, name: str) -> Operator:
    """Remove somebody; a second time does nothing.

    Raises:
        UnknownNameError: If there never was anybody of this name.
    """
    row = change.connection.execute(select(operators).where(operators.c.name == name)).one_or_none()
    if row is None:
        raise UnknownNameError(f"no operator {name}: `cleandesk-provision list` shows who there is")
    if row.removed_at is None:
        change.connection.execute(
            update(operators).where(operators.c.name == name).values(removed_at=change.now)
        )
        change.note("operator removed", name)
    return Operator(row.name, Role(row.role), row.site)


def present(change: Change) -> Sequence[Operator]:
    """Return who there is, by name."""
    rows = change.connection.execute(
        select(operators).where(operators.c.removed_at.is_(None)).order_by(operators.c.name)
    )
    return [Operator(row.name, Role(row.role), row.site) for row in rows]
