"""The proof of an identity: the broker takes it, and lets it write and read what is its own."""

import logging
import queue
from pathlib import Path

from cleandesk import __version__
from cleandesk.clock import Clock, boot_id
from cleandesk.config import ConfigError, load
from cleandesk.contract import reasons
from cleandesk.contract.messages import Availability, Status
from cleandesk.contract.mqtt import NotConnectedError, Publication, Session, TlsError
from cleandesk.contract.topics import Address, Channel, Side
from cleandesk.identity.errors import Code, IdentityError
from cleandesk.settings import BoxSettings

log = logging.getLogger(__name__)

_PATIENCE_S = 20.0


def prove(path: Path, clock: Clock, *, patience_s: float = _PATIENCE_S) -> str:
    """Connect as the box would, and publish that it has not started yet; returns the broker.

    Not while the box runs: the broker takes this for the same client.

    Args:
        path: The box's settings.
        clock: For the time in `status`.
        patience_s: How long the broker may take for each answer.

    Raises:
        IdentityError: If the broker is away, does not take us, or denies our own topics.
    """
    settings = _settings(path)
    address, broker = Address(settings.site, settings.box), settings.broker
    where, topic = f"{broker.host}:{broker.port}", address.topic(Channel.STATUS)
    ready: queue.SimpleQueue[bool] = queue.SimpleQueue()
    codes: queue.SimpleQueue[int] = queue.SimpleQueue()
    try:
        session = Session(
            broker,
            address.client_id,
            subscriptions=[
                address.topic(Channel.ACK),
                address.topic(Channel.COMMAND, "+", Side.REQUEST),
            ],
            on_connect=lambda: ready.put(True),
            on_puback=lambda _, code: codes.put(code),
        )
    except TlsError as error:
        raise IdentityError(Code.KEY, where, str(error), "claim the box anew") from error
    session.start()
    try:
        ready.get(timeout=patience_s)
        session.publish(Publication(topic, stopped(clock), retain=True))
        code = codes.get(timeout=patience_s)
    except (queue.Empty, NotConnectedError) as error:
        reason = "it did not take this box, or is away; the log has what it said"
        fix = "is it running, does it trust the boxes' authority, and is the name right? Try again"
        raise IdentityError(Code.BROKER, where, reason, fix) from error
    finally:
        session.stop()
    if code >= reasons.FAILURE:
        reason = f"the broker denies it ({code})"
        fix = "the broker's rules must let a box write its own topics: see deploy/broker/boxes.acl"
        raise IdentityError(Code.TOPIC, topic, reason, fix)
    return where


def _settings(path: Path) -> BoxSettings:
    try:
        return load(path, BoxSettings)
    except ConfigError as error:
        raise IdentityError(Code.SETTINGS, path, str(error), "put the settings right") from error


def stopped(clock: Clock) -> bytes:
    """Return the `status` of a box that does not run."""
    return Status(
        state=Availability.STOPPED,
        boot=boot_id(),
        version=__version__,
        model="not loaded yet",
        at=clock.now().utc,
    ).to_json()
