"""Tells Prometheus and people what the subscriber sees, as far as its settings ask for it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from cleandesk_fleet.subscriber.database import open_reader
from cleandesk_fleet.subscriber.metrics.figures import Figures
from cleandesk_fleet.subscriber.metrics.serving import serving
from cleandesk_fleet.subscriber.metrics.state import FleetState
from cleandesk_fleet.subscriber.notices.courier import carrying, senders
from cleandesk_fleet.subscriber.notices.sending import Sender
from cleandesk_fleet.subscriber.service import Subscriber
from cleandesk_fleet.subscriber.settings import SubscriberSettings
from cleandesk_fleet.subscriber.store import Log


def ways_of(settings: SubscriberSettings) -> list[Sender]:
    """Return the ways by which people are told, ready to send.

    Raises:
        ConfigError: If a file that they name cannot be used.
    """
    return [] if settings.notices is None else senders(settings.notices)


@contextmanager
def watched(
    settings: SubscriberSettings,
    ways: Sequence[Sender],
    journal: Log,
    subscriber: Subscriber,
    figures: Figures,
) -> Iterator[None]:
    """Serve figures and carry notices as long as this lasts.

    Raises:
        OSError: If the port for the figures cannot be had.
    """

    def judges() -> bool:
        return journal.leads

    place = settings.store.place
    if settings.metrics is not None:
        figures.watch(connected=lambda: subscriber.connected, judges=judges)
        figures.registry.register(FleetState(open_reader(place), judges))
    carried = carrying(settings.notices, ways, place, judges=judges, noticed=figures.noticed)
    with serving(settings.metrics, figures), carried:
        yield
