"""The commands about notices: who was told of what, and whether anybody can be told."""

import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import select

from cleandesk.config import load
from cleandesk.contract.messages import Severity
from cleandesk_fleet.subscriber.notices.courier import senders
from cleandesk_fleet.subscriber.notices.outbox import Message
from cleandesk_fleet.subscriber.notices.sending import NotTakenError, Sender
from cleandesk_fleet.subscriber.notices.table import UNTOLD
from cleandesk_fleet.subscriber.notices.table import notices as table
from cleandesk_fleet.subscriber.output import Format
from cleandesk_fleet.subscriber.queries import View
from cleandesk_fleet.subscriber.reading import (
    ConfigOption,
    DbOption,
    FormatOption,
    LimitOption,
    open_log,
    writer_of,
)
from cleandesk_fleet.subscriber.settings import SubscriberSettings

#: Of no site that anybody runs, and no violation that any box saw.
_TRIAL = {
    "site": "trial",
    "box": "trial",
    "violation_id": "0" * 32,
    "severity": Severity.HIGH.value,
    "rule": "this is a trial",
    "class": "nothing",
    "clock_synced": True,
}

_VIEW = View(
    ("received_at", "site", "box", "severity", "rule", "way", "attempts", "sent_at", "given_up_at"),
    tuple(column.name for column in table.columns),
)


def notices(
    *,
    config: ConfigOption = None,
    db: DbOption = None,
    untold: Annotated[bool, typer.Option("--untold", help="Only those still to be told")] = False,
    limit: LimitOption = None,
    output: FormatOption = Format.TABLE,
) -> None:
    """List of which severe violations people were told, by which way, and when."""
    newest = select(table).order_by(table.c.id.desc()).limit(limit)
    if untold:
        newest = newest.where(UNTOLD)
    with open_log(config, db).connect() as connection:
        rows = [dict(row) for row in connection.execute(newest).mappings()]
    writer_of(output, _VIEW).write(reversed(rows))


def try_notices(
    config: Annotated[
        Path, typer.Option("--config", "-c", help="The subscriber's configuration, YAML")
    ],
) -> None:
    """Send a trial by each way of `notices`, and say what became of it; the log is not touched."""
    settings = load(config, SubscriberSettings)
    if settings.notices is None:
        raise typer.BadParameter(f"{config} has no 'notices': nobody is told of anything")
    outcomes = [_try(way) for way in senders(settings.notices)]
    raise typer.Exit(0 if all(outcomes) else 1)


def _try(way: Sender) -> bool:
    now = datetime.now(UTC)
    trial = [_TRIAL | {"opened_at": now}]
    try:
        way.send(Message(secrets.token_hex(16), way.way, now, 1, trial))
    except NotTakenError as error:
        typer.echo(f"{way.way}: {error}", err=True)
        return False
    typer.echo(f"{way.way}: taken")
    return True
