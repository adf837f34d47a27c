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
from cleandesk.control.kept import Kept
from cleandesk.detector import Manifest
from cleandesk.settings import BoxSettings
from cleandesk.settings_remote import RemoteSettings
from cleandesk.settings_worker import BreakSettings

log = logging.getLogger(__name__)

_NAME = Path("config/desired")
_LONGEST_KEY, _LONGEST_REASON, _LONGEST_FIX, _MOST_PROBLEMS = 200, 500, 1000, 100


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
    """

    def __init__(self, own: BoxSettings, manifest: Manifest, path: Path) -> None:
        self._own, self._manifest, self._path = own, manifest, path
        self.settings, self._kept = own, Kept()
        self._verdict = Verdict(ConfigOutcome.OWN)
        try:
            kept = keeping.read(path)
            self.settings, self._kept = self._merged(kept), kept
        except keeping.UnknownConfigError as error:
            self._fall_back([Problem(path, None, "", str(error), "it is awaited by MQTT anew")])
        except ConfigError as error:
            self._fall_back(error.problems)
        else:
            self._verdict = self._running()

    def judge(self, payload: bytes) -> Proposal | None:
        """Check a `config/desired` and remember the verdict, for `report`.

        Returns:
            What to `take`; None if it is bad, or what runs already.
        """
        digest = hashlib.sha256(payload).hexdigest()
        if digest == self._kept.sha256:
            self._verdict = self._running()
            return None
        version: int | None = None
        try:
            desired = self._read(payload)
            version = desired.version
            breaks = self._kept.breaks if desired.config.breaks is None else None
            kept = Kept(version=version, sha256=digest, config=desired.config, breaks=breaks)
            self._refuse_old(version)
            return self._proposal(kept)
        except ConfigError as error:
            log.warning(
                "a configuration is rejected",
                extra={"version": version, "problems": len(error.problems)},
            )
            self._verdict = Verdict(ConfigOutcome.REJECTED, version, digest, error.problems)
            return None

    def with_limits(self, limits: BreakSettings) -> Proposal:
        """Return the running configuration with other limits on breaks."""
        return self._proposal(self._kept.model_copy(update={"breaks": limits}))

    def take(self, proposal: Proposal) -> None:
        """Keep a proposal: it is on the disk when this returns, and runs.

        Raises:
            OSError: The disk does not take it; then what ran before runs on.
        """
        keeping.write(self._path, proposal.kept)
        self._kept, self.settings = proposal.kept, proposal.settings
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
        running = self._kept.version
        if running is not None and version <= running:
            reason = f"{version} is not above {running}, which runs"
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


def _changed(before: BoxSettings, after: BoxSettings) -> Iterable[str]:
    for name in RemoteSettings.model_fields:
        if getattr(before, name) != getattr(after, name):
            yield name


def _own_keys() -> set[str]:
    """Return the keys that only the box's own file may set."""
    keys = {info.alias or name for name, info in BoxSettings.model_fields.items()}
    return keys - set(RemoteSettings.model_fields)
