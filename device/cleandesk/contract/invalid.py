"""What is wrong with a message, in few words."""

from pydantic import ValidationError

_LONGEST = 200


def why(error: ValidationError) -> str:
    """Return the place and the reason of the first error; no value of it, and 200 characters at most."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    at = ".".join(str(part) for part in first["loc"])
    return (f"{at}: {first['msg']}" if at else str(first["msg"]))[:_LONGEST]
