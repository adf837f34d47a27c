"""What a model is: its file and hash, its classes, and how pictures go in and results come out."""

import math
from collections.abc import Iterator, Sequence
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from cleandesk.config_words import choices
from cleandesk.contract.messages import Fraction
from cleandesk.problems import Location, Misfit

_SHIPPED = "models/desk/manifest.yaml"

Finite = Annotated[float, Field(allow_inf_nan=False)]
Channels = tuple[Finite, Finite, Finite]
Spread = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Side = Annotated[int, Field(ge=32, le=4096)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Precision = Literal["fp32", "int8"]


class InputSpec(BaseModel):
    """How a picture becomes the model's input, float32 [1, 3, height, width]."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    width: Side = Field(description="Pixels")
    height: Side = Field(description="Pixels")
    mean: Channels = Field(description="Subtracted, per channel, from values of 0-255")
    std: tuple[Spread, Spread, Spread] = Field(description="Then divided by, per channel")
    colour: Literal["bgr", "rgb"] = Field(description="Order of the channels, of mean and std too")
    resize: Literal["stretch", "letterbox"] = Field(
        description="stretch: both sides to fit; letterbox: keep the shape, pad in the middle"
    )
    pad: int = Field(0, ge=0, le=255, description="Grey of the letterbox's borders")


class Variant(BaseModel):
    """The same model in numbers that some CPUs are faster with."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    precision: Literal["int8"] = Field(description="Of its weights and layers")
    file: Path = Field(description="The weights, ONNX; relative to this file")
    sha256: Sha256 = Field(description="Of the weights' file")
    needs: Literal["dot_product"] = Field(description="What the CPU must have to be faster with it")


class Line(BaseModel):
    """A straight line in logits: calibrated = sigmoid(scale * logit(score) + offset)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    scale: Annotated[float, Field(gt=0, le=100)] = Field(description="1 changes nothing")
    offset: Annotated[float, Field(ge=-100, le=100)] = Field(description="0 changes nothing")


class Manifest(BaseModel):
    """Everything that the box must know, and check, before it trusts a model's weights."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_version: Literal[1] = Field(1, alias="schema", description="Version of this form")
    name: str = Field(min_length=1, max_length=64, description="Of the model")
    version: str = Field(min_length=1, max_length=64, description="Write it in quotes")
    file: Path = Field(description="The weights, ONNX; relative to this file")
    sha256: Sha256 = Field(description="Of the weights' file")
    variants: tuple[Variant, ...] = Field(
        (), description="The same weights in other numbers; the box takes what its CPU is best at"
    )
    classes: Annotated[tuple[str, ...], Field(min_length=1, max_length=1000)] = Field(
        description="In the order of the model's output"
    )
    input: InputSpec = Field(description="How a picture goes in")
    decoder: Literal["nanodet_plus"] = Field(description="How its output is read")
    strides: Annotated[tuple[Annotated[int, Field(ge=1, le=256)], ...], Field(min_length=1)] = (
        Field(description="Pixels between points, level by level, head after head")
    )
    reg_max: int = Field(ge=1, le=64, description="Bins of a box side, less one")
    nms_iou: Fraction = Field(description="Boxes of one class that overlap more are one")
    calibration: dict[str, Line] = Field(
        default_factory=dict,
        description="By class, what makes of the model's score how often it is right",
    )
    threshold: Fraction = Field(description="Calibrated score from which a class is believed")
    thresholds: dict[str, Fraction] = Field(
        default_factory=dict, description="The same for single classes"
    )
    unverified: tuple[str, ...] = Field(
        (), description="Classes whose threshold was never tried on real pictures"
    )
    licence: str = Field(min_length=1, description="Of the weights, an SPDX expression")
    source: str = Field(min_length=1, description="Where the weights come from")

    @model_validator(mode="after")
    def _names_fit(self) -> Self:
        misfits: list[tuple[Location, str, str]] = [
            *_doubled("classes", self.classes, "every class has its own name"),
            *_doubled("unverified", self.unverified, "name it once"),
            *_doubled("variants", [v.precision for v in self.variants], "keep one of them"),
        ]
        places: list[tuple[Location, str]] = [
            *((("thresholds", name), name) for name in self.thresholds),
            *((("calibration", name), name) for name in self.calibration),
            *((("unverified", i), name) for i, name in enumerate(self.unverified)),
        ]
        misfits += [
            (place, "the model has no such class", choices(name, self.classes))
            for place, name in places
            if name not in self.classes
        ]
        if misfits:
            raise Misfit(*misfits)
        return self

    def threshold_of(self, name: str) -> float:
        """Return the score from which a class is believed."""
        return self.thresholds.get(name, self.threshold)

    @cached_property
    def points(self) -> int:
        """How many places the model answers for."""
        return sum(
            math.ceil(self.input.width / s) * math.ceil(self.input.height / s) for s in self.strides
        )

    @property
    def input_shape(self) -> tuple[int, int, int, int]:
        """What goes in: 1, channels, height, width."""
        return 1, 3, self.input.height, self.input.width

    @property
    def output_shape(self) -> tuple[int, int, int]:
        """What comes out: 1, scores of the classes and 4 sides of `reg_max + 1` bins, points."""
        return 1, len(self.classes) + 4 * (self.reg_max + 1), self.points


def _doubled(key: str, names: Sequence[str], fix: str) -> Iterator[tuple[Location, str, str]]:
    for i, name in enumerate(names):
        if name in names[:i]:
            yield (key, i), f"'{name}' stands a second time", fix


def default_manifest() -> Path:
    """Return the manifest that came with the software: inside the package, or in the source tree.

    It may be missing; reading it says so.
    """
    package = Path(str(files("cleandesk")))
    inside = package / _SHIPPED
    return inside if inside.exists() else package.parents[1] / _SHIPPED
