"""What truly lies on the demo clip's desk, and when: the model of `desk.truth.json`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Box = tuple[int, int, int, int]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Visit(_Strict):
    """One thing's stay on the desk.

    Attributes:
        id: unique within the clip.
        class_name: one of the detector's classes ("class" in the file).
        box: pixels x1, y1, x2, y2 of what is visible of it, x2 and y2 excluded.
        from_s: when it lies fully in place.
        to_s: when it starts to leave.
    """

    id: str
    class_name: Annotated[str, Field(alias="class")]
    box: Box
    from_s: Annotated[float, Field(ge=0)]
    to_s: float
    comment: str = ""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.to_s <= self.from_s:
            raise ValueError(f"visit {self.id} ends at {self.to_s} s, before it begins")
        if self.box[0] >= self.box[2] or self.box[1] >= self.box[3]:
            raise ValueError(f"visit {self.id} has an empty box {self.box}")
        return self


class LightChange(_Strict):
    """The light as it is from a moment on; `brightness` is the frame's mean against the first."""

    at_s: Annotated[float, Field(ge=0)]
    brightness: Annotated[float, Field(gt=0)]
    comment: str = ""


class Fixture(_Strict):
    """A labelled thing that stays all the time, allowed on a clean desk."""

    class_name: Annotated[str, Field(alias="class")]
    box: Box


class Truth(_Strict):
    """The whole clip: `size` is width and height in pixels."""

    comment: str
    duration_s: Annotated[float, Field(gt=0)]
    fps: Annotated[int, Field(gt=0)]
    size: tuple[int, int]
    visits: tuple[Visit, ...]
    light: tuple[LightChange, ...]
    fixtures: tuple[Fixture, ...]

    @property
    def frames(self) -> int:
        """How many frames the clip has."""
        return round(self.duration_s * self.fps)


def load_truth(path: Path) -> Truth:
    """Read a truth file.

    Raises:
        OSError: if it cannot be read.
        pydantic.ValidationError: if it isn't what `Truth` says.
    """
    return Truth.model_validate_json(path.read_text(encoding="utf-8"))


def dump_truth(truth: Truth) -> str:
    """Return a truth file's text."""
    return truth.model_dump_json(by_alias=True, indent=2) + "\n"
