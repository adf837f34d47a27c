"""For administrators: accounts, and the trail of who did what."""

from sqlalchemy import Connection
from starlette.responses import Response

from cleandesk_fleet.web import accounts
from cleandesk_fleet.web.audit import Action, Subject
from cleandesk_fleet.web.errors import AccountError, NotFoundError, WrongInputError
from cleandesk_fleet.web.queries import trail
from cleandesk_fleet.web.roles import Role
from cleandesk_fleet.web.visit import Visit


def show_accounts(visit: Visit) -> Response:
    """Show the accounts; where a proxy lets people in, whom it gives which role."""
    return _accounts(visit)


def change_account(visit: Visit) -> Response:
    """Give another role, disable an account, or let it in again."""
    if visit.parts.proxy is not None:
        raise NotFoundError("people are signed in by the proxy")
    name, do = visit.form.get("account", ""), visit.form.get("do", "")
    if name == visit.actor.account:
        return _accounts(visit, "Ask another administrator to change your own account.", 422)
    try:
        with visit.parts.store.writing() as connection:
            action, detail = _change(connection, name, do, visit.form.get("role", ""))
            now, actor = visit.parts.clock().utc, visit.actor
            visit.parts.trail.enter(
                connection, now, actor, action, subject=Subject(name), detail=detail
            )
    except AccountError as error:
        return _accounts(visit, str(error), 422)
    return visit.go("/accounts", said=do)


def show_trail(visit: Visit) -> Response:
    """Show who did what."""
    given = visit.request.query_params
    said = given.get("action", "")
    if said not in {*Action, ""}:
        raise WrongInputError("Choose an action of the list.")
    account = given.get("account", "").strip().replace("\0", "") or None
    after = given.get("after")
    with visit.parts.store.reading() as connection:
        found = trail.page(connection, account, Action(said) if said else None, after)
    return visit.page(
        "audit.html",
        found=found,
        account=account,
        action=said,
        actions=list(Action),
        keep_days=visit.parts.settings.audit_days,
        first=after is None,
    )


def _change(connection: Connection, name: str, do: str, role: str) -> tuple[Action, str | None]:
    match do:
        case "role" if role in set(Role):
            accounts.set_role(connection, name, Role(role))
            return Action.ROLE_CHANGED, role
        case "disabled":
            accounts.set_disabled(connection, name, disabled=True)
            return Action.ACCOUNT_DISABLED, None
        case "enabled":
            accounts.set_disabled(connection, name, disabled=False)
            return Action.ACCOUNT_ENABLED, None
    raise AccountError("Choose what to do with the account.")


def _accounts(visit: Visit, problem: str | None = None, status: int = 200) -> Response:
    with visit.parts.store.reading() as connection:
        found = accounts.every(connection)
    return visit.page(
        "accounts.html",
        status=status,
        accounts=found,
        roles=list(Role),
        problem_text=problem,
        proxy=visit.parts.settings.proxy,
    )
