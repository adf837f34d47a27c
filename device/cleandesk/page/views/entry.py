"""Signing in and out, the worker's own PIN, the language, and the browser's warning."""

from starlette.responses import Response

from cleandesk.page.entrance import RefusedError
from cleandesk.page.visit import Visit

_PATHS = frozenset({"/", "/violations", "/sent", "/privacy", "/settings", "/aim", "/certificate"})


async def show_sign_in(visit: Visit) -> Response:
    """Ask for the PIN."""
    await visit.ask_state()
    if visit.session is not None:
        return visit.go("/pair" if visit.session.pairing else "/")
    return _sign_in(visit)


def _sign_in(visit: Visit, problem: str | None = None, status: int = 200) -> Response:
    return visit.page(
        "sign_in.html", status=status, problem_text=problem, paired=visit.parts.entrance.paired
    )


async def sign_in(visit: Visit) -> Response:
    """Look at the PIN."""
    await visit.ask_state()
    try:
        keys = await visit.parts.entrance.sign_in(visit.form.get("pin", ""), visit.device)
    except RefusedError as refused:
        status = 429 if refused.why == "wait" else 403
        return _sign_in(visit, refusal(visit, refused), status)
    return visit.signed_in("/" if visit.parts.entrance.paired else "/pair", keys)


async def show_pair(visit: Visit) -> Response:
    """Ask for the worker's own PIN."""
    await visit.ask_state()
    if visit.session is None:
        return visit.go("/sign-in")
    return visit.page("pair.html", problem_text=None) if visit.session.pairing else visit.go("/")


async def pair(visit: Visit) -> Response:
    """Set the worker's own PIN."""
    await visit.ask_state()
    if visit.session is None or not visit.session.pairing:
        return visit.go("/sign-in")
    try:
        keys = await visit.parts.entrance.set_pin(
            visit.session, visit.form.get("new", ""), visit.form.get("again", "")
        )
    except RefusedError as refused:
        return visit.page("pair.html", status=422, problem_text=refusal(visit, refused))
    return visit.signed_in("/", keys, said="paired")


def refusal(visit: Visit, refused: RefusedError) -> str:
    """Return why a PIN does not do, in words."""
    if refused.wait_s <= 0:
        return visit.say(f"refused.{refused.why}")
    key = "wrong_wait" if refused.why == "wrong" else "wait"
    return visit.say(f"refused.{key}", time=visit.waiting(refused.wait_s))


async def sign_out(visit: Visit) -> Response:
    """End this session; works without the box."""
    if visit.session is not None:
        visit.parts.entrance.sessions.end(visit.session)
    return visit.signed_out()


async def choose_language(visit: Visit) -> Response:
    """Speak another language."""
    path = visit.form.get("path", "/")
    language = visit.parts.texts.choose(visit.form.get("language"), "")
    return visit.in_language(path if path in _PATHS else "/", language)


async def show_certificate(visit: Visit) -> Response:
    """Explain the browser's warning."""
    return visit.page("certificate.html", fingerprint=visit.parts.fingerprint)
