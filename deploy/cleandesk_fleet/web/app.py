"""The page as an ASGI application: its addresses, and what is said when something goes wrong."""

import logging
from importlib.resources import files

from sqlalchemy.exc import DatabaseError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from cleandesk.http.forms import FormError
from cleandesk_fleet.subscriber.database import DatabaseUnusableError
from cleandesk_fleet.web.errors import GoneError, NotFoundError, TooSlowError, WrongInputError
from cleandesk_fleet.web.guard import Guard
from cleandesk_fleet.web.parts import Parts
from cleandesk_fleet.web.roles import Role
from cleandesk_fleet.web.views import admin, appeals, entry, fleet, rates, stills, violations
from cleandesk_fleet.web.visit import Endpoint, Visit, anyone, only

log = logging.getLogger(__name__)

_HEADINGS = {
    403: "That form was not for you",
    404: "There is nothing here",
    405: "That cannot be done here",
    410: "That is gone",
    413: "That is too long",
    422: "That filter cannot be",
    500: "Something went wrong here",
    503: "The log does not answer in time",
}
_TEXTS = {
    403: "It is older than your session, or came from elsewhere. Go back, load the page anew, and "
    "send it again.",
    404: "The address is wrong, or what it named is no longer in the log.",
    405: "Go back, and use the buttons and links of the page.",
    413: "A form holds a name, a password or a note, and nothing longer.",
    500: "It is in the page's own log. Try again; if it stays so, tell who runs this page.",
    503: "Narrow the filters, above all the days, or try again in a moment.",
}


def make(parts: Parts) -> ASGIApp:
    """Return the page, with what stands before it."""
    app = Starlette(
        routes=_routes(),
        exception_handlers={
            FormError: _bad_form,
            NotFoundError: _not_found,
            GoneError: _gone,
            WrongInputError: _wrong,
            TooSlowError: _slow,
            DatabaseError: _slow,
            DatabaseUnusableError: _slow,
            HTTPException: _http,
            Exception: _fault,
        },
    )
    app.state.parts = parts
    return Guard(app, parts.settings.url)


def _routes() -> list[BaseRoute]:
    one = "/violations/{site}/{box}/{violation_id}"
    return [
        _get("/", only(Role.VIEWER, fleet.show)),
        _get("/boxes/{site}/{box}", only(Role.VIEWER, fleet.show_box)),
        _get("/violations", only(Role.VIEWER, violations.show)),
        _get("/violations.csv", only(Role.VIEWER, violations.export)),
        _get(one, only(Role.VIEWER, violations.show_one)),
        _post(one, only(Role.REVIEWER, appeals.decide)),
        _get("/stills/{still_id}", only(Role.REVIEWER, stills.picture)),
        _get("/appeals", only(Role.REVIEWER, appeals.show)),
        _get("/rates", only(Role.VIEWER, rates.show)),
        _get("/accounts", only(Role.ADMIN, admin.show_accounts)),
        _post("/accounts", only(Role.ADMIN, admin.change_account)),
        _get("/audit", only(Role.ADMIN, admin.show_trail)),
        _get("/sign-in", anyone(entry.show_sign_in)),
        _post("/sign-in", anyone(entry.sign_in)),
        _post("/sign-out", anyone(entry.sign_out)),
        _get("/password", only(Role.VIEWER, entry.show_password)),
        _post("/password", only(Role.VIEWER, entry.change_password)),
        Mount("/static", StaticFiles(directory=str(files("cleandesk_fleet.web") / "static"))),
    ]


def _get(path: str, endpoint: Endpoint) -> Route:
    return Route(path, endpoint, methods=["GET"])


def _post(path: str, endpoint: Endpoint) -> Route:
    return Route(path, endpoint, methods=["POST"])


async def _bad_form(request: Request, error: Exception) -> Response:
    log.warning("form refused", extra={"reason": str(error), "path": request.url.path[:200]})
    return _sorry(request, 403)


async def _not_found(request: Request, _error: Exception) -> Response:
    return _sorry(request, 404)


async def _gone(request: Request, error: Exception) -> Response:
    since = error.since if isinstance(error, GoneError) else None
    return _sorry(request, 410, str(error), since=since)


async def _wrong(request: Request, error: Exception) -> Response:
    return _sorry(request, 422, str(error))


async def _slow(request: Request, error: Exception) -> Response:
    log.error(
        "the log does not answer in time",
        extra={"path": request.url.path[:200], "reason": str(error)[:500]},
    )
    return _sorry(request, 503)


async def _http(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    return _sorry(request, status if status in _HEADINGS else 404)


async def _fault(request: Request, error: Exception) -> Response:
    log.error("page failed", exc_info=error, extra={"path": request.url.path[:200]})
    return _sorry(request, 500)


def _sorry(request: Request, status: int, text: str | None = None, **more: object) -> Response:
    visit = getattr(request.state, "visit", None) or Visit(request)
    return visit.page(
        "error.html",
        status=status,
        heading=_HEADINGS[status],
        text=text or _TEXTS[status],
        **{"since": None} | more,
    )
