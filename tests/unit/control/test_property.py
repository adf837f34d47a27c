"""Any sequence of configurations, requests, restarts, kills and damage: what is reported runs."""

import hashlib
import os
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from cleandesk.contract.config_messages import ConfigOutcome
from cleandesk.control import Configuration
from cleandesk.control import kept as keeping
from cleandesk.settings_worker import BreakSettings
from tests.unit.control.make import DESK, NOW, RULE, configuration, desired, own
from tests.unit.control.test_configuration import report

GOOD = st.fixed_dictionaries(
    {},
    optional={
        "looks_per_s": st.sampled_from([1, 2, 30]),
        "rules": st.sampled_from([[RULE], [RULE | {"dwell_s": 1}], [RULE, RULE | {"name": "two"}]]),
        "zones": st.sampled_from([{"desk": DESK}, {"desk": DESK, "chair": DESK}]),
        "breaks": st.sampled_from([{}, {"length_s": 60}]),
    },
)
BAD = st.sampled_from([{"lookz": 1}, {"rules": []}, {"zones": {"chair": DESK}}, {"site": "other"}])


class Afar(RuleBasedStateMachine):
    """A box, and a model of what must run on it."""

    def __init__(self) -> None:
        super().__init__()
        self.home = tempfile.TemporaryDirectory()
        self.folder = Path(self.home.name)

    @initialize()
    def begin(self) -> None:
        self.subject: Configuration = configuration(self.folder)
        self.version, self.digest = 0, ""
        self.highest = 0
        self.good: tuple[int, str, dict[str, Any], Any] = (0, "", {}, None)
        self.parts: dict[str, Any] = {}
        self.limits: dict[str, Any] | None = None

    @rule(config=GOOD, step=st.integers(-1, 3), kill=st.booleans())
    def desire(self, config: dict[str, Any], step: int, *, kill: bool) -> None:
        version = max(1, self.highest + step)
        payload = desired(version, **config)
        digest = hashlib.sha256(payload).hexdigest()
        proposal = self.subject.judge(payload)
        assert (proposal is not None) == (version > self.highest)
        if proposal is None:
            same = digest == self.digest
            outcome = report(self.subject).outcome
            assert outcome is (ConfigOutcome.ACCEPTED if same else ConfigOutcome.REJECTED)
            return
        if kill:  # between the verdict and the disk: it never was
            self.subject = configuration(self.folder)
            return
        self.subject.take(proposal, NOW)
        self.version, self.digest, self.parts = version, digest, config
        self.highest = version
        self.limits = None if "breaks" in config else self.limits
        assert report(self.subject).outcome is ConfigOutcome.ACCEPTED

    @rule(config=BAD)
    def desire_nonsense(self, config: dict[str, Any]) -> None:
        assert self.subject.judge(desired(self.highest + 1, **config)) is None
        assert report(self.subject).outcome is ConfigOutcome.REJECTED

    @rule(length_s=st.sampled_from([600, 900]))
    def limit_breaks(self, length_s: int) -> None:
        self.subject.take(self.subject.with_limits(BreakSettings(length_s=length_s)), NOW)
        self.limits = {"length_s": length_s}
        self.good = (*self.good[:3], self.limits)

    @rule()
    def last(self) -> None:
        self.subject.prove()
        self.good = (self.version, self.digest, self.parts, self.limits)

    @rule()
    def crash_again_and_again(self) -> None:
        unproven = (self.version, self.digest) != self.good[:2]
        assert keeping.fall_back(self.folder / "outbox.db.config", "it crashed") == unproven
        self.subject = configuration(self.folder)
        if unproven:
            assert report(self.subject).outcome is ConfigOutcome.REJECTED
            assert report(self.subject).version == self.highest
            self.version, self.digest, self.parts, self.limits = self.good

    @rule()
    def restart(self) -> None:
        self.subject = configuration(self.folder)

    @rule(cut=st.integers(1, 80))
    def tear(self, cut: int) -> None:
        path = self.folder / "outbox.db.config"
        if path.exists():
            path.write_bytes(path.read_bytes()[:-cut])
            self.subject = configuration(self.folder)
            assert report(self.subject).problems
            path.unlink()
            self.version, self.digest, self.parts, self.limits = 0, "", {}, None
            self.highest, self.good = 0, (0, "", {}, None)

    @rule()
    def leave_half_of_a_write(self) -> None:
        (self.folder / ".outbox.db.config.new").write_bytes(b"half")
        self.subject = configuration(self.folder)

    @invariant()
    def what_is_reported_runs(self) -> None:
        said = report(self.subject)
        assert (said.running_version or 0, said.running_sha256 or "") == (self.version, self.digest)
        assert said.break_limits_set == (self.limits is not None)
        limits = {} if self.limits is None else {"breaks": self.limits}
        assert self.subject.settings == own(**(self.parts | limits))

    def teardown(self) -> None:
        self.home.cleanup()


TestAfar = Afar.TestCase
TestAfar.settings = settings(
    max_examples=int(os.environ.get("CONFIG_SEARCH", "1500")) // 30,
    stateful_step_count=20,
    derandomize="CONFIG_SEARCH" not in os.environ,
    database=None,
    deadline=None,
)
