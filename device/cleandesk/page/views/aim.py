"""The aiming view: the one place where a picture is shown, started by hand and for minutes."""

import base64

from starlette.exceptions import HTTPException
from starlette.responses import Response

from cleandesk.page.visit import Visit
from cleandesk.worker.protocol import Aim, Picture, StopAiming


async def show(visit: Visit) -> Response:
    """Show the picture if the view is on, else how to start it."""
    return visit.page("aim.html", until=visit.state.aiming_until)


async def start(visit: Visit) -> Response:
    """Start the view; the box ledgers it."""
    await visit.parts.box.ask(Aim(), Picture)
    return visit.go("/aim")


async def stop(visit: Visit) -> Response:
    """End it."""
    await visit.parts.box.tell(StopAiming())
    return visit.go("/aim", said="aiming_ended")


async def picture(visit: Visit) -> Response:
    """Return one picture; only while the view is on, as asking the box would start it."""
    if visit.state.aiming_until is None:
        raise HTTPException(409)
    taken = await visit.parts.box.ask(Aim(), Picture)
    return Response(base64.b64decode(taken.jpeg), media_type="image/jpeg")
