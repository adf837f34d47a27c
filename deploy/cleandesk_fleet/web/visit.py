"""One request of one reader: who they are, what they may, and how they are answered."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlencode, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from cleandesk.http.forms import fields
from cleandesk_fleet.web import sessions, times
from cleandesk_fleet.web.audit import Action, Actor, Subject
from cleandesk_fleet.web.entrance import Keys
from cleandesk_fleet.web.parts import Parts
from cleandesk_fleet.web.roles import Role
from cleandesk_fleet.web.sessions import Session
from cleandesk_fleet.web.tokens import fresh

#: Cookies with this prefix are taken over HTTPS only, and from this very host.
SESSION_COOKIE = "__Host-cleandesk-ops"
DEVICE_COOKIE = "__Host-cleandesk-ops-device"
FORM_COOKIE = "__Host-cleandesk-ops-form"
_DEVICE_S = 180 * 86_400
_LONGEST_PATH = 2000

#: What may be said after something was done, by a code that an address may name.
SAID = {
    "decided": "Your decision is kept.",
    "password": "Your password is changed. Other sessions of yours have ended.",
    "role": "The role is changed; it counts from now on.",
    "disabled": "The account is disabled, and its sessions have ended.",
    "enabled": "The account may sign in again.",
    "signed-out": "You are signed out.",
}


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who was let in; without a role they may see nothing."""

    name: str
    role: Role | None
    via: str


class Visit:
    """One request.

    Attributes:
        reader: Who asks, once `identify` found out.
        form: What they sent, if it is a POST.
    """

    def __init__(self, request: Request) -> None:
        self.request = request
        self.parts: Parts = request.app.state.parts
        self.reader: Reader | None = None
        self.session: Session | None = None
        self.form: dict[str, str] = {}
        self._form_cookie = request.cookies.get(FORM_COOKIE)
        request.state.visit = self

    def identify(self) -> None:
        """Find out who asks: whom the proxy names, or whose session it is."""
        proxy = self.parts.proxy
        if proxy is not None:
            if proxy.is_it(self._peer, self.request.headers):
                person = proxy.person(self.request.headers)
                if person is not None:
                    self.reader = Reader(person.name, person.role, "proxy")
            return
        token = self.request.cookies.get(SESSION_COOKIE)
        if not token:
            return  # and the database hears nothing of strangers
        now = self.parts.clock().utc
        with self.parts.store.reading() as connection:
            self.session = sessions.find(connection, now, token)
        if self.session is None:
            return
        self.reader = Reader(self.session.account, self.session.role, "local")
        if now - self.session.noted > sessions.NOTED_EVERY:
            with self.parts.store.writing() as connection:
                sessions.note(connection, now, self.session)

    @property
    def _peer(self) -> str:
        return self.request.client.host if self.request.client else ""

    @property
    def address(self) -> str:
        """Where somebody asks from: what a proxy says that can be believed, or their own."""
        said = self.request.headers.getlist("x-forwarded-for") if self.parts.proxy else []
        last = said[-1].rpartition(",")[2].strip() if said else self._peer
        try:
            return str(ip_address(last))
        except ValueError:
            return ""

    def may(self, role: str) -> bool:
        """Say whether the reader may do what a role may."""
        return bool(self.reader and self.reader.role and self.reader.role.may(Role(role)))

    @property
    def actor(self) -> Actor:
        """The reader, for the trail."""
        if self.reader is None:
            raise RuntimeError("nobody was let in")
        return Actor(self.reader.name, self.reader.via, self.address or None)

    def enter(self, action: Action, subject: Subject, detail: str | None = None) -> None:
        """Write a line of the trail, by itself; it is on the disk when this returns."""
        with self.parts.store.writing() as connection:
            now = self.parts.clock().utc
            self.parts.trail.enter(
                connection, now, self.actor, action, subject=subject, detail=detail
            )

    @property
    def form_token(self) -> str | None:
        """What each form to this reader carries."""
        return self.session.form if self.session else self._form_cookie

    async def read_form(self) -> None:
        """Read what was sent.

        Raises:
            FormError: If it was not made for this reader.
        """
        self.form = await fields(self.request, self.form_token)

    @property
    def here(self) -> str:
        """The address that was asked for, without the host."""
        query = self.request.url.query
        return self.request.url.path + (f"?{query}" if query else "")

    @property
    def query_without_page(self) -> str:
        """The filters that were asked for, without where a page begins."""
        given = self.request.query_params.multi_items()
        return urlencode([(name, text) for name, text in given if name not in {"after", "said"}])

    def page(self, template: str, *, status: int = 200, **context: Any) -> Response:
        """Return a whole page."""
        new = None
        if self.form_token is None:
            new = self._form_cookie = fresh()
        now = self.parts.clock().utc
        markup = self.parts.templates.get_template(template).render(
            visit=self,
            reader=self.reader,
            may=self.may,
            when=times.shown,
            span=times.span,
            ago=lambda moment: times.ago(moment, now),
            now=now,
            said=SAID.get(self.request.query_params.get("said", "")),
            **context,
        )
        response = HTMLResponse(markup, status)
        if new:
            _put(response, FORM_COOKIE, new)
        return response

    def go(self, path: str, *, said: str | None = None) -> Response:
        """Send the reader to another page, which says what was done."""
        query = f"?{urlencode({'said': said})}" if said else ""
        return RedirectResponse(path + query, 303)

    def go_in(self) -> Response:
        """Send the reader to the entrance, and from there to what they asked for."""
        wanted = self.here if self.request.method == "GET" else "/"
        return RedirectResponse(f"/sign-in?{urlencode({'to': wanted})}", 303)

    def signed_in(self, path: str, keys: Keys, *, said: str | None = None) -> Response:
        """Send the reader on with the cookies of a new session."""
        response = self.go(path, said=said)
        _put(response, SESSION_COOKIE, keys.session)
        _put(response, DEVICE_COOKIE, keys.device, lasts_s=_DEVICE_S)
        return response

    def signed_out(self) -> Response:
        """Send the reader to the entrance, without their session's cookie."""
        response = self.go("/sign-in", said="signed-out")
        response.delete_cookie(
            SESSION_COOKIE, secure=True, httponly=True, samesite="strict", path="/"
        )
        return response

    @property
    def device(self) -> str | None:
        """The token that the reader's device is known by, if it says one."""
        return self.request.cookies.get(DEVICE_COOKIE)


def inside(path: str) -> str:
    """Return an address of this page that somebody named, or the first page."""
    parts = urlsplit(path if len(path) <= _LONGEST_PATH else "/")
    good = path.startswith("/") and not parts.scheme and not parts.netloc
    return path if good and path.isprintable() and "\\" not in path else "/"


def _put(response: Response, name: str, value: str, *, lasts_s: int | None = None) -> None:
    """Set a cookie; without a span it ends with the browser, and a session when the server says."""
    response.set_cookie(
        name, value, max_age=lasts_s, path="/", secure=True, httponly=True, samesite="strict"
    )


View = Callable[[Visit], Response]
Endpoint = Callable[[Request], Awaitable[Response]]


def anyone(view: View) -> Endpoint:
    """Return the endpoint of a view that needs nobody to be let in."""
    return _endpoint(view, None)


def only(role: Role, view: View) -> Endpoint:
    """Return the endpoint of a view for those who have a role, or one that may more."""
    return _endpoint(view, role)


def _endpoint(view: View, role: Role | None) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        visit = Visit(request)
        await run_in_threadpool(visit.identify)
        if role is not None and not visit.may(role):
            return _kept_out(visit, role)
        if request.method == "POST":
            await visit.read_form()
        return await run_in_threadpool(view, visit)

    return endpoint


def _kept_out(visit: Visit, role: Role) -> Response:
    if visit.reader is not None:
        return visit.page("kept_out.html", status=403, needed=role)
    if visit.parts.proxy is not None:
        return visit.page("kept_out.html", status=401, needed=role)
    return visit.go_in()
