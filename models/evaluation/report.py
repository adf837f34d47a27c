"""Everything that is measured of the model, in one value."""

from dataclasses import dataclass
from typing import Final

from models.evaluation import footage, light, measures, sets
from models.evaluation.calibrate import Reliability
from models.evaluation.confusion import Confusion, confuse
from models.evaluation.footage import Alarms
from models.evaluation.looking import Eye, Model, frames_of
from models.evaluation.measures import Figures, Seen, Third, Together, see
from models.evaluation.operating_point import OperatingPoint
from models.evaluation.sets import PictureSet
from models.evaluation.teachers import DESK
from models.train.labels import LEARNT

MODEL: Final = "desk"


@dataclass(frozen=True)
class OnSet:
    """Figures of the desk model on one set.

    Attributes:
        title: For people.
        pictures: How many.
        classes: By class.
        sizes: By class and size.
        all: Of all classes together.
        before: Reliability of the raw scores.
        after: Of the calibrated ones.
        confusion: What wrong finds are.
    """

    title: str
    pictures: int
    classes: dict[str, Figures]
    sizes: dict[str, dict[str, Figures]]
    all: Together
    before: Reliability
    after: Reliability
    confusion: Confusion


@dataclass(frozen=True)
class Compared:
    """Average precision of one model on the report half and on all rooms.

    Attributes:
        half: By class, AP50.
        whole: By class, AP50.
        half_mean: Over the classes that all models know.
        whole_mean: The same.
    """

    half: dict[str, float]
    whole: dict[str, float]
    half_mean: float
    whole_mean: float


@dataclass(frozen=True)
class Report:
    """All of it.

    Attributes:
        sha256: Of the weights.
        names: The model's classes.
        point: The operating point.
        rooms: On the report half of the real rooms.
        scenes: On rendered scenes, if there are any.
        kept: On real sources that were kept from training, by source and learnt class.
        compared: By model.
        light: By set, and by what was done to its pictures.
        alarms: By clip.
        skin: Persons by the tone of their skin.
    """

    sha256: str
    names: tuple[str, ...]
    point: OperatingPoint
    rooms: OnSet
    scenes: OnSet | None
    kept: dict[str, dict[str, Figures]]
    compared: dict[str, Compared]
    light: dict[str, dict[str, Together]]
    alarms: list[Alarms]
    skin: list[Third]


def make(
    model: Model,
    rivals: dict[str, Model],
    sha256: str,
    point: OperatingPoint,
    eye: Eye,
    *,
    with_scenes: bool,
) -> Report:
    """Look at everything and measure.

    Args:
        model: Gives raw scores.
        rivals: By name, whose average precision stands beside the model's.
        sha256: Of its weights.
        point: Its operating point.
        eye: Looks, and remembers.
        with_scenes: Whether there are rendered scenes.

    Raises:
        EvaluationError: If pictures are missing.
    """
    half = sets.half("report")
    scenes = sets.scenes("report") if with_scenes else None
    alike = [half, *([scenes] if scenes else [])]
    on_half = see(half, eye.look(model, frames_of(half)), point)
    return Report(
        sha256=sha256,
        names=model.names,
        point=point,
        rooms=_on_set(model, half, point, eye, "real rooms, report half"),
        scenes=_on_set(model, scenes, point, eye, "rendered desks, report half")
        if scenes
        else None,
        kept={s.name: _learnt(model, s, point, eye) for s in sets.kept_from_training().values()},
        compared=_compare({MODEL: model, **rivals}, eye),
        light={s.name: _in_light(model, s, point, eye) for s in alike},
        alarms=_alarms(model, point, eye),
        skin=measures.by_skin(on_half, point.thresholds["person"]),
    )


def _on_set(
    model: Model, pictures: PictureSet, point: OperatingPoint, eye: Eye, title: str
) -> OnSet:
    raw = eye.look(model, frames_of(pictures))
    before, seen = see(pictures, raw), see(pictures, raw, point)
    at = point.thresholds
    return OnSet(
        title=title,
        pictures=len(pictures.pictures),
        classes={n: measures.figures(j, at[n]) for n, j in seen.judged.items()},
        sizes={n: measures.by_size(j, at[n]) for n, j in seen.judged.items()},
        all=measures.together(seen.judged, at),
        before=measures.reliability_of(before.judged),
        after=measures.reliability_of(seen.judged),
        confusion=confuse(seen.found, pictures.pictures, at, pictures.labelled),
    )


def _learnt(
    model: Model, pictures: PictureSet, point: OperatingPoint, eye: Eye
) -> dict[str, Figures]:
    judged = see(pictures, eye.look(model, frames_of(pictures)), point).judged
    return {
        name: measures.figures(judged[name], point.thresholds[name])
        for name in LEARNT
        if name in pictures.labelled and name in judged
    }


def _compare(models: dict[str, Model], eye: Eye) -> dict[str, Compared]:
    """With COCO's labels alone, as others measure it."""
    rooms, half = sets.rooms(extra=False), sets.half("report", extra=False)
    files = {p.path.name for p in half.pictures}
    rows = {}
    for title, one in models.items():
        raw = eye.look(one, frames_of(rooms))
        mine = [f for f, p in zip(raw, rooms.pictures, strict=True) if p.path.name in files]
        rows[title] = _compared(see(half, mine), see(rooms, raw))
    return rows


def _compared(half: Seen, whole: Seen) -> Compared:
    return Compared(
        {n: j.ap50 for n, j in half.judged.items()},
        {n: j.ap50 for n, j in whole.judged.items()},
        measures.mean_ap50(half.judged, half.pictures, DESK),
        measures.mean_ap50(whole.judged, whole.pictures, DESK),
    )


def _in_light(
    model: Model, pictures: PictureSet, point: OperatingPoint, eye: Eye
) -> dict[str, Together]:
    rows = {}
    for how, alter in light.ALTERED.items():
        frames = frames_of(pictures, alter, how if alter else "")
        seen = see(pictures, eye.look(model, frames), point)
        rows[how] = measures.together(seen.judged, point.thresholds)
    return rows


def _alarms(model: Model, point: OperatingPoint, eye: Eye) -> list[Alarms]:
    rows = []
    for clip in footage.clips():
        found = point.detections(eye.look(model, footage.frames_of(clip)))
        rows.append(footage.alarms(clip, found, point.thresholds))
    return rows
