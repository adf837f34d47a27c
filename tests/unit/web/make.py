"""What a log may hold, for the page's tests."""

from datetime import datetime, timedelta
from typing import Any

from cleandesk.contract.mqtt import Received
from cleandesk.contract.topics import Address, Channel
from cleandesk_fleet.subscriber.intake import Reading, read
from tests.unit.subscriber.make import BOX, START, event, hex_id, received
from tests.unit.subscriber.test_appeals import appeal_fields
from tests.unit.subscriber.test_stills import headers, jpeg


def opened(
    number: int,
    *,
    at: datetime | None = None,
    box: Address = BOX,
    more: dict[str, str] | None = None,
    **changes: Any,
) -> Reading:
    """Return the first event of a violation of its own; `more` has keys that Python keeps."""
    moment = START + timedelta(minutes=number) if at is None else at
    return event(
        number,
        box=box,
        event_id=hex_id("event", str(box), number),
        **{
            "violation_id": hex_id("violation", number),
            "opened_at": moment.isoformat(),
            "at": moment.isoformat(),
        }
        | changes
        | (more or {}),
    )


def closed(
    number: int,
    *,
    seq: int,
    box: Address = BOX,
    more: dict[str, str] | None = None,
    **changes: Any,
) -> Reading:
    """Return the last event of the violation that `opened` opened."""
    moment = START + timedelta(minutes=number)
    return event(
        seq,
        box=box,
        phase="close",
        event_id=hex_id("event", str(box), seq),
        **{
            "violation_id": hex_id("violation", number),
            "opened_at": moment.isoformat(),
            "at": (moment + timedelta(seconds=30)).isoformat(),
        }
        | changes
        | (more or {}),
    )


def appeal(number: int, *, box: Address = BOX, **changes: Any) -> Reading:
    """Return an appeal to the violation of the same number."""
    fields = appeal_fields(number, violation_id=hex_id("violation", number), **changes)
    return read(received("appeal", fields, box=box), None)


def picture(number: int) -> Reading:
    """Return a still of the violation of the same number."""
    content = jpeg(number)
    topic = BOX.topic(Channel.STILL, hex_id("violation", number))
    user = tuple(headers(content, number).items())
    return read(Received(topic=topic, payload=content, user=user, retain=False, mid=1), None)


def picture_path(number: int) -> str:
    """Return where the page shows a still."""
    return f"/stills/{hex_id('still', number)}"


def path_of(number: int, box: Address = BOX) -> str:
    """Return where the page shows a violation."""
    return f"/violations/{box.site}/{box.box}/{hex_id('violation', number)}"
