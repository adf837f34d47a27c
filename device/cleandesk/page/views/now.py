"""What the box does now, and breaks."""

from datetime import timedelta
from typing import Any

from starlette.responses import Response

from cleandesk.contract.messages import BreakReason, Phase, PrivacyState
from cleandesk.http.forms import FormError
from cleandesk.page.visit import Visit
from cleandesk.worker.protocol import EndBreak, StartBreak, State

Fact = tuple[str, str]
#: Spot checks are told of for so long.
_RECENT = timedelta(hours=24)


async def show(visit: Visit) -> Response:
    """Show it."""
    return visit.page("now.html", **context(visit, visit.state))


async def start_break(visit: Visit) -> Response:
    """Take a break."""
    try:
        reason = BreakReason(visit.form.get("reason", ""))
    except ValueError as error:
        raise FormError("no such reason") from error
    await visit.parts.box.ask(StartBreak(reason=reason), State)
    return visit.go("/", said="break_started")


async def end_break(visit: Visit) -> Response:
    """End it."""
    await visit.parts.box.ask(EndBreak(), State)
    return visit.go("/", said="break_ended")


def context(visit: Visit, state: State) -> dict[str, Any]:
    """Return what the template of the state needs."""
    privacy = state.privacy
    return {
        "state": state,
        "meaning": visit.say(f"meaning.{_meaning(state)}"),
        "facts": _facts(visit, state),
        "reasons": list(BreakReason),
        "on_break": privacy.state is PrivacyState.BREAK,
    }


def _meaning(state: State) -> str:
    shown = state.privacy.state
    if shown is PrivacyState.BREAK and state.sensing:
        return "stopping"
    if shown is PrivacyState.OFF and state.safe_mode is not None:
        return "safe_mode"
    return shown.value


def _facts(visit: Visit, state: State) -> list[Fact]:
    say, privacy = visit.say, state.privacy
    until, aiming = privacy.until, state.aiming_until
    facts: list[tuple[str, str | None]] = [
        ("since", visit.when(privacy.since)),
        ("reason", privacy.reason and visit.name("reason", privacy.reason)),
        ("safe_mode", state.safe_mode),
        ("until", None if until is None else visit.when(until)),
        ("beyond", ", ".join(say(f"limit.{limit}") for limit in privacy.beyond or [])),
        ("camera", say(f"fact.camera_{'on' if state.sensing else 'off'}")),
        ("connection", say(f"fact.{'connected' if state.connected else 'disconnected'}")),
        ("violations", _open(state)),
        ("breaks_today", _breaks(visit, state)),
        ("spot_check", _spot_check(visit, state)),
        ("aiming", None if aiming is None else visit.when(aiming)),
        ("idle", say(f"fact.idle_{'on' if state.idle else 'off'}") if state.idle_on else None),
    ]
    return [(say(f"fact.{key}"), value) for key, value in facts if value]


def _open(state: State) -> str:
    return str(sum(shown.phase is not Phase.CLOSE for shown in state.violations))


def _breaks(visit: Visit, state: State) -> str:
    limit = state.limits.count_per_day
    if limit is None:
        return str(state.breaks_today)
    return visit.say("fact.of_limit", count=state.breaks_today, limit=limit)


def _spot_check(visit: Visit, state: State) -> str | None:
    at = state.last_spot_check_at
    recent = at is not None and visit.parts.clock.now().utc - at < _RECENT
    return visit.when(at) if at is not None and recent else None
