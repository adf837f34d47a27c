"""Signing in and out, and one's own password."""

from starlette.responses import Response

from cleandesk_fleet.web import sessions, times
from cleandesk_fleet.web.audit import Action
from cleandesk_fleet.web.entrance import RefusedError
from cleandesk_fleet.web.errors import AccountError, NotFoundError
from cleandesk_fleet.web.passwords import LONGEST, SHORTEST
from cleandesk_fleet.web.visit import Visit, inside


def show_sign_in(visit: Visit) -> Response:
    """Ask for name and password."""
    _local_only(visit)
    to = inside(visit.request.query_params.get("to", "/"))
    return visit.go(to) if visit.reader else visit.page("sign_in.html", to=to, problem_text=None)


def sign_in(visit: Visit) -> Response:
    """Look at them."""
    _local_only(visit)
    to = inside(visit.form.get("to", "/"))
    name, password = visit.form.get("name", ""), visit.form.get("password", "")
    try:
        keys = visit.parts.entrance.sign_in(name, password, visit.address, visit.device)
    except RefusedError as refused:
        status = 429 if refused.wait_s else 403
        return visit.page("sign_in.html", status=status, to=to, problem_text=_words(refused))
    return visit.signed_in(to, keys)


def sign_out(visit: Visit) -> Response:
    """End this session."""
    _local_only(visit)
    if visit.session is not None:
        now, actor = visit.parts.clock().utc, visit.actor
        with visit.parts.store.writing() as connection:
            sessions.end(connection, visit.session)
            visit.parts.trail.enter(connection, now, actor, Action.SIGNED_OUT)
    return visit.signed_out()


def show_password(visit: Visit) -> Response:
    """Ask for the present password, and a new one."""
    _local_only(visit)
    return _password(visit)


def change_password(visit: Visit) -> Response:
    """Change it."""
    _local_only(visit)
    new = visit.form.get("new", "")
    if new != visit.form.get("again", ""):
        return _password(visit, "The new passwords differ.", 422)
    try:
        keys = visit.parts.entrance.change_password(
            visit.actor.account, visit.form.get("old", ""), new, visit.address
        )
    except RefusedError as refused:
        return _password(visit, _words(refused), 429 if refused.wait_s else 403)
    except AccountError as error:
        return _password(visit, str(error), 422)
    return visit.signed_in("/password", keys, said="password")


def _password(visit: Visit, problem: str | None = None, status: int = 200) -> Response:
    return visit.page(
        "password.html", status=status, problem_text=problem, shortest=SHORTEST, longest=LONGEST
    )


def _words(refused: RefusedError) -> str:
    if refused.wait_s:
        return f"{refused} Try again in {times.span(max(1.0, refused.wait_s))}."
    return str(refused)


def _local_only(visit: Visit) -> None:
    if visit.parts.proxy is not None:
        raise NotFoundError("people are signed in by the proxy")
