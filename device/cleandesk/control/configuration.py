"""What a box runs by: its own file, with what came by MQTT in its place where that is good."""

import hashlib
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cleandesk.checks import fits
from cleandesk.clock import Instant
from cleandesk.config import ConfigError, Loaded, Problem, fit
from cleandesk.config_json import read_json
from cleandesk.config_yaml import Document
from cleandesk.contract.config_messages import (
    MAX_DESIRED,
    ConfigOutcome,
    ConfigProblem,
    DesiredConfig,
    ReportedConfig,
)
from cleandesk.control import kept as keeping
from cleandesk.control.kept import Accepted, GivenUp, Kept, Taken
from cleandesk.detector import Manifest
from cleandesk.settings import BoxSettings
from cleandesk.settings_remote import RemoteSettings
from cleandesk.settings_worker import BreakSettings
from cleandesk.worker.limiter import HOUR_S, Limiter

log = logging.getLogger(__name__)

_NAME = Path("config/desired")
_LONGEST_KEY, _LONGEST_REASON, _LONGEST_FIX, _MOST_PROBLEMS = 200, 500, 1000, 100
#: So many are taken over in any hour of one power-on; their notes fill an eighth of the ledger at
#: most.
CHANGES_AN_HOUR = 12


@dataclass(frozen=True, slots=True)
class Proposal:
    """A configuration that is good, and not taken over yet.

    Attributes:
        kept: What is to be kept of it.
        settings: What would run.
        parts: Names of the settings that it changes.
    """

    kept: Kept
    settings: BoxSettings
    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a `config/desired`, but for the time.

    Attributes:
        version: Its own; None where it cannot be read.
    """

    outcome: ConfigOutcome
    version: int | None = None
    sha256: str | None = None
    problems: tuple[Problem, ...] = ()


class Configuration:
    """The running configuration. In one thread.

    Attributes:
        settings: What runs.

    Args:
        own: The box's own file.
        manifest: Of its model.
        path: The file of `kept`; one that cannot be used is left alone until a good one comes.
        boot: Id of this power-on.
    """

    def __init__(self, own: BoxSettings, manifest: Manifest, path: Path, boot: str) -> None:
        self._own, self._manifest, self._path, self._boot = own, manifest, path, boot
        self.settings, self._kept = own, Kept()
        self._changes = Limiter(CHANGES_AN_HOUR, HOUR_S)
        self._verdict = Verdict(ConfigOutcome.OWN)
        try:
            kept = keeping.read(path)
            self.settings, self._kept = self._merged(kept), kept
        except keeping.UnknownConfigError as error:
            self._fall_back([Problem(path, None, "", str(error), "it is awaited by MQTT anew")])
        except ConfigError as error:
            self._fall_back(error.problems)
        else:
            self._verdict = self._begun()
            taken = self._kept.taken
            for at in taken.at if taken is not None and taken.boot == boot else ():
                self._changes.count(at)

    @property
    def proven(self) -> bool:
        """Whether there is nothing to go back to: what runs is known to be good."""
        return self._kept.before is None

    @property
    def untold(self) -> GivenUp | None:
        """What was given up, and the ledger does not tell of yet."""
        given_up = self._kept.given_up
        return None if given_up is None or given_up.noted else given_up

    def full(self, now: Instant) -> bool:
        """Say whether no more is taken over at present."""
        return self._changes.full(now.mono)

    def judge(self, payload: bytes) -> Proposal | None:
        """Check a `config/desired` and remember the verdict, for `report`.

        Returns:
            What to `take`; None if it is bad, or what runs already.
        """
        digest = hashlib.sha256(payload).hexdigest()
        if digest == self._kept.sha256:
            self._verdict = self._running()
            return None
        given_up = self._kept.given_up
        if given_up is not None and digest == given_up.sha256:
            self._verdict = _crashed(given_up)
            return None
        version: int | None = None
        try:
            desired = self._read(payload)
            version = desired.version
            breaks = self._kept.breaks if desired.config.breaks is None else None
            accepted = Accepted(
                version=version, sha256=digest, config=desired.config, breaks=breaks
            )
            self._refuse_old(version)
            return self._proposal(self._kept.replaced_by(accepted))
        except ConfigError as error:
            log.warning(
                "a configuration is rejected",
                extra={"version": version, "problems": len(error.problems)},
            )
            self._verdict = Verdict(ConfigOutcome.REJECTED, version, digest, error.problems)
            return None

    def with_limits(self, limits: BreakSettings) -> Proposal:
        """Return the running configuration with other limits on breaks."""
        return self._proposal(self._kept.limited_by(limits))

    def objections(self, manifest: Manifest) -> list[Problem]:
        """Return what the running settings, and the box's own, ask that a model cannot do."""
        return [
            problem
            for settings in (self.settings, self._own)
            for problem in fits(Loaded(settings, Document(_NAME, {})), manifest)
        ]

    def take(self, proposal: Proposal, now: Instant) -> None:
        """Keep a proposal: it is on the disk when this returns, and runs.

        Raises:
            OSError: The disk does not take it; then what ran before runs on.
        """
        kept = proposal.kept
        if kept.version != self._kept.version:
            self._changes.count(now.mono)
            before = self._kept.taken
            earlier = before.at if before is not None and before.boot == self._boot else ()
            at = (*earlier, now.mono)[-CHANGES_AN_HOUR:]
            kept = kept.model_copy(update={"taken": Taken(boot=self._boot, at=at)})
        keeping.write(self._path, kept)
        self._kept, self.settings = kept, proposal.settings
        self._verdict = self._running()

    def prove(self) -> None:
        """Keep no way back: what runs is good.

        Raises:
            OSError: The disk does not take it; then the way back stays.
        """
        self._keep(self._kept.proven())

    def noted(self) -> None:
        """Remember that the ledger tells of what was given up.

        Raises:
            OSError: The disk does not take it; then it is told again.
        """
        if self._kept.given_up is not None:
            noted = self._kept.given_up.model_copy(update={"noted": True})
            self._keep(self._kept.model_copy(update={"given_up": noted}))

    def _keep(self, kept: Kept) -> None:
        keeping.write(self._path, kept)
        self._kept = kept

    def delay(self, proposal: Proposal) -> None:
        """Remember that a proposal is good, and waits: there were too many before it."""
        kept = proposal.kept
        reason = f"{CHANGES_AN_HOUR} were taken over within an hour: this one waits"
        fix = "wait; a newer one takes its place"
        problem = Problem(_NAME, None, "", reason, fix)
        self._verdict = Verdict(ConfigOutcome.BUSY, kept.version, kept.sha256, (problem,))

    def withdraw(self) -> None:
        """Forget the last verdict: nothing else is asked for any more."""
        self._verdict = self._running()

    def refuse(self, proposal: Proposal, error: OSError) -> None:
        """Remember that a proposal could not be kept."""
        reason = f"the disk does not take it: {(error.strerror or 'it fails').lower()}"
        problem = Problem(self._path, None, "", reason, "look at the box's disk")
        kept = proposal.kept
        self._verdict = Verdict(ConfigOutcome.REJECTED, kept.version, kept.sha256, (problem,))

    def report(self, now: Instant) -> ReportedConfig:
        """Return what became of the last `config/desired`, and what runs."""
        said, kept = self._verdict, self._kept
        return ReportedConfig(
            outcome=said.outcome,
            version=said.version,
            sha256=said.sha256,
            problems=[
                ConfigProblem(
                    key=one.key[:_LONGEST_KEY],
                    reason=one.reason[:_LONGEST_REASON],
                    fix=one.fix[:_LONGEST_FIX],
                )
                for one in said.problems[:_MOST_PROBLEMS]
            ],
            running_version=kept.version,
            running_sha256=kept.sha256,
            break_limits_set=kept.breaks is not None,
            at=now.utc,
            clock_synced=now.synced,
        )

    def _read(self, payload: bytes) -> DesiredConfig:
        document = read_json(str(_NAME), payload, MAX_DESIRED)
        config = document.data.get("config") if isinstance(document.data, dict) else None
        if isinstance(config, dict):
            for key in _own_keys().intersection(config):
                problem = document.problem(
                    ("config", key), "only the box's own file may set this", "delete it"
                )
                document.problems.append(problem)
                del config[key]
        return fit(document, DesiredConfig)

    def _refuse_old(self, version: int) -> None:
        highest = self._kept.highest
        if version <= highest:
            runs = self._kept.version == highest
            reason = f"{version} is not above {highest}, which {'runs' if runs else 'crashed'}"
            fix = "give each change a higher version"
            raise ConfigError([Problem(_NAME, 1, "version", reason, fix)])

    def _proposal(self, kept: Kept) -> Proposal:
        settings = self._merged(kept)
        return Proposal(kept, settings, tuple(_changed(self.settings, settings)))

    def _merged(self, kept: Kept) -> BoxSettings:
        """Return the settings that this makes of the box's own.

        Raises:
            ConfigError: They do not fit together, or the model cannot do what they ask for.
        """
        data = kept.config.over(self._own)
        if kept.breaks is not None:
            data["breaks"] = kept.breaks
        document = Document(_NAME, data)
        settings = fit(document, BoxSettings)
        problems = list(fits(Loaded(settings, document), self._manifest))
        if problems:
            raise ConfigError(problems)
        return settings

    def _begun(self) -> Verdict:
        given_up = self._kept.given_up
        if given_up is not None and given_up.version == self._kept.highest:
            return _crashed(given_up)
        return self._running()

    def _running(self) -> Verdict:
        if self._kept.version is None:
            return Verdict(ConfigOutcome.OWN)
        return Verdict(ConfigOutcome.ACCEPTED, self._kept.version, self._kept.sha256)

    def _fall_back(self, problems: Iterable[Problem]) -> None:
        self._verdict = Verdict(ConfigOutcome.OWN, problems=tuple(problems))
        log.error(
            "the last configuration cannot be used: the box's own file runs",
            extra={"problems": [str(problem) for problem in self._verdict.problems]},
        )


def _crashed(given_up: GivenUp) -> Verdict:
    reason = f"with it {given_up.why}"
    fix = "correct it, and give it a higher version; the last good one runs meanwhile"
    problem = Problem(_NAME, None, "", reason, fix)
    return Verdict(ConfigOutcome.REJECTED, given_up.version, given_up.sha256, (problem,))


def _changed(before: BoxSettings, after: BoxSettings) -> Iterable[str]:
    for name in RemoteSettings.model_fields:
        if getattr(before, name) != getattr(after, name):
            yield name


def _own_keys() -> set[str]:
    """Return the keys that only the box's own file may set."""
    keys = {info.alias or name for name, info in BoxSettings.model_fields.items()}
    return keys - set(RemoteSettings.model_fields)
