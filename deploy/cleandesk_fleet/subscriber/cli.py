"""`cleandesk-subscriber`: run the service, and read its log."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from cleandesk.config import ConfigError, load
from cleandesk.contract import tls
from cleandesk.contract.mqtt import TlsError
from cleandesk_fleet.services import LogLevel, begin, collect_seldom, fail, until_told
from cleandesk_fleet.subscriber import reading, reading_notices, reading_stills
from cleandesk_fleet.subscriber.belonging import NOT_NAMED, claim
from cleandesk_fleet.subscriber.database import (
    MOST_SKEW,
    DatabaseUnusableError,
    open_reader,
    open_writer,
    sole_writer,
)
from cleandesk_fleet.subscriber.metrics.figures import Figures
from cleandesk_fleet.subscriber.moments import system_clock
from cleandesk_fleet.subscriber.notices.choosing import Wanted
from cleandesk_fleet.subscriber.pictures import Pictures
from cleandesk_fleet.subscriber.service import Subscriber
from cleandesk_fleet.subscriber.settings import SubscriberSettings
from cleandesk_fleet.subscriber.stills import Album
from cleandesk_fleet.subscriber.store import Log
from cleandesk_fleet.subscriber.transaction import Terms
from cleandesk_fleet.subscriber.unlogged import kept_s
from cleandesk_fleet.subscriber.watching import watched, ways_of
from cleandesk_fleet.web import cli as web
from cleandesk_fleet.web.errors import AccountError, WebError

log = logging.getLogger(__name__)

_SEEN_WITHIN_S = 10.0

app = typer.Typer(
    name="cleandesk-subscriber",
    help="Logs the violations that boxes publish, each one once, and reads the log. "
    "Exit codes: 0 well, 1 failed, 2 wrong configuration or usage.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)

ConfigFile = Annotated[
    Path, typer.Option("--config", "-c", help="The subscriber's configuration, YAML")
]


def main() -> None:
    """Run the command line; errors that have a fix are told without a trace."""
    try:
        app()
    except (ConfigError, TlsError) as error:
        fail(error, code=2)
    except (DatabaseUnusableError, SQLAlchemyError, OSError, AccountError, WebError) as error:
        fail(error, code=1)


@app.command()
def run(config: ConfigFile, log_level: LogLevel = "info") -> None:
    """Take in what boxes send, until SIGTERM or Ctrl-C; then answer what is here and end.

    Logs go to standard error: JSON, one object a line; plain on a terminal.
    """
    settings = begin(config, SubscriberSettings, log_level)
    place, ways, figures = settings.store.place, ways_of(settings), Figures()
    with (
        sole_writer(place),
        _written(settings) as engine,
    ):
        pictures = claim(
            engine,
            settings.stills_folder,
            named=settings.stills.folder is not None,
            shared=settings.redundancy is not None,
        )
        journal = Log(
            engine,
            silent_after_s=settings.silent_after_s,
            terms=_terms(settings, pictures),
            sites=settings.sites,
            unlogged_s=kept_s(settings.broker.keepalive_s),
        ).begin(system_clock())
        subscriber = Subscriber(settings, journal, figures)
        until_told(subscriber.stop)
        collect_seldom()
        log.info(
            "subscriber started",
            extra={
                "database": str(place),
                "broker": f"{settings.broker.host}:{settings.broker.port}",
                "sites": settings.sites or "all",
            },
        )
        with watched(settings, ways, journal, subscriber, figures):
            subscriber.run()


@app.command()
def migrate(config: ConfigFile) -> None:
    """Make the log, or bring one of an older version up to date; `run` does so, too."""
    place = load(config, SubscriberSettings).store.place
    with sole_writer(place):
        open_writer(place).dispose()
    typer.echo(f"{place}: up to date")


@app.command()
def check(config: ConfigFile) -> None:
    """Check the configuration, the files that it names and the log; connects to nobody."""
    settings = load(config, SubscriberSettings)
    if settings.broker.tls is not None:
        tls.context(settings.broker.tls)
    ways_of(settings)
    place = settings.store.place
    if not isinstance(place, Path) or place.exists():
        open_reader(place)
    elif not os.access(place.parent, os.W_OK | os.X_OK):
        raise DatabaseUnusableError(
            f"{place.parent}: no such folder, or not writable for this user: make it, or change "
            "'store.path'"
        )
    typer.echo(f"{config}: fine; {len(settings.subscriptions())} subscriptions, log {place}")


@contextmanager
def _written(settings: SubscriberSettings) -> Iterator[Engine]:
    redundant = settings.redundancy is not None
    engine = open_writer(settings.store.place, redundant=redundant, deletion=settings.deletion)
    try:
        yield engine
    finally:
        engine.dispose()


def _terms(settings: SubscriberSettings, pictures: Pictures | None) -> Terms:
    redundancy, stills = settings.redundancy, settings.stills
    days, hours = settings.store.keep_days, timedelta(hours=stills.keep_h)
    keep = None if days is None else timedelta(days=days)
    return Terms(
        # A picture does not outlive what it is a picture of.
        Album(
            pictures or Pictures(settings.stills_folder),
            hours if keep is None else min(hours, keep),
            stills.of_a_box,
            made_within=keep,
            refuses=None if pictures else NOT_NAMED,
        ),
        settings.store.max_quarantined,
        gap_after=None if redundancy is None else timedelta(seconds=redundancy.gap_after_s),
        keep=keep,
        most_skew=MOST_SKEW,
        notices=Wanted.of(settings.notices),
        seen_within=timedelta(seconds=min(_SEEN_WITHIN_S, settings.silent_after_s / 10)),
    )


app.add_typer(reading_stills.app, name="stills")
app.add_typer(web.app, name="web")
reading.add_commands(app)  # after `run` and `check`, so that the help lists these first
app.command()(reading_notices.notices)
app.command()(reading_notices.try_notices)
