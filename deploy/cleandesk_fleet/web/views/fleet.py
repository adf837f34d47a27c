"""The boxes, and one box's days."""

from datetime import timedelta

from starlette.responses import Response

from cleandesk_fleet.subscriber.tables import boxes
from cleandesk_fleet.web.errors import NotFoundError, WrongInputError
from cleandesk_fleet.web.queries import filters, fleet, strip, timeline
from cleandesk_fleet.web.queries.fleet import STATUSES, FleetFilter
from cleandesk_fleet.web.queries.violations import choices
from cleandesk_fleet.web.visit import Visit


def show(visit: Visit) -> Response:
    """Show the boxes, and how each one does."""
    given = visit.request.query_params
    status = given.get("status") or None
    if status is not None and status not in STATUSES:
        raise WrongInputError(f"Choose one of {', '.join(STATUSES)}.")
    site = (given.get("site") or "").replace("\0", "") or None
    wanted = FleetFilter(site, status, alarmed=given.get("alarmed") == "yes")
    after = given.get("after")
    with visit.parts.store.reading() as connection:
        return visit.page(
            "fleet.html",
            found=fleet.page(connection, wanted, after),
            counts=fleet.count_by_status(connection),
            wanted=wanted,
            statuses=STATUSES,
            sites=choices(connection, boxes.c.site),
            first=after is None,
        )


def show_box(visit: Visit) -> Response:
    """Show how one box does, and a day of it."""
    site, box = visit.request.path_params["site"], visit.request.path_params["box"]
    now = visit.parts.clock().utc
    with visit.parts.store.reading() as connection:
        one = fleet.one(connection, site, box)
        start = filters.day(visit.request.query_params.get("day", ""))
        start = start or timeline.newest_day(connection, site, box, now)
        try:
            day = timeline.read(connection, site, box, start, now)
            before, after = start - timedelta(days=1), start + timedelta(days=1)
        except OverflowError:
            raise NotFoundError("no such day") from None
        return visit.page(
            "box.html",
            box=one,
            day=day,
            before=before,
            after=after if after <= now else None,
            width=strip.WIDTH,
        )
