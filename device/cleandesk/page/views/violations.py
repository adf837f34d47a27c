"""The violations of the last day, and objections to them."""

from pydantic import ValidationError
from starlette.responses import Response

from cleandesk.contract.worker_messages import AppealReason
from cleandesk.page.visit import Visit
from cleandesk.worker.protocol import Object


async def show(visit: Visit) -> Response:
    """Show them."""
    return _page(visit)


async def send(visit: Visit) -> Response:
    """Hand an objection to the box."""
    try:
        objection = Object.model_validate(
            {
                "violation_id": visit.form.get("violation", ""),
                "reason": visit.form.get("reason", ""),
                "note": visit.form.get("note", "").replace("\r\n", "\n").strip() or None,
            }
        )
    except ValidationError as error:
        wrong = {str(one["loc"][0]) for one in error.errors()}
        problem = visit.say(f"violations.{'too_long' if wrong == {'note'} else 'choose'}")
        return _page(visit, problem, status=422)
    await visit.parts.box.tell(objection)
    return visit.go("/violations", said="objected")


def _page(visit: Visit, problem: str | None = None, *, status: int = 200) -> Response:
    return visit.page(
        "violations.html",
        status=status,
        violations=visit.state.violations,
        reasons=list(AppealReason),
        problem_text=problem,
        about=visit.form.get("violation"),
        note=visit.form.get("note", ""),
    )
