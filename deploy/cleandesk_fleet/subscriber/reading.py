"""The commands that read the log; they work while the service writes it."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import Connection, Engine

from cleandesk.config import load
from cleandesk.contract.messages import Severity
from cleandesk_fleet.subscriber import queries
from cleandesk_fleet.subscriber.alarms import Kind
from cleandesk_fleet.subscriber.database import Place, open_reader, place_of
from cleandesk_fleet.subscriber.moments import parse_time
from cleandesk_fleet.subscriber.output import Format, Writer
from cleandesk_fleet.subscriber.quarantine import DROPPED
from cleandesk_fleet.subscriber.queries import Filter, Row, View
from cleandesk_fleet.subscriber.settings import SubscriberSettings
from cleandesk_fleet.subscriber.spool import spooled

_FOLLOW_S = 0.5


def _moment(text: str) -> datetime:
    try:
        return parse_time(text, datetime.now(UTC))
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


ConfigOption = Annotated[
    Path | None, typer.Option("--config", "-c", help="The subscriber's configuration")
]
DbOption = Annotated[
    str | None,
    typer.Option("--db", help="The log itself, a file or postgresql://…, instead of --config"),
]
SiteOption = Annotated[str | None, typer.Option("--site", help="Only this site")]
BoxOption = Annotated[str | None, typer.Option("--box", help="Only this box")]
LimitOption = Annotated[
    int | None, typer.Option("--limit", "-n", min=1, help="Only the newest ones; default: all")
]
FormatOption = Annotated[
    Format, typer.Option("--format", "-f", help="Table for people, CSV, or JSON lines")
]
_TIME = "3d, 2h, 2026-05-04 or 2026-05-04T08:30:00Z"


def add_commands(app: typer.Typer) -> None:
    """Add the reading commands."""
    for command in (log, appeals, alarms, boxes, quarantine, losses, deletions):
        app.command()(command)


def log(  # noqa: PLR0913 - one for each option
    *,
    config: ConfigOption = None,
    db: DbOption = None,
    site: SiteOption = None,
    box: BoxOption = None,
    rule: Annotated[str | None, typer.Option(help="Only this rule")] = None,
    class_name: Annotated[str | None, typer.Option("--class", help="Only this class")] = None,
    severity: Annotated[Severity | None, typer.Option(help="Only this severity")] = None,
    since: Annotated[
        datetime | None, typer.Option(parser=_moment, help=f"Opened then or later: {_TIME}")
    ] = None,
    until: Annotated[
        datetime | None, typer.Option(parser=_moment, help=f"Opened before: {_TIME}")
    ] = None,
    open_only: Annotated[
        bool, typer.Option("--open", help="Only violations that are not closed")
    ] = False,
    limit: LimitOption = None,
    follow: Annotated[
        bool, typer.Option("--follow", help="Go on with what is logged from now; end by Ctrl-C")
    ] = False,
    output: FormatOption = Format.TABLE,
    events: Annotated[
        bool, typer.Option("--events", help="Every event, instead of one line a violation")
    ] = False,
) -> None:
    """List violations, the newest last: when, for how long, what, where, and why it ended.

    Times are UTC. With --follow a violation is shown again whenever it changes.
    """
    if events and open_only:
        raise typer.BadParameter("--open is about violations: leave out --events")
    wanted = Filter(
        site, box, rule, class_name, severity, since, until, open_only=open_only, limit=limit
    )
    find = queries.find_events if events else queries.find_violations
    view = queries.EVENTS if events else queries.VIOLATIONS
    writer = writer_of(output, view)
    engine = open_log(config, db)
    with engine.connect() as connection:
        seen = queries.last_event_id(connection)
        rows = spooled(find(connection, wanted))
    writer.write(rows)
    if follow:
        rest = replace(wanted, limit=None)
        _follow(engine, writer, seen, lambda connection, after: find(connection, rest, after))


def appeals(
    *,
    config: ConfigOption = None,
    db: DbOption = None,
    site: SiteOption = None,
    box: BoxOption = None,
    limit: LimitOption = None,
    output: FormatOption = Format.TABLE,
) -> None:
    """List what workers object to, the newest last: people decide about it, elsewhere."""
    with open_log(config, db).connect() as connection:
        rows = spooled(queries.find_appeals(connection, Filter(site, box, limit=limit)))
    writer_of(output, queries.APPEALS).write(rows)


def alarms(
    *,
    config: ConfigOption = None,
    db: DbOption = None,
    site: SiteOption = None,
    box: BoxOption = None,
    kind: Annotated[Kind | None, typer.Option(help="Only this kind")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Those that are over, too")] = False,
    limit: LimitOption = None,
    output: FormatOption = Format.TABLE,
) -> None:
    """List open alarms: gaps, losses, silent boxes, faults, messages that could not be logged."""
    wanted = Filter(site, box, open_only=not everything, limit=limit)
    with open_log(config, db).connect() as connection:
        rows = spooled(queries.find_alarms(connection, wanted, kind))
    writer_of(output, queries.ALARMS).write(rows)


def boxes(
    *,
    config: ConfigOption = None,
    db: DbOption = None,
    site: SiteOption = None,
    box: BoxOption = None,
    output: FormatOption = Format.TABLE,
) -> None:
    """List boxes: status, privacy and why, idle, when last heard, events, open alarms."""
    with open_log(config, db).connect() as connection:
        rows = spooled(queries.find_boxes(connection, Filter(site, box)))
    writer_of(output, queries.BOXES).write(rows)


def quarantine(
    *,
    config: ConfigOption = None,
    db: DbOption = None,
    site: SiteOption = None,
    box: BoxOption = None,
    limit: LimitOption = None,
    output: FormatOption = Format.TABLE,
) -> None:
    """List messages that could not be logged, with the reason; CSV and JSON lines show them."""
    with open_log(config, db).connect() as connection:
        wanted = Filter(site, box, limit=limit)
        rows = spooled(queries.find_quarantined(connection, wanted))
        dropped = queries.counter(connection, DROPPED)
    writer_of(output, queries.QUARANTINE).write(rows)
    if dropped:
        sys.stderr.write(f"{dropped} older ones were dropped (store.max_quarantined)\n")


def losses(
    *,
    config: ConfigOption = None,
    db: DbOption = None,
    site: SiteOption = None,
    box: BoxOption = None,
    limit: LimitOption = None,
    output: FormatOption = Format.TABLE,
) -> None:
    """List events that will never come, by their numbers, with the reason."""
    with open_log(config, db).connect() as connection:
        rows = spooled(queries.find_losses(connection, Filter(site, box, limit=limit)))
    writer_of(output, queries.LOSSES).write(rows)


def deletions(
    *,
    config: ConfigOption = None,
    db: DbOption = None,
    limit: LimitOption = None,
    output: FormatOption = Format.TABLE,
) -> None:
    """List what was deleted after its time (store.keep_days), and how much of that was left.

    `left` is how many that came before `received_before` were still there when the deletion was
    over: counted after its commit, and 0 if all is well. It is empty as long as more of them goes
    in the next turns. A violation is left if it was opened before that and has no event any more;
    one that has a newer event stays.
    """
    with open_log(config, db).connect() as connection:
        rows = spooled(queries.find_deletions(connection, Filter(limit=limit)))
    writer_of(output, queries.DELETIONS).write(rows)


def writer_of(output: Format, view: View) -> Writer:
    """Return what writes the rows of a view."""
    return Writer(output, columns=view.columns, every=view.every)


def named_place(config: Path | None, db: str | None) -> Place:
    """Return the log that was named.

    Raises:
        BadParameter: If none was, or two were.
    """
    if db is not None and config is None:
        try:
            return place_of(db)
        except ValueError as error:
            raise typer.BadParameter(f"--db: {error}") from None
    if config is not None and db is None:
        return load(config, SubscriberSettings).store.place
    raise typer.BadParameter("say which log: either --config FILE or --db FILE")


def open_log(config: Path | None, db: str | None) -> Engine:
    """Open the log that was named, for reading."""
    return open_reader(named_place(config, db))


def _follow(
    engine: Engine,
    writer: Writer,
    seen: int,
    find: Callable[[Connection, int], Iterator[Row]],
) -> None:
    with suppress(KeyboardInterrupt):
        while True:
            time.sleep(_FOLLOW_S)
            with engine.connect() as connection, connection.begin():
                newest = queries.last_event_id(connection)
                rows = spooled(find(connection, seen) if newest > seen else ())
            if newest > seen:
                writer.write(rows)
                seen = newest
