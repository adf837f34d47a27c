"""The commands for stills: which are kept, which were deleted, and one for whoever decides."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from cleandesk.config import load
from cleandesk_fleet.subscriber import queries
from cleandesk_fleet.subscriber.database import DatabaseUnusableError, Place, open_beside
from cleandesk_fleet.subscriber.moments import system_clock
from cleandesk_fleet.subscriber.output import Format
from cleandesk_fleet.subscriber.pictures import Pictures, folder_of
from cleandesk_fleet.subscriber.queries import Filter
from cleandesk_fleet.subscriber.reading import (
    BoxOption,
    ConfigOption,
    DbOption,
    FormatOption,
    LimitOption,
    SiteOption,
    named_place,
    open_log,
    writer_of,
)
from cleandesk_fleet.subscriber.settings import SubscriberSettings
from cleandesk_fleet.subscriber.spool import spooled
from cleandesk_fleet.subscriber.tables import stills
from cleandesk_fleet.web.audit import KEEP_DAYS, Action, Subject, Trail, by_command_line

app = typer.Typer(invoke_without_command=True, help="List redacted pictures, or write one out.")


@app.callback()
def show(
    context: typer.Context,
    *,
    config: ConfigOption = None,
    db: DbOption = None,
    site: SiteOption = None,
    box: BoxOption = None,
    deleted: Annotated[
        bool, typer.Option("--deleted", help="What was deleted after its time, with the proof")
    ] = False,
    limit: LimitOption = None,
    output: FormatOption = Format.TABLE,
) -> None:
    """List redacted pictures of violations, the newest last, or what was deleted.

    A deleted one is told with its sha256, when file and row went, and that the file is gone.
    """
    context.obj = (config, db)
    if context.invoked_subcommand is not None:
        return
    find = queries.find_deleted_stills if deleted else queries.find_stills
    view = queries.DELETED_STILLS if deleted else queries.STILLS
    with open_log(config, db).connect() as connection:
        rows = spooled(find(connection, Filter(site, box, limit=limit)))
    writer_of(output, view).write(rows)


@app.command()
def export(
    context: typer.Context,
    still_id: Annotated[str, typer.Argument(metavar="ID", help="As `stills` lists it")],
    to: Annotated[Path, typer.Option("--to", "-o", help="The file to write; it must not exist")],
    *,
    config: ConfigOption = None,
    db: DbOption = None,
) -> None:
    """Write one picture into a file, a JPEG or what only the site's key opens.

    That is written down first, in the trail of the page for ops: who, when, which one and where to.
    The copy is yours to delete: it is not deleted after the picture's time.
    """
    named = (config, db) if config or db else context.obj
    with open_log(*named).connect() as connection:
        row = connection.execute(select(stills).where(stills.c.still_id == still_id)).first()
    if row is None:
        raise typer.BadParameter(
            f"no still {still_id!r} is kept: see `stills`, and `stills --deleted`"
        )
    source = Pictures(_folder(*named)).path(row.sha256, row.media_type)
    content = source.read_bytes()
    if to.exists():
        raise typer.BadParameter(f"{to} exists: name another file")
    subject = Subject(still_id, row.site, row.box)
    _write_down(named_place(*named), subject, f"violation {row.violation_id}, into {to.absolute()}")
    try:
        with to.open("xb") as file:
            file.write(content)
    except FileExistsError:
        raise typer.BadParameter(f"{to} exists: name another file") from None
    typer.echo(f"{to}: {len(content)} bytes, {row.media_type}")


def _write_down(place: Place, subject: Subject, detail: str) -> None:
    """Enter a look at a picture before it takes place.

    Raises:
        DatabaseUnusableError: If that cannot be written: then nobody may look.
    """
    try:
        engine = open_beside(place)
        with engine.begin() as connection:
            Trail(timedelta(days=KEEP_DAYS)).enter(
                connection,
                system_clock().utc,
                by_command_line(),
                Action.STILL_EXPORTED,
                subject=subject,
                detail=detail,
            )
    except (DatabaseUnusableError, SQLAlchemyError) as error:
        reason = str(getattr(error, "orig", error)).strip().replace("\n", " ")
        raise DatabaseUnusableError(
            f"{place}: {reason}: nobody can write down in its trail who looks at this still, so no "
            "picture is written: run this as the subscriber's user, or on PostgreSQL as a role "
            "that may write `audit` (web.md has the GRANTs)"
        ) from error


def _folder(config: Path | None, db: str | None) -> Path:
    if config is not None:
        return load(config, SubscriberSettings).stills_folder
    place = named_place(config, db)
    if isinstance(place, Path):
        return folder_of(place)
    raise typer.BadParameter("only the configuration says where its pictures lie: use --config")
