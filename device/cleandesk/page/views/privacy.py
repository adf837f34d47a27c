"""What is sensed, sent and kept, as the box works it out from its settings."""

from starlette.responses import Response

from cleandesk.page.visit import Visit
from cleandesk.worker.protocol import GetStatement, Statement


async def show(visit: Visit) -> Response:
    """Show it."""
    statement = await visit.parts.box.ask(GetStatement(), Statement)
    return visit.page("privacy.html", sections=statement.sections)
