"""What a box's software is changed by, made of what it has: the same in safe mode and out of it."""

from pathlib import Path

from cleandesk.clock import Clock
from cleandesk.control import software
from cleandesk.control.updates import Means, Updates
from cleandesk.identity.fetching import Fetching
from cleandesk.identity.home import Home
from cleandesk.link import Outbox
from cleandesk.settings import BoxSettings
from cleandesk.update.drop import Drop

#: A service that has ten thousand boxes to serve is waited for: nobody needs to ask once more.
_PATIENCE_S = 3 * 86_400.0
#: Four Mbit/s: whoever works at home has the line, too. 290 MB take ten minutes.
_MOST_PER_S = 512 * 1024.0


def folder_of(outbox: Path) -> Path:
    """Return where bundles come to: beside the outbox, as systemd's units know it."""
    return outbox.with_name("update")


def updates(own: BoxSettings, *, clock: Clock, boot: str, outbox: Outbox) -> Updates:
    """Return what changes a box's software.

    Args:
        own: The box's own settings.
        clock: The box's.
        boot: Id of this power-on.
        outbox: Where changes are entered in the ledger.
    """
    home, path = Home.of(own.broker), own.outbox.path
    fetching = None
    if home is not None:
        fetching = Fetching(home, clock, patience_s=_PATIENCE_S, most_per_s=_MOST_PER_S)
    drop = Drop(folder_of(path))
    means = Means(drop=drop, fetching=fetching, note=outbox.note, boot=boot, where=software.WHERE)
    return Updates(path, clock, means)
