"""Another model on request: `cmd/model`.

The box's own process fetches and checks it, in a thread of its own, while it looks on with the
present one; another process tries it out. Then it keeps the new one and begins anew: all that
depends on a model's classes, scores and sizes is made at the start, in one way, and no memory is
taken for two. What is open outlives that as it outlives any restart.
"""

import logging
import threading
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cleandesk import durable
from cleandesk.clock import Clock, Instant
from cleandesk.contract.artefact import Digest
from cleandesk.contract.artefact_errors import ArtefactError
from cleandesk.contract.commands import Outcome
from cleandesk.contract.messages import Count
from cleandesk.contract.model_messages import BoxModel, ModelRequest, ModelResponse
from cleandesk.contract.topics import Command
from cleandesk.control.model_change import Means, RefusedError, roll_back, update
from cleandesk.detector import Manifest, ModelError, default_manifest, read_manifest
from cleandesk.identity.errors import IdentityError
from cleandesk.model.kept import Kept
from cleandesk.model.running import described
from cleandesk.model.trying import TryError
from cleandesk.settings import BoxSettings
from cleandesk.worker.commands import Asker, Commands

log = logging.getLogger(__name__)

_AN_HOUR = 6
#: So many looks a model on trial must have had, beside `safe_mode.healthy_after_s`.
LEAST_LOOKS = 20
#: A request whose process was cut off so often is gone on with no more.
_MOST_ATTEMPTS = 5
_MOST_DETAIL = 200
#: What is being finished is waited for so long.
_TURN_S = 1.0


class _Begun(BaseModel):
    """A request that is being done: who waits, and which fetched model ran when it came."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    correlation: str = Field(pattern=r"^([0-9a-f]{2}){1,64}$")
    topic: str
    request: ModelRequest
    was: Digest | None
    attempts: Count = 0


def path_of(outbox: Path) -> Path:
    """Return the path of the file that remembers a request: it lies beside the outbox."""
    return outbox.with_name(outbox.name + ".model")


class ModelUpdates:
    """Changes the model when it is asked to, one request at a time; follows one that is on trial.

    A request is on the disk before it is begun: killed at any moment, the next process goes on with
    it, and gives the answer that is owed.

    Args:
        own: The box's own settings.
        manifest: Of the model that runs.
        clock: The box's.
        means: What it acts by.
    """

    def __init__(self, own: BoxSettings, manifest: Manifest, clock: Clock, means: Means) -> None:
        self._own, self._clock, self._by = own, clock, means
        self._record = path_of(own.outbox.path)
        self._at_work = threading.Lock()
        kept = means.shelf.read()
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
        begun = self._read()
        self._by.shelf.tidy(but=None if begun is None else begun.request.sha256)
        if begun is None:
            return
        asker = commands.again(Command.MODEL, bytes.fromhex(begun.correlation), begun.topic)
        if asker is None:
            self._forget()
        else:
            log.info("a model was asked for before this start: going on with it")
            self._start(asker, begun)

    def looked(self, now: Instant) -> None:
        """Take note of a look: a model that lasts, and looks, is kept for good."""
        if not self._on_trial:
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
        self._start(asker, request)

    def _start(self, asker: Asker, asked: ModelRequest | _Begun) -> None:
        work = threading.Thread(target=self._run, args=(asker, asked), name="model", daemon=True)
        work.start()

    def _run(self, asker: Asker, asked: ModelRequest | _Begun) -> None:
        if not self._at_work.acquire(timeout=_TURN_S):
            asker(self._response(Outcome.BUSY, "another request for a model is at work"))
            return
        try:
            begun = asked if isinstance(asked, _Begun) else self._begun(asker, asked)
            changed = self._answer(asker, begun)
            self._forget()
            if changed:
                self._by.restart()
        except Exception:
            log.exception("a request for a model failed; the next start goes on with it")
        finally:
            self._at_work.release()

    def _begun(self, asker: Asker, request: ModelRequest) -> _Begun:
        present = self._by.shelf.read().present
        was = None if present is None else present.artefact
        topic, correlation = asker.topic, asker.correlation.hex()
        return _Begun(correlation=correlation, topic=topic, request=request, was=was)

    def _answer(self, asker: Asker, begun: _Begun) -> bool:
        """Do what was asked for, and answer; returns whether a restart is due."""
        why: str
        try:
            self._remember(begun.model_copy(update={"attempts": begun.attempts + 1}))
            before = self._by.shelf.read()
            kept = self._changed(begun, before)
        except RefusedError as error:
            why = str(error)
        except ArtefactError as error:
            why = f"{error.fault}: {error.reason}: {error.fix}"
        except IdentityError as error:
            why = f"{error.code}: {error.reason}: {error.fix}"
        except (ModelError, TryError) as error:
            why = f"unfit: {error}"
        except OSError as error:
            why = f"disk: {(error.strerror or 'it fails').lower()}: look at the box's disk"
        else:
            changed = kept.present != before.present
            done = self._response(Outcome.DONE, None if changed else "it runs already")
            asker(done.model_copy(update={"model": self._described(kept)}))
            return changed
        log.warning("no other model: %s", why, extra={"artefact": begun.request.artefact})
        asker(self._response(Outcome.FAILED, why))
        self._by.shelf.tidy(but=begun.request.sha256)
        return False

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
        if begun.attempts >= _MOST_ATTEMPTS:
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

    def _remember(self, begun: _Begun) -> None:
        durable.write(self._record, begun.model_dump_json().encode())

    def _read(self) -> _Begun | None:
        try:
            content = durable.read(self._record)
            return None if content is None else _Begun.model_validate_json(content)
        except (durable.DamagedError, ValidationError) as error:
            log.warning("a model was asked for, and nobody can tell which: ask again")
            log.debug("the file is damaged", extra={"why": str(error)[:_MOST_DETAIL]})
            return None

    def _forget(self) -> None:
        try:
            durable.forget(self._record)
        except OSError as error:
            log.warning("what was answered stays on file", extra={"why": error.strerror})

    def _response(self, outcome: Outcome, detail: str | None) -> ModelResponse:
        now = self._clock.now()
        return ModelResponse(
            outcome=outcome,
            detail=None if detail is None else detail[:_MOST_DETAIL],
            at=now.utc,
            clock_synced=now.synced,
        )
