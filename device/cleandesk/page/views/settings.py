"""The worker's PIN, their signed-in devices, and the companion."""

from starlette.responses import Response

from cleandesk.page.entrance import RefusedError
from cleandesk.page.views.entry import refusal
from cleandesk.page.visit import Visit


async def show(visit: Visit) -> Response:
    """Show them."""
    return _page(visit)


def _page(visit: Visit, problem: str | None = None, *, status: int = 200) -> Response:
    return visit.page(
        "settings.html",
        status=status,
        problem_text=problem,
        allowed=visit.parts.entrance.store.companion is not None,
        asked=visit.state.idle_on,
    )


async def change_pin(visit: Visit) -> Response:
    """Change the PIN; all other devices are signed out."""
    if visit.session is None:
        return visit.go("/sign-in")
    form = visit.form
    try:
        keys = await visit.parts.entrance.set_pin(
            visit.session,
            form.get("new", ""),
            form.get("again", ""),
            present=form.get("present", ""),
            device=visit.device,
        )
    except RefusedError as refused:
        return _page(visit, refusal(visit, refused), status=422)
    return visit.signed_in("/settings", keys, said="pin_changed")


async def sign_out_everywhere(visit: Visit) -> Response:
    """End all sessions; works without the box."""
    if visit.session is not None and not visit.session.pairing:
        visit.parts.entrance.sign_out_everywhere(visit.device)
    return visit.signed_out()


async def allow_companion(visit: Visit) -> Response:
    """Make a token and show it, this once."""
    secret = await visit.parts.entrance.allow_companion()
    return visit.page("companion.html", secret=secret, fingerprint=visit.parts.fingerprint)


async def revoke_companion(visit: Visit) -> Response:
    """Make it worth nothing."""
    await visit.parts.entrance.revoke_companion()
    return visit.go("/settings", said="companion_revoked")
