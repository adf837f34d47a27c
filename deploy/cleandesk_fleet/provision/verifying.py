"""Is this box well? What it says of itself, and what state and broker say of it."""

import re
import secrets
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from cleandesk.contract.commands import Outcome
from cleandesk.contract.doctor_messages import (
    CheckResult,
    DoctorCheck,
    DoctorCode,
    DoctorRequest,
    DoctorResponse,
)
from cleandesk.contract.health import Health
from cleandesk.contract.messages import Availability, Status
from cleandesk.contract.topics import Address, Command
from cleandesk_fleet.provision import access, boxes, certificates
from cleandesk_fleet.provision.asking import Line, Tell
from cleandesk_fleet.provision.authorities import Issuer
from cleandesk_fleet.provision.boxes import State
from cleandesk_fleet.provision.change import utc_now
from cleandesk_fleet.provision.errors import (
    BoxError,
    BrokerError,
    OfflineError,
    ProvisionError,
    halves,
)
from cleandesk_fleet.provision.fleet import Fleet
from cleandesk_fleet.provision.label import page_of

#: A box renews in the last third of its certificate's life, and has begun when a quarter is left.
_OVERDUE = 1 / 5
#: `health` comes each minute, unless a site wants it more rarely: each hour at most.
_HEALTH_S, _HEALTH_AT_MOST_S = 180.0, 3600.0 + 180.0
_CORRELATION_BYTES = 16
_MOST = 200
#: A serial number in what a box says of its certificate.
_SERIAL = re.compile(r"\b[0-9a-f]{16,40}\b")


class Code(StrEnum):
    """What can be wrong as seen from here. None changes its meaning.

    `not_enrolled`: it has no identity, or none any more. `no_certificate`: none that was signed
    here holds. `certificate_unknown`: the box names one that is none of these. `not_renewed`: the
    newest one is nearly over, or a new key was asked for and has not come. `list_over`: the boxes'
    revocation list is too old, so that the broker lets none of them in. `rules_tight`,
    `rules_wide`: the broker's rules keep a box from its own topics, or let it at others'.
    `broker_away`: the administrator does not reach the broker. `offline`: the box is not on the
    line. `health_old`: its `health` is missing, or too old. `no_answer`: it was asked what is
    wrong, and did not say.
    """

    NOT_ENROLLED = "not_enrolled"
    NO_CERTIFICATE = "no_certificate"
    CERTIFICATE_UNKNOWN = "certificate_unknown"
    NOT_RENEWED = "not_renewed"
    LIST_OVER = "list_over"
    RULES_TIGHT = "rules_tight"
    RULES_WIDE = "rules_wide"
    BROKER_AWAY = "broker_away"
    OFFLINE = "offline"
    HEALTH_OLD = "health_old"
    NO_ANSWER = "no_answer"


@dataclass(frozen=True, slots=True)
class Check:
    """One failure that was looked for.

    Attributes:
        by: Who looked: `here` or `box`.
    """

    by: str
    found: DoctorCheck

    def as_row(self) -> dict[str, str | None]:
        """Return it as plain data."""
        one = self.found
        told = {"by": self.by, "code": str(one.code), "result": one.result.value}
        return {**told, "said": one.said, "fix": one.fix}


@dataclass(frozen=True, slots=True)
class Verified:
    """All that was looked for.

    Attributes:
        checks: Those from here first.
        aiming_view: Where the worker starts the view for aiming the camera, in the home network.
    """

    address: Address
    checks: tuple[Check, ...]
    aiming_view: str

    @property
    def ok(self) -> bool:
        """Whether nothing failed."""
        return all(one.found.result is not CheckResult.FAILED for one in self.checks)

    @property
    def summary(self) -> str:
        """What to do, and how many failed."""
        fixes = [f"{one.found.code}: {one.found.fix}" for one in self.checks if one.found.fix]
        count = Counter(one.found.result for one in self.checks)
        counts = ", ".join(f"{count[one]} {one.replace('_', ' ')}" for one in CheckResult)
        where = f"to see the picture, on the worker's page: {self.aiming_view}"
        word = "well" if self.ok else "not well"
        return "\n".join([*fixes, where, f"{self.address} is {word}: {counts}"])


def verify(fleet: Fleet, address: Address, *, wait_s: float, tell: Tell) -> Verified:
    """Look for everything that can be wrong with a box. That it was asked is in the audit trail.

    Args:
        fleet: The fleet.
        address: The box.
        wait_s: Wait so long for the box's answer, seconds.
        tell: Told what is waited for.

    Raises:
        UnknownNameError: If there is no such box.
    """
    with fleet.registry.change() as change:
        boxes.known(change, address)
        change.note("asked what is wrong", str(address))
    ours = [*_state(fleet, address), *_rules(fleet.settings.broker.files / "boxes.acl", address)]
    heard = _ask(fleet, address, wait_s, tell)
    ours += _seen(heard)
    its = heard.answer.checks if heard.answer is not None else []
    ours.append(_known(fleet, address, its))
    checks = [Check("here", one) for one in ours] + [Check("box", one) for one in its]
    return Verified(address, tuple(checks), f"{page_of(address)}aim")


def _state(fleet: Fleet, address: Address) -> Iterator[DoctorCheck]:
    """Look into the state, and at the boxes' revocation list."""
    with fleet.registry.change() as change:
        now = change.now
        row = boxes.known(change, address)
        held = certificates.valid(change, Issuer.BOXES, str(address))
    fix = f"`box new {address} --again`, `sd`, and start the box from the new card"
    if row.state == State.NEW:
        fix = f"start the box from its card, which `sd {address} CARD` writes; read its log there"
    elif row.state == State.DECOMMISSIONED:
        fix = "give the box another name: this one is not given again"
    yield _check(Code.NOT_ENROLLED, row.state == State.ENROLLED, f"it is {row.state}", fix)
    if not held:
        yield _check(Code.NO_CERTIFICATE, False, "none that holds was signed here", fix)
        yield _untried(Code.NOT_RENEWED, "there is no certificate")
    else:
        newest = held[0]
        said = f"{newest.serial}, not revoked, ends {newest.ends_at:%Y-%m-%d}"
        yield _check(Code.NO_CERTIFICATE, True, said)
        overdue = newest.ends_at - now < (newest.ends_at - newest.made_at) * _OVERDUE
        due = row.rotate_at is not None and newest.made_at < row.rotate_at
        said = f"{(newest.ends_at - now).days} days left"
        if due:
            said += f"; a new key was asked for on {row.rotate_at:%Y-%m-%d} and has not come"
        yield _check(Code.NOT_RENEWED, not (overdue or due), said, f"`rotate {address}` says why")
    current = fleet.authorities.read_list(Issuer.BOXES)
    ends = None if current is None else current.next_update_utc
    said = "there is none" if ends is None else f"it holds to {ends:%Y-%m-%d}"
    fix = "run `crl`, and keep `serve` running, which writes it anew each day"
    yield _check(Code.LIST_OVER, ends is not None and ends > now, said, fix)


def _rules(path: Path, address: Address) -> Iterator[DoctorCheck]:
    """Read the broker's rules for boxes as the broker does."""
    try:
        rules = access.Rules.read(path, str(address))
    except OSError as error:
        for code in (Code.RULES_TIGHT, Code.RULES_WIDE):
            yield _untried(code, f"{path}: {error.strerror}: they lie where the broker runs")
        return
    fix = f"copy `deploy/broker/boxes.acl` to {path} and reload the broker"
    denied, open_to = access.too_tight(rules, address), access.too_wide(rules, address)
    said = ", ".join(denied) or "every own topic is allowed"
    yield _check(Code.RULES_TIGHT, not denied, said, fix)
    said = ", ".join(open_to) or "every other box's topic is denied"
    yield _check(Code.RULES_WIDE, not open_to, said, fix)


@dataclass(frozen=True, slots=True)
class _Heard:
    """What came of asking the box.

    Attributes:
        at: When the broker was looked at.
        away: Why the broker could not be asked.
        here: Whether the broker has somebody who takes the box's requests.
        error: Why there is no answer.
    """

    at: datetime
    away: BrokerError | None = None
    here: bool = False
    status: Status | None = None
    health: Health | None = None
    answer: DoctorResponse | None = None
    error: ProvisionError | None = None


def _ask(fleet: Fleet, address: Address, wait_s: float, tell: Tell) -> _Heard:
    at, correlation = utc_now(), secrets.token_bytes(_CORRELATION_BYTES)
    answer: DoctorResponse | None = None
    error: ProvisionError | None = None
    try:
        with Line(fleet.admin(), address, Command.DOCTOR) as line:
            try:
                answer = line.ask(
                    DoctorRequest(), DoctorResponse, correlation, wait_s=wait_s, tell=tell
                )
            except (OfflineError, BoxError) as wrong:
                error = wrong
            return _Heard(at, None, line.here, line.status, line.health, answer, error)
    except BrokerError as wrong:
        return _Heard(at, away=wrong)


def _seen(heard: _Heard) -> Iterator[DoctorCheck]:
    """Judge what came of asking."""
    if heard.away is not None:
        yield _check(Code.BROKER_AWAY, False, *halves(heard.away))
        for code in (Code.OFFLINE, Code.HEALTH_OLD, Code.NO_ANSWER):
            yield _untried(code, "the broker could not be asked")
        return
    yield _check(Code.BROKER_AWAY, True, "it takes the administrator")
    yield _online(heard)
    yield _healthy(heard)
    if not heard.here:
        yield _untried(Code.NO_ANSWER, "the box is offline")
    elif heard.answer is None:
        said, fix = halves(heard.error) if heard.error else ("", "")
        yield _check(Code.NO_ANSWER, False, said, fix)
    else:
        its = heard.answer
        said = f"it answered '{its.outcome}'" + (f": {its.detail}" if its.detail else "")
        yield _check(Code.NO_ANSWER, its.outcome is Outcome.DONE, said, "ask again later")


def _known(fleet: Fleet, address: Address, its: list[DoctorCheck]) -> DoctorCheck:
    """Hold the certificate that the box says it has against those that were signed here."""
    told = [one.said for one in its if one.code is DoctorCode.IDENTITY_MISSING]
    shown = _SERIAL.search(" ".join(told))
    if shown is None:
        return _untried(Code.CERTIFICATE_UNKNOWN, "the box does not say which one it has")
    with fleet.registry.change() as change:
        held = [row.serial for row in certificates.valid(change, Issuer.BOXES, str(address))]
    fix = f"find out who signed it; then `revoke {address}`, `box new {address} --again`, `sd`"
    said = f"it has {shown[0]}"
    return _check(Code.CERTIFICATE_UNKNOWN, shown[0] in held, said, fix)


def _online(heard: _Heard) -> DoctorCheck:
    status = heard.status
    if not heard.here and heard.error is not None:
        return _check(Code.OFFLINE, False, *halves(heard.error))
    if status is None or status.state is not Availability.ONLINE:
        said = "nothing" if status is None else f"'{status.state}'"
        fix = "start the box anew; `cleandesk claim` takes its name while that is at work"
        return _check(Code.OFFLINE, False, f"it takes requests, and its status says {said}", fix)
    since = "" if status.at is None else f" since {status.at:%Y-%m-%d %H:%M} UTC"
    return _check(Code.OFFLINE, True, f"online{since}, version {status.version}")


def _healthy(heard: _Heard) -> DoctorCheck:
    health, fix = heard.health, "look at the box's log (`journalctl -u cleandesk`)"
    if health is None:
        return _check(Code.HEALTH_OLD, False, "the broker has no health of this box", fix)
    if not health.clock_synced:
        return _untried(Code.HEALTH_OLD, "the box's clock is not set, so nobody can tell")
    age_s = (heard.at - health.at).total_seconds()
    said = f"{age_s:.0f} s old, {health.outbox.depth} events wait"
    if _HEALTH_S < age_s <= _HEALTH_AT_MOST_S:
        return _untried(Code.HEALTH_OLD, f"{said}: right where health_every_s is so long")
    return _check(Code.HEALTH_OLD, age_s <= _HEALTH_S, said, fix)


def _check(code: Code, good: bool, said: str, fix: str = "") -> DoctorCheck:  # noqa: FBT001
    result = CheckResult.PASSED if good else CheckResult.FAILED
    return DoctorCheck(
        code=code.value, result=result, said=said[:_MOST], fix=None if good else fix[:_MOST]
    )


def _untried(code: Code, why: str) -> DoctorCheck:
    return DoctorCheck(code=code.value, result=CheckResult.NOT_TRIED, said=why[:_MOST])
