"""What is wrong with a message, in few words."""

from pydantic import ValidationError

_LONGEST = 200


def why(error: ValidationError) -> str:
    """Return place and reason of the first error, without any value; 200 characters at most."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    at = ".".join(str(part) for part in first["loc"])
    return (f"{at}: {first['msg']}" if at else str(first["msg"]))[:_LONGEST]
