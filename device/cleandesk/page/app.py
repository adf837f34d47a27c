"""The page as an ASGI application: its addresses, and what is said when something goes wrong."""

import logging
from importlib.resources import files

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from cleandesk.http.forms import FormError
from cleandesk.page.errors import BoxFailedError, BoxUnreachableError
from cleandesk.page.guard import Guard
from cleandesk.page.parts import Parts
from cleandesk.page.views import aim, entry, idle, live, now, privacy, sent, settings, violations
from cleandesk.page.visit import Endpoint, Visit, anyone, worker

_WORDS = {404: "not_found", 413: "too_long"}

log = logging.getLogger(__name__)


def make(parts: Parts) -> ASGIApp:
    """Return the page, with what stands before it."""
    app = Starlette(
        routes=_routes(),
        exception_handlers={
            BoxUnreachableError: _unreachable,
            BoxFailedError: _failed,
            FormError: _bad_form,
            HTTPException: _http,
            Exception: _fault,
        },
    )
    app.state.parts = parts
    names = {parts.settings.name, "localhost", *parts.settings.page.names}
    return Guard(app, names, parts.clock)


def _routes() -> list[BaseRoute]:
    return [
        _get("/", worker(now.show)),
        _post("/break", worker(now.start_break)),
        _post("/break/end", worker(now.end_break)),
        _get("/sign-in", anyone(entry.show_sign_in)),
        _post("/sign-in", anyone(entry.sign_in)),
        _get("/pair", anyone(entry.show_pair)),
        _post("/pair", anyone(entry.pair)),
        _post("/sign-out", anyone(entry.sign_out)),
        _post("/language", anyone(entry.choose_language)),
        _get("/certificate", anyone(entry.show_certificate)),
        _get("/live", worker(live.watch)),
        _get("/violations", worker(violations.show)),
        _post("/violations", worker(violations.send)),
        _get("/sent", worker(sent.show)),
        _get("/sent/{number}/picture.jpg", worker(sent.picture)),
        _get("/privacy", worker(privacy.show)),
        _get("/settings", worker(settings.show)),
        _post("/settings/pin", worker(settings.change_pin)),
        _post("/settings/sign-out", anyone(settings.sign_out_everywhere)),
        _post("/settings/companion", worker(settings.allow_companion)),
        _post("/settings/companion/revoke", worker(settings.revoke_companion)),
        _get("/aim", worker(aim.show)),
        _post("/aim/start", worker(aim.start)),
        _post("/aim/stop", worker(aim.stop)),
        _get("/aim/picture.jpg", worker(aim.picture)),
        _post("/api/idle", idle.take),
        Mount("/static", StaticFiles(directory=str(files("cleandesk.page") / "static"))),
    ]


def _get(path: str, endpoint: Endpoint) -> Route:
    return Route(path, endpoint, methods=["GET"])


def _post(path: str, endpoint: Endpoint) -> Route:
    return Route(path, endpoint, methods=["POST"])


async def _unreachable(request: Request, error: Exception) -> Response:
    log.warning("box unreachable", extra={"error": str(error)})
    return Visit(request).page("unreachable.html", status=503)


async def _failed(request: Request, error: Exception) -> Response:
    if not isinstance(error, BoxFailedError):
        raise error
    log.warning("box refused", extra={"reason": error.failed.reason, "detail": error.failed.detail})
    return _sorry(request, error.failed.reason, 409)


async def _bad_form(request: Request, error: Exception) -> Response:
    log.warning("form refused", extra={"reason": str(error), "path": request.url.path[:200]})
    return _sorry(request, "form", 403)


async def _http(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    return _sorry(request, _WORDS.get(status, "method"), status)


async def _fault(request: Request, error: Exception) -> Response:
    log.error("page failed", exc_info=error, extra={"path": request.url.path[:200]})
    return _sorry(request, "failed", 500)


def _sorry(request: Request, what: str, status: int) -> Response:
    return Visit(request).page("error.html", status=status, what=what)
