"""Violations: pages of them, all that is logged of one, and the way out as CSV."""

import io
from collections.abc import Iterator
from typing import Any

from starlette.responses import Response, StreamingResponse

from cleandesk.contract.messages import Severity
from cleandesk_fleet.subscriber.output import Format, Writer
from cleandesk_fleet.subscriber.tables import boxes
from cleandesk_fleet.subscriber.tables import violations as table
from cleandesk_fleet.web.audit import Action, Subject
from cleandesk_fleet.web.queries import filters, violations
from cleandesk_fleet.web.queries.appeals import LONGEST_NOTE, Outcome
from cleandesk_fleet.web.queries.filters import State, Wanted
from cleandesk_fleet.web.visit import Visit

#: Columns of an export, in their order.
COLUMNS = (
    *("opened_at", "closed_at", "dwell_s", "reason", "rule", "class", "zone", "severity", "score"),
    *("site", "box", "violation_id", "x1", "y1", "x2", "y2", "suspended", "clock_synced"),
    *("replayed", "appealed", "events"),
)
_CHUNK = 2000


def show(visit: Visit) -> Response:
    """Show a page of them."""
    given = visit.request.query_params
    wanted = filters.read(given)
    after = given.get("after")
    with visit.parts.store.reading() as connection:
        return visit.page(
            "violations.html",
            found=violations.page(connection, wanted, after),
            wanted=wanted,
            classes=violations.choices(connection, table.c["class"]),
            rules=violations.choices(connection, table.c.rule),
            sites=violations.choices(connection, boxes.c.site),
            severities=list(Severity),
            states=list(State),
            first=after is None,
        )


def show_one(visit: Visit) -> Response:
    """Show all that is logged of one."""
    return one(visit)


def one(visit: Visit, *, problem: str | None = None, status: int = 200) -> Response:
    """Show one, and what is wrong with what was sent about it."""
    path = visit.request.path_params
    with visit.parts.store.reading() as connection:
        found = violations.one(connection, path["site"], path["box"], path["violation_id"])
    return visit.page(
        "violation.html",
        status=status,
        one=found,
        problem_text=problem,
        outcomes=list(Outcome),
        longest_note=LONGEST_NOTE,
        picture=visit.request.query_params.get("picture"),
    )


def export(visit: Visit) -> Response:
    """Send all that fit the filters as CSV, as long as it takes."""
    wanted = filters.read(visit.request.query_params)
    visit.enter(Action.EXPORTED, Subject("violations", wanted.site, wanted.box), wanted.query())
    now = visit.parts.clock().utc
    name = f"violations-{now:%Y%m%dT%H%M%SZ}.csv"
    return StreamingResponse(
        _lines(visit, wanted),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _lines(visit: Visit, wanted: Wanted) -> Iterator[str]:
    stream = io.StringIO()
    writer = Writer(Format.CSV, columns=COLUMNS, every=COLUMNS, stream=stream)
    pages: Iterator[Any] = violations.every(visit.parts.store.reading, wanted, _CHUNK)
    writer.write([])
    for rows in pages:
        writer.write(rows)
        yield _taken(stream)
    yield _taken(stream)


def _taken(stream: io.StringIO) -> str:
    text = stream.getvalue()
    stream.seek(0)
    stream.truncate()
    return text
