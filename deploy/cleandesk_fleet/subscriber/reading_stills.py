"""The commands for stills: which are kept, which were deleted, and one for whoever decides."""

from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import select

from cleandesk.config import load
from cleandesk_fleet.subscriber import queries
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
from cleandesk_fleet.subscriber.tables import stills

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
        writer_of(output, view).write(find(connection, Filter(site, box, limit=limit)))


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

    The copy is yours to delete: it is not deleted after the picture's time.
    """
    named = (config, db) if config or db else context.obj
    with open_log(*named).connect() as connection:
        wanted = select(stills.c.sha256, stills.c.media_type).where(stills.c.still_id == still_id)
        row = connection.execute(wanted).first()
    if row is None:
        raise typer.BadParameter(
            f"no still {still_id!r} is kept: see `stills`, and `stills --deleted`"
        )
    source = Pictures(_folder(*named)).path(row.sha256, row.media_type)
    content = source.read_bytes()
    try:
        with to.open("xb") as file:
            file.write(content)
    except FileExistsError:
        raise typer.BadParameter(f"{to} exists: name another file") from None
    typer.echo(f"{to}: {len(content)} bytes, {row.media_type}")


def _folder(config: Path | None, db: str | None) -> Path:
    if config is not None:
        return load(config, SubscriberSettings).stills_folder
    place = named_place(config, db)
    if isinstance(place, Path):
        return folder_of(place)
    raise typer.BadParameter("only the configuration says where its pictures lie: use --config")
