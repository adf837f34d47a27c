"""Another model on request: `cmd/model`.

The box's own process fetches and checks it, in a thread of its own, while it looks on with the
present one; another process tries it out. Then it keeps the new one and begins anew: all that
depends on a model's classes, scores and sizes is made at the start, in one way, and no memory is
taken for two. What is open outlives that as it outlives any restart.
"""

import logging
from collections.abc import Callable
from pathlib import Path

from cleandesk.clock import Clock, Instant
from cleandesk.contract.commands import Outcome
from cleandesk.contract.messages import Digest
from cleandesk.contract.model_messages import BoxModel, ModelRequest, ModelResponse
from cleandesk.contract.topics import Command
from cleandesk.control import errand
from cleandesk.control.errand import MOST_ATTEMPTS, Begun, Errand, RefusedError
from cleandesk.control.model_change import Means, roll_back, update
from cleandesk.detector import Manifest, ModelError, default_manifest, read_manifest
from cleandesk.model.kept import Kept
from cleandesk.model.running import counting, described
from cleandesk.model.trying import TryError
from cleandesk.settings import BoxSettings
from cleandesk.worker.commands import Asker, Commands

log = logging.getLogger(__name__)

_AN_HOUR = 6
#: So many looks a model on trial must have had, beside `safe_mode.healthy_after_s`.
LEAST_LOOKS = 20


class _Begun(Begun):
    """A request that is being done: what it asks for, and which fetched model ran when it came."""

    request: ModelRequest
    was: Digest | None


def path_of(outbox: Path) -> Path:
    """Return the path of the file that remembers a request: it lies beside the outbox."""
    return outbox.with_name(outbox.name + ".model")


class ModelUpdates:
    """Changes the model when it is asked to, one request at a time; follows one that is on trial.

    Args:
        own: The box's own settings.
        manifest: Of the model that runs.
        clock: The box's.
        means: What it acts by.
    """

    def __init__(self, own: BoxSettings, manifest: Manifest, clock: Clock, means: Means) -> None:
        self._own, self._clock, self._by = own, clock, means
        self._errand = Errand(
            Command.MODEL,
            record=path_of(own.outbox.path),
            begun=_Begun,
            response=ModelResponse,
            clock=clock,
            do=self._answer,
        )
        kept = counting(means.shelf.read())
        self._running = described(own, manifest, kept)
        self._on_trial, self._looks = kept.trial is not None, 0
        self._first: Instant | None = None

    @property
    def running(self) -> BoxModel:
        """The model that runs, as `health` tells it."""
        return self._running

    def serve(self, commands: Commands) -> None:
        """Plug in the command."""
        commands.add(
            Command.MODEL, ModelRequest, ModelResponse, self._on_request, per_hour=_AN_HOUR
        )

    def begin(self, commands: Commands) -> None:
        """Tell of a model that was given up; go on with what an earlier process began.

        To be called when the answers of earlier processes are known, and no request comes yet.
        """
        self._tell_given_up()
        begun = self._errand.pending
        self._by.shelf.tidy(but=None if begun is None else begun.request.sha256)
        if begun is not None:
            self._errand.resume(commands, begun)

    def looked(self, now: Instant) -> None:
        """Take note of a look: a model that lasts, and looks, is kept for good."""
        # The version before is to find what it had, should this one be left.
        if not self._on_trial or self._by.software_on_trial():
            return
        self._first, self._looks = self._first or now, self._looks + 1
        lasts_s = now.mono - self._first.mono
        if self._looks < LEAST_LOOKS or lasts_s < self._own.safe_mode.healthy_after_s:
            return
        self._on_trial = False
        try:
            kept = self._by.shelf.change(self._committed)
        except OSError as error:
            log.warning("a model stays on trial", extra={"why": error.strerror})
            return
        if kept.trial is None:
            state = {"state": kept.state}
            self._running = self._running.model_copy(update=state)
            log.info("the model works: it is kept", extra={"model": self._running.version})

    def _committed(self, kept: Kept) -> Kept:
        """Return the same with a model that runs and works; another one may wait by now."""
        runs = kept.present is not None and kept.present.artefact == self._running.artefact
        return kept.committed() if runs else kept

    def _on_request(self, request: ModelRequest, asker: Asker) -> None:
        self._errand.start(asker, lambda: self._begun(asker, request))

    def _begun(self, asker: Asker, request: ModelRequest) -> _Begun:
        present = self._by.shelf.read().present
        was = None if present is None else present.artefact
        topic, correlation = asker.topic, asker.correlation.hex()
        return _Begun(correlation=correlation, topic=topic, request=request, was=was)

    def _answer(self, asker: Asker, begun: _Begun) -> Callable[[], None] | None:
        """Do what was asked for, and answer; returns the restart, where one is due."""
        why: str
        try:
            self._errand.remember(begun.model_copy(update={"attempts": begun.attempts + 1}))
            before = self._by.shelf.read()
            kept = self._changed(begun, before)
        except (ModelError, TryError) as error:
            why = f"unfit: {error}"
        except errand.TOLD as error:
            why = errand.told(error)
        else:
            changed = kept.present != before.present
            done = self._errand.response(Outcome.DONE, None if changed else "it runs already")
            asker(done.model_copy(update={"model": self._described(kept)}))
            return self._by.restart if changed else None
        log.warning("no other model: %s", why, extra={"artefact": begun.request.artefact})
        asker(self._errand.response(Outcome.FAILED, why))
        self._by.shelf.tidy(but=begun.request.sha256)
        return None

    def _changed(self, begun: _Begun, kept: Kept) -> Kept:
        """Put another model on the shelf, unless that is done; returns what is kept.

        Raises:
            RefusedError: If it must not be; and what `update` and `roll_back` raise.
        """
        runs = None if kept.present is None else kept.present.artefact
        if self._own.detector.manifest is not None:
            raise RefusedError("own: the box's settings name a model: delete detector.manifest")
        if runs != begun.was or (runs is not None and runs == begun.request.sha256):
            return kept
        if self._by.software_on_trial():
            raise RefusedError("on_trial: the box's software is on trial: ask again in an hour")
        if begun.attempts >= MOST_ATTEMPTS:
            raise RefusedError("cut_off: the box was cut off each time: look into its log")
        return roll_back(self._by) if begun.request.rollback else update(self._by, begun.request)

    def _tell_given_up(self) -> None:
        lost = self._by.shelf.read().given_up
        if lost is None or lost.noted:
            return
        what = f"The model {lost.model.version} did not work ({lost.why})."
        self._by.note("model_given_up", f"{what} The box looks with the one before again.")
        try:
            self._by.shelf.change(Kept.noted)
        except OSError as error:
            log.warning("that a model was given up is told again", extra={"why": error.strerror})

    def _described(self, kept: Kept) -> BoxModel:
        """Return the model that runs once `kept` counts."""
        present = kept.present
        path = default_manifest() if present is None else self._by.shelf.manifest(present)
        return described(self._own, read_manifest(path), kept)
