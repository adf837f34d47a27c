"""What a box changes its model by, made of what it has: the same in safe mode and out of it."""

from collections.abc import Callable

from cleandesk.clock import Clock
from cleandesk.control import software
from cleandesk.control.configuration import Configuration
from cleandesk.control.model_change import Means
from cleandesk.control.model_updates import ModelUpdates
from cleandesk.detector import Manifest
from cleandesk.identity.fetching import Fetching
from cleandesk.identity.home import Home
from cleandesk.link import Outbox
from cleandesk.loop import needs_of
from cleandesk.model.running import manifest_of, shelf_of
from cleandesk.model.trying import try_out
from cleandesk.settings import BoxSettings

#: A service that is away, or a line that brings nothing, is waited for so long: less than whoever
#: asks waits for an answer.
_PATIENCE_S = 240.0


def model_updates(
    own: BoxSettings,
    *,
    manifest: Manifest,
    clock: Clock,
    configuration: Configuration,
    outbox: Outbox,
    restart: Callable[[], None],
) -> ModelUpdates:
    """Return what changes a box's model.

    Args:
        own: The box's own settings.
        manifest: Of the model that runs.
        clock: The box's.
        configuration: What runs.
        outbox: Where changes are entered in the ledger.
        restart: Has the process end for a new start.
    """

    def slowest_s() -> float:
        running = configuration.settings
        return 1 / needs_of(running.rules, running.looks_per_s).least_looks_per_s

    home, wanted = Home.of(own.broker), own.detector
    means = Means(
        shelf=shelf_of(own),
        fetching=None if home is None else Fetching(home, clock, patience_s=_PATIENCE_S),
        objections=configuration.objections,
        slowest_s=slowest_s,
        try_out=lambda path: try_out(
            path, manifest_of(own), threads=wanted.threads, precision=wanted.precision
        ),
        note=outbox.note,
        restart=restart,
        software_on_trial=lambda: software.WHERE.on_trial,
    )
    return ModelUpdates(own, manifest, clock, means)
