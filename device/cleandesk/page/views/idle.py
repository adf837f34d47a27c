"""`/api/idle`: the companion tells the age of the last input, by a token of its own."""

import logging

from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from cleandesk.contract.messages import Seconds
from cleandesk.page.errors import BoxFailedError, BoxUnreachableError
from cleandesk.page.parts import Parts
from cleandesk.worker.protocol import TellIdle

log = logging.getLogger(__name__)


class InputAge(BaseModel):
    """What the companion sends, and nothing else."""

    model_config = ConfigDict(extra="forbid", strict=True)

    input_age_s: Seconds


async def take(request: Request) -> Response:
    """Hand it to the box, if the site asks for it; else it goes nowhere."""
    parts: Parts = request.app.state.parts
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer" or not parts.entrance.is_companion(token):
        return _error(401, "unknown_token", {"WWW-Authenticate": "Bearer"})
    try:
        age = InputAge.model_validate_json(await request.body())
    except ValidationError:
        return _error(422, "invalid")
    try:
        return await _hand_on(parts, token, age)
    except BoxUnreachableError as error:
        log.warning("box unreachable", extra={"error": str(error)})
        return _error(503, "unreachable")
    except BoxFailedError as error:
        return _error(409, error.failed.reason)


async def _hand_on(parts: Parts, token: str, age: InputAge) -> Response:
    state = await parts.entrance.state()
    if not parts.entrance.is_companion(token):  # the button has just ended it
        return _error(401, "unknown_token", {"WWW-Authenticate": "Bearer"})
    if not state.idle_on:
        return _error(409, "not_asked")
    await parts.box.tell(TellIdle(input_age_s=age.input_age_s))
    return Response(status_code=204)


def _error(status: int, error: str, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"error": error}, status, headers)
