"""Forms: read with bounds, and only with the token that stands in them."""

import secrets
from urllib.parse import parse_qsl

from starlette.requests import Request

_KIND = "application/x-www-form-urlencoded"
_MOST_FIELDS = 10
#: The field with the token.
TOKEN = "token"  # noqa: S105 - a field's name


class FormError(Exception):
    """A form that was not made for this reader, or is none."""


async def fields(request: Request, token: str | None) -> dict[str, str]:
    """Return a form's fields.

    Args:
        request: A POST.
        token: What the form must carry.

    Raises:
        FormError: If it carries another, or is none.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _KIND:
        raise FormError("not a form")
    try:
        body = (await request.body()).decode()
        pairs = parse_qsl(
            body, keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict"
        )
    except ValueError as error:
        raise FormError("not a form") from error
    found = dict(pairs)
    if not token or not secrets.compare_digest(
        found.pop(TOKEN, "").encode("utf-8", "surrogatepass"), token.encode()
    ):
        raise FormError("another token")
    return found
