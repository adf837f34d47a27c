"""A fetched model has to show that it works: one that crashes the box, or cannot be used, is left.

A process that ends without a word, in a power-on that goes on, has crashed. After a power cut
nobody can tell: that many starts in a row that came to no end lead back, too.

While the software itself is on trial nothing is left, and nothing written: it may be what does not
work, and the version before it is to find the models that it had.
"""

import logging
from collections.abc import Callable

from cleandesk.contract.messages import Text
from cleandesk.detector import ModelError
from cleandesk.model.kept import Fetched, Kept
from cleandesk.model.running import counting
from cleandesk.model.shelf import Shelf

log = logging.getLogger(__name__)

#: So many starts on trial may be cut off by the power.
MOST_STARTS = 5
_LONGEST = 160


class Probation:
    """Follows one process of a box. A disk that takes nothing never keeps a box from looking.

    Args:
        shelf: The fetched models.
        boot: Id of this power-on.
        software_on_trial: What runs is an update that nobody has committed.
    """

    def __init__(self, shelf: Shelf, boot: str, *, software_on_trial: bool = False) -> None:
        self._shelf, self._boot, self._reads_only = shelf, boot, software_on_trial
        self._runs: Fetched | None = None

    def begin(self) -> None:
        """Count a start, or go back if the last one with this model did not end well.

        Raises:
            ModelError: If the shipped model has no manifest.
        """
        self._change(self._begun)
        self._runs = counting(self._shelf.read()).present

    def _begun(self, kept: Kept) -> Kept:
        counts = counting(kept)
        if counts != kept:
            log.info("the software brought a newer model than the fetched one")
            kept = counts
        while (why := self._broken(kept)) is not None:
            log.error("a model is given up", extra={"why": why})
            kept = kept.fallen_back(why)
        return kept if kept.trial is None else kept.begun(self._boot)

    def _broken(self, kept: Kept) -> Text | None:
        """Return why the present model cannot stay."""
        present, trial = kept.present, kept.trial
        if present is None:
            return None
        if not self._shelf.holds(present):
            return "its files are damaged"
        if trial is not None and trial.boot == self._boot:
            return "a start with it crashed"
        if trial is not None and trial.starts >= MOST_STARTS:
            return f"{trial.starts} starts with it came to no end"
        return None

    def ended(self) -> None:
        """Take note that the process ends in order."""
        self._change(lambda kept: kept.ended() if self._tries(kept) else kept)

    def failed(self, error: BaseException) -> None:
        """Take note of what the process dies of: a model on trial, or one that is broken, goes."""
        why = f"{type(error).__name__}: {error}"[:_LONGEST]

        def left(kept: Kept) -> Kept:
            broken = isinstance(error, ModelError) and kept.present == self._runs
            return kept.fallen_back(why) if broken or self._tries(kept) else kept

        self._change(left)

    def _tries(self, kept: Kept) -> bool:
        """Say whether the model on trial is the one that this process runs."""
        return kept.trial is not None and kept.present == self._runs

    def _change(self, to: Callable[[Kept], Kept]) -> None:
        if self._reads_only:
            return
        try:
            self._shelf.change(to)
        except OSError as error:
            log.warning("how a model does is not kept", extra={"why": error.strerror})
