"""Answers Prometheus, on this machine alone."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import start_http_server

from cleandesk_fleet.subscriber.metrics.figures import Figures
from cleandesk_fleet.subscriber.metrics.settings import MetricsSettings

log = logging.getLogger(__name__)


@contextmanager
def serving(settings: MetricsSettings | None, figures: Figures) -> Iterator[None]:
    """Serve the figures as long as this lasts, where the settings ask for it.

    Raises:
        OSError: If the port cannot be had; the text says what to do.
    """
    if settings is None:
        yield
        return
    try:
        server, thread = start_http_server(settings.port, settings.address, figures.registry)
    except OSError as error:
        raise OSError(
            f"metrics: {settings.address}:{settings.port}: {error.strerror}: choose another "
            "'metrics.port', or end who listens there"
        ) from error
    log.info("metrics are served", extra={"address": settings.address, "port": settings.port})
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
