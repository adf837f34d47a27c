"""One request of one reader: who they are, their language, and how they are answered."""

import secrets
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from cleandesk.http.forms import fields
from cleandesk.page import times
from cleandesk.page.entrance import Keys
from cleandesk.page.parts import Parts
from cleandesk.page.store import Session
from cleandesk.worker.protocol import State

#: Cookies with this prefix are taken over HTTPS only, and from this very host.
SESSION_COOKIE = "__Host-cleandesk"
DEVICE_COOKIE = "__Host-cleandesk-device"
FORM_COOKIE = "__Host-cleandesk-form"
LANGUAGE_COOKIE = "__Host-cleandesk-language"
_LONG_S = 365 * 86_400

#: What may be said after something was done: the keys of texts that an address may name.
SAID = {
    "break_started": "page.break.started",
    "break_ended": "page.break.ended",
    "objected": "page.violations.sent",
    "paired": "page.pair.done",
    "pin_changed": "page.settings.changed",
    "companion_revoked": "page.settings.revoked",
    "aiming_ended": "page.aim.ended",
}


class Visit:
    """One request.

    Attributes:
        session: Of the reader, if they gave the PIN.
        form: What they sent, if it is a POST.
        language: Which one they read.
    """

    def __init__(self, request: Request) -> None:
        self.request = request
        self.parts: Parts = request.app.state.parts
        self.session: Session | None = self.parts.entrance.sessions.find(
            request.cookies.get(SESSION_COOKIE)
        )
        self.form: dict[str, str] = {}
        self.language = self.parts.texts.choose(
            request.cookies.get(LANGUAGE_COOKIE), request.headers.get("accept-language", "")
        )
        self._state: State | None = None
        self._form_token = request.cookies.get(FORM_COOKIE)

    @property
    def state(self) -> State:
        """What the box does, asked for this request."""
        if self._state is None:
            raise RuntimeError("this view did not ask for the box's state")
        return self._state

    async def ask_state(self) -> None:
        """Ask the box; its button may have ended the session.

        Raises:
            BoxUnreachableError: If it does not answer.
        """
        self._state = await self.parts.entrance.state()
        if self.session is not None and not self.parts.entrance.sessions.alive(self.session):
            self.session = None

    @property
    def form_token(self) -> str | None:
        """What each form to this reader carries."""
        return self.session.form if self.session else self._form_token

    async def read_form(self) -> None:
        """Read what was sent.

        Raises:
            FormError: If it was not made for this reader.
        """
        self.form = await fields(self.request, self.form_token)

    def say(self, key: str, /, **values: object) -> str:
        """Return one of the page's texts, by its name below `page.`."""
        return self.parts.texts.say(self.language, f"page.{key}", **values)

    def name(self, kind: str, word: str) -> str:
        """Return what people call a word of the contract, e.g. a class; or the word itself."""
        plain = word.replace("_", " ")
        return self.parts.texts.known(self.language, f"page.{kind}.{word}", plain)

    def stated(self, key: str, values: dict[str, str]) -> str:
        """Return a line of the box's statement; what has no text yet is shown all the same."""
        try:
            return self.parts.texts.say(self.language, key, **values)
        except KeyError:
            return f"{key} {values}" if values else key

    def when(self, moment: datetime) -> Markup:
        """Return a moment as HTML."""
        zone = times.zone_of(self.parts.settings.page.timezone)
        return times.shown(moment, self.parts.clock.now().utc, zone)

    def waiting(self, seconds: float) -> str:
        """Return a wait in words."""
        unit, count = times.span(seconds)
        return self.say(f"time.{unit}", count=count)

    def markup(self, template: str, **context: Any) -> str:
        """Return a filled template."""
        return self.parts.templates.get_template(template).render(
            visit=self,
            t=self.say,
            name=self.name,
            when=self.when,
            lang=self.language,
            now=self.parts.clock.now().utc,
            said=SAID.get(self.request.query_params.get("said", "")),
            **context,
        )

    def page(self, template: str, *, status: int = 200, **context: Any) -> Response:
        """Return a whole page."""
        fresh = None
        if self.form_token is None:
            fresh = self._form_token = secrets.token_urlsafe(32)
        response = HTMLResponse(self.markup(template, **context), status)
        if fresh:
            _put(response, FORM_COOKIE, fresh)
        return response

    def go(self, path: str, *, said: str | None = None) -> Response:
        """Send the reader to another page, which says what was done."""
        query = f"?{urlencode({'said': said})}" if said else ""
        return RedirectResponse(path + query, 303)

    @property
    def device(self) -> str | None:
        """The token that the reader's device is known by, if it says one."""
        return self.request.cookies.get(DEVICE_COOKIE)

    def signed_in(self, path: str, keys: Keys, *, said: str | None = None) -> Response:
        """Send the reader on with the cookies of a new session."""
        response = self.go(path, said=said)
        _put(response, SESSION_COOKIE, keys.session)
        if keys.device is not None:
            _put(response, DEVICE_COOKIE, keys.device)
        return response

    def signed_out(self) -> Response:
        """Send the reader to the entrance, without cookie."""
        response = self.go("/sign-in")
        response.delete_cookie(
            SESSION_COOKIE, secure=True, httponly=True, samesite="strict", path="/"
        )
        return response

    def in_language(self, path: str, language: str) -> Response:
        """Send the reader back, in another language."""
        response = self.go(path)
        _put(response, LANGUAGE_COOKIE, language)
        return response


def _put(response: Response, name: str, value: str) -> None:
    """Set a cookie; how long a session lasts is the server's word."""
    response.set_cookie(
        name, value, max_age=_LONG_S, path="/", secure=True, httponly=True, samesite="strict"
    )


View = Callable[[Visit], Awaitable[Response]]
Endpoint = Callable[[Request], Awaitable[Response]]


def anyone(view: View) -> Endpoint:
    """Return the endpoint of a view that needs no session."""

    async def endpoint(request: Request) -> Response:
        visit = Visit(request)
        if request.method == "POST":
            await visit.read_form()
        return await view(visit)

    return endpoint


def worker(view: View) -> Endpoint:
    """Return the endpoint of a view for the worker alone, who sees what the box does now."""

    async def endpoint(request: Request) -> Response:
        visit = Visit(request)
        if visit.session is not None:
            await visit.ask_state()
        if visit.session is None:
            return visit.go("/sign-in")
        if visit.session.pairing:
            return visit.go("/pair")
        if request.method == "POST":
            await visit.read_form()
        return await view(visit)

    return endpoint
