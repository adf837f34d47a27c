"""How often the boxes are wrong, as far as people found out."""

from datetime import timedelta

from starlette.responses import Response

from cleandesk_fleet.web.errors import WrongInputError
from cleandesk_fleet.web.queries import filters, rates
from cleandesk_fleet.web.queries.timeline import start_of
from cleandesk_fleet.web.visit import Visit

_DAYS = 30
#: A longer span is no page, but a study: the log's own commands export it.
_MOST_DAYS = 366


def show(visit: Visit) -> Response:
    """Show the rates of some days, those that are asked for included."""
    given = visit.request.query_params
    today = start_of(visit.parts.clock().utc)
    last = filters.day(given.get("until", "")) or today
    try:
        first = filters.day(given.get("since", "")) or last - timedelta(days=_DAYS - 1)
        until = last + timedelta(days=1)
    except OverflowError:
        raise WrongInputError("That day is too far away.") from None
    if not timedelta() < until - first <= timedelta(days=_MOST_DAYS):
        raise WrongInputError(f"Choose a first day before the last one, {_MOST_DAYS} days at most.")
    with visit.parts.store.reading() as connection:
        found = rates.read(connection, first, until)
    return visit.page("rates.html", rates=found, since=first, last=last)
