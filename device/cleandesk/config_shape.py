"""Where in a document, and in which settings model, one of pydantic's errors lies."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from cleandesk.problems import Location


@dataclass
class Spot:
    """A place of the document that pydantic complained about.

    Attributes:
        at: The place, without the names that pydantic adds for the members of a union.
        value: What stands there; None if nothing does.
        holder: The mapping around it; empty if it is none.
        siblings: Keys that the model around it knows, as they are written in a file.
        description: Of the setting, where it has one.
        tags: Where a union stands: the values that choose among its members.
    """

    at: Location
    value: Any = None
    holder: Mapping[str, Any] = field(default_factory=dict)
    siblings: Sequence[str] = ()
    description: str | None = None
    tags: Sequence[str] = ()


def descend(model: type[BaseModel], data: Any, loc: Iterable[str | int]) -> Spot:
    """Follow one of pydantic's locations through the model and the data at the same time.

    Args:
        model: The model that was validated.
        data: The data that it was given.
        loc: `loc` of the error: keys, list positions, and, for unions, the member's tag.
    """
    spot, shape = Spot((), data), model
    current: Any = shape
    for part in loc:
        members = _members(current)
        if len(members) > 1:
            current = _chosen(members, str(part))
            continue
        known = spot.value if isinstance(spot.value, dict) else {}
        if part == "[key]" and part not in known:  # pydantic's mark, unless a key is called so
            break
        current = members[0] if members else Any
        spot, current = _step(spot, current, part)
    spot.tags = _tags(_members(current))
    return spot


def _step(spot: Spot, current: Any, part: str | int) -> tuple[Spot, Any]:
    below = Spot((*spot.at, part), holder=spot.value if isinstance(spot.value, dict) else {})
    if isinstance(spot.value, dict):
        below.value = spot.value.get(str(part))
    elif isinstance(spot.value, list) and isinstance(part, int) and part < len(spot.value):
        below.value = spot.value[part]
    if isinstance(current, type) and issubclass(current, BaseModel):
        fields = {info.alias or name: info for name, info in current.model_fields.items()}
        below.siblings = list(fields)
        info = fields.get(str(part))
        below.description = info.description if info else None
        return below, info
    arguments = [a for a in get_args(current) if a is not Ellipsis]
    if get_origin(current) is tuple and isinstance(part, int) and part < len(arguments):
        return below, arguments[part]
    return below, arguments[-1] if arguments else Any


def _members(annotation: Any) -> list[Any]:
    """Return the types that a value may have, None left out, without their constraints."""
    if isinstance(annotation, FieldInfo):
        annotation = annotation.annotation
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) in {Union, UnionType}:
        return [m for a in get_args(annotation) if a is not NoneType for m in _members(a)]
    return [annotation]


def _chosen(members: Sequence[Any], tag: str) -> Any:
    return next((m for m in members if tag in {*_tags([m]), getattr(m, "__name__", "")}), Any)


def _tags(members: Sequence[Any]) -> list[str]:
    """Return the constants by which the members of a union can be told apart."""
    tags: list[str] = []
    for member in members:
        if isinstance(member, type) and issubclass(member, BaseModel):
            for info in member.model_fields.values():
                if get_origin(info.annotation) is Literal:
                    tags += [
                        str(a.value if isinstance(a, Enum) else a)
                        for a in get_args(info.annotation)
                    ]
    return tags
