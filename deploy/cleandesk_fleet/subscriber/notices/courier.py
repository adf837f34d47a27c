"""Carries messages to people, each way in a thread of its own, while others take in events."""

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from cleandesk_fleet.subscriber.database import Place, open_beside
from cleandesk_fleet.subscriber.moments import Clock, system_clock
from cleandesk_fleet.subscriber.notices import outbox
from cleandesk_fleet.subscriber.notices.mail import Mail
from cleandesk_fleet.subscriber.notices.sending import PATIENCE, NotTakenError, Sender
from cleandesk_fleet.subscriber.notices.settings import NoticesSettings
from cleandesk_fleet.subscriber.notices.webhook import Webhook

log = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0
#: Beyond the longest try: whoever has it then was killed, or is frozen.
_LEASE = 2 * PATIENCE


def senders(settings: NoticesSettings) -> list[Sender]:
    """Return the ways that the settings name, ready to send.

    Raises:
        ConfigError: If a file that they name cannot be used.
    """
    ways: list[Sender] = []
    if settings.webhook is not None:
        ways.append(Webhook(settings.webhook))
    if settings.mail is not None:
        ways.append(Mail(settings.mail))
    return ways


class Courier:
    """Carries what one way is to tell.

    Args:
        engine: The log, for this courier alone.
        sender: The way.
        settings: How often, and for how long.
        judges: Whether this subscriber judges for all; the others leave it to that one.
        noticed: Told of each try: the way, and `sent`, `failed` or `given_up`.
        clock: Where time comes from.
    """

    def __init__(
        self,
        engine: Engine,
        sender: Sender,
        settings: NoticesSettings,
        *,
        judges: Callable[[], bool],
        noticed: Callable[[str, str], None],
        clock: Clock = system_clock,
    ) -> None:
        self._engine, self._sender, self._clock = engine, sender, clock
        self._judges, self._noticed = judges, noticed
        self._every = timedelta(seconds=settings.every_s)
        self._give_up = timedelta(hours=settings.give_up_h)
        self._lease = timedelta(seconds=_LEASE * sender.timeout_s)
        self._stopping = threading.Event()
        name = f"notices {sender.way}"
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin to carry; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """Begin nothing more; what is on its way is tried again after the next start."""
        self._stopping.set()
        self._thread.join(PATIENCE * self._sender.timeout_s)

    def turn(self) -> bool:
        """Carry one message, if there is one; say whether there was.

        Raises:
            SQLAlchemyError: If the log cannot be read or written; it is tried again the next time.
        """
        now, way = self._clock().utc, self._sender.way
        with self._engine.begin() as connection:
            message = outbox.take(connection, way, now, every=self._every, lease=self._lease)
        if message is None:
            return False
        about: dict[str, object] = {"way": way.value, "notice": message.name}
        about["violations"] = len(message.violations)
        try:
            self._sender.send(message)
        except NotTakenError as error:
            self._not_taken(message, error, about)
            return True
        with self._engine.begin() as connection:
            outbox.taken(connection, message, self._clock().utc)
        self._noticed(way.value, "sent")
        log.info("people were told of severe violations", extra=about)
        return True

    def _not_taken(
        self, message: outbox.Message, error: NotTakenError, about: dict[str, object]
    ) -> None:
        with self._engine.begin() as connection:
            next_at = outbox.failed(connection, message, self._clock().utc, self._give_up)
        over = next_at is None
        self._noticed(message.way.value, "given_up" if over else "failed")
        log.log(
            logging.ERROR if over else logging.WARNING,
            "a notice of severe violations is given up; the log has them"
            if over
            else "a notice of severe violations was not taken; it is tried again",
            extra=about | {"reason": error, "next_at": next_at, "attempts": message.attempts},
        )

    def _run(self) -> None:
        while not self._stopping.wait(LOOK_EVERY_S):
            try:
                while self._judges() and not self._stopping.is_set() and self.turn():
                    pass
            except SQLAlchemyError as error:
                log.warning("notices wait: the log cannot be used", extra={"reason": str(error)})
                self._engine.dispose()
            except Exception:
                # Whatever it was, the next one is to be told all the same.
                log.exception("a notice failed in a way that nobody thought of; it is tried again")


@contextmanager
def carrying(
    settings: NoticesSettings | None,
    ways: Sequence[Sender],
    place: Place,
    *,
    judges: Callable[[], bool],
    noticed: Callable[[str, str], None],
) -> Iterator[None]:
    """Carry what is to be told as long as this lasts, where the settings ask for it."""
    couriers = [
        Courier(open_beside(place), way, settings, judges=judges, noticed=noticed)
        for way in ways
        if settings is not None
    ]
    for courier in couriers:
        courier.start()
    try:
        yield
    finally:
        for courier in couriers:
            courier.stop()
