"""The ledger, word for word."""

import base64

from starlette.exceptions import HTTPException
from starlette.responses import Response

from cleandesk.page.visit import Visit
from cleandesk.worker.protocol import Entry, GetLedger, Ledger

_ENTRIES = 20
#: Numbers that the protocol takes.
_MOST = 2**53


async def show(visit: Visit) -> Response:
    """Show a part of it, the newest entries first."""
    text = visit.request.query_params.get("before")
    before = None if text is None else _number(text)
    ledger = await visit.parts.box.ask(GetLedger(before=before, limit=_ENTRIES), Ledger)
    entries = ledger.entries
    # With pictures among them there may be fewer than asked for, and more to come all the same.
    full = len(entries) == _ENTRIES or any(entry.picture for entry in entries)
    more = full and entries[-1].number > 1
    return visit.page(
        "sent.html",
        ledger=ledger,
        older=entries[-1].number if more else None,
        newest=before is not None,
    )


async def picture(visit: Visit) -> Response:
    """Show the picture that an entry carries."""
    number = _number(visit.request.path_params["number"])
    ledger = await visit.parts.box.ask(GetLedger(before=number + 1, limit=1), Ledger)
    found = [entry for entry in ledger.entries if entry.number == number]
    return Response(_jpeg(found[0] if found else None), media_type="image/jpeg")


def _jpeg(entry: Entry | None) -> bytes:
    if entry is None or entry.picture is None:
        raise HTTPException(404)
    return base64.b64decode(entry.picture)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(_MOST))):
        raise HTTPException(404)
    number = int(text)
    if number >= _MOST - 1:
        raise HTTPException(404)
    return number
