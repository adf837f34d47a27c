"""A still, for reviewers: each look is written down before the picture is sent."""

from sqlalchemy import select
from starlette.responses import Response

from cleandesk_fleet.subscriber import belonging
from cleandesk_fleet.subscriber.tables import deleted_stills, stills
from cleandesk_fleet.web.audit import Action, Subject
from cleandesk_fleet.web.errors import GoneError, NotFoundError
from cleandesk_fleet.web.visit import Visit

_JPEG = "image/jpeg"
#: Whatever it holds: a browser that is led to it alone runs nothing in it.
_HEADERS = {"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox"}


def picture(visit: Visit) -> Response:
    """Send one."""
    still_id = visit.request.path_params["still_id"]
    with visit.parts.store.reading() as connection:
        row = connection.execute(select(stills).where(stills.c.still_id == still_id)).first()
        if row is None:
            gone = select(deleted_stills.c.deleted_at).where(deleted_stills.c.still_id == still_id)
            since = connection.scalar(gone)
            if since is None:
                raise NotFoundError("no such still")
            raise GoneError("The picture was deleted after its time.", since)
    if row.delete_at <= visit.parts.clock().utc:
        raise GoneError("The picture had its time, and is about to be deleted.", row.delete_at)
    try:
        content = visit.parts.pictures.path(row.sha256, row.media_type).read_bytes()
    except FileNotFoundError:
        with visit.parts.store.reading() as connection:
            ours = belonging.mark_of(connection)
        if ours is not None and visit.parts.pictures.mark() != ours:
            raise GoneError(
                "This page does not see the folder where the log's pictures lie: whoever runs it "
                "sets 'store.stills' to it, or mounts it."
            ) from None
        raise GoneError("The picture's file is not there any more.") from None
    subject = Subject(still_id, row.site, row.box)
    visit.enter(Action.STILL_VIEWED, subject, f"violation {row.violation_id}")
    headers = dict(_HEADERS)
    if row.media_type != _JPEG:
        headers["Content-Disposition"] = f'attachment; filename="{still_id}.p7m"'
    return Response(content, media_type=row.media_type, headers=headers)
