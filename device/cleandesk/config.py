"""YAML -> typed settings; every problem at once, with its line and a fix."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from cleandesk.config_shape import Spot, descend
from cleandesk.config_words import choices, guess, words
from cleandesk.config_yaml import Document, read
from cleandesk.problems import ConfigError, Location, Misfit, Problem

__all__ = ["ConfigError", "Loaded", "Misfit", "Problem", "fit", "load", "load_with_lines"]

M = TypeVar("M", bound=BaseModel)

_MOST_REPORTED = 100


@dataclass(frozen=True)
class Loaded(Generic[M]):
    """Settings, and the file that they came from, for checks that need more than the file.

    Attributes:
        settings: The settings.
        document: Describes problems at a place of the file: `document.problem(at, reason, fix)`.
    """

    settings: M
    document: Document


def load(path: Path, model: type[M]) -> M:
    """Read settings from a YAML file.

    Args:
        path: The file. Relative `Path` values in it are relative to its folder.
        model: What it must fit; models that forbid extra keys get them reported.

    Raises:
        ConfigError: With all that is wrong: unknown and doubled keys, wrong values, missing ones.
    """
    return load_with_lines(path, model).settings


def load_with_lines(path: Path, model: type[M]) -> Loaded[M]:
    """Read settings like `load`, and keep the lines for further checks.

    Raises:
        ConfigError: As `load`.
    """
    document = read(path)
    if document.data is None and not document.problems:
        fix = "copy the default configuration and change it"
        raise ConfigError([document.problem((), "the file is empty", fix)])
    return Loaded(_rooted(fit(document, model), path.absolute().parent), document)


def fit(document: Document, model: type[M]) -> M:
    """Validate what a document says.

    Raises:
        ConfigError: With all that is wrong, what was wrong with the document itself too.
    """
    settings, found = _validated(document, model)
    said = {problem.key for problem in document.problems}
    problems = document.problems + [p for p in found if p.key not in said or not p.key]
    if problems or settings is None:
        raise ConfigError(problems[:_MOST_REPORTED])
    return settings


def _validated(document: Document, model: type[M]) -> tuple[M | None, list[Problem]]:
    """Validate, repair what was probably meant, and go on, so that nothing hides behind it."""
    problems: list[Problem] = []
    for _ in range(_MOST_REPORTED):
        try:
            settings = model.model_validate(document.data)
            return settings, problems + list(_mistaken(document, settings, document.data, ()))
        except ValidationError as error:
            report = _Report(document, model, error)
        problems += report.repaired
        if not report.repaired:
            return None, problems + report.final
    return None, problems


def _mistaken(document: Document, value: Any, given: Any, at: Location) -> Iterator[Problem]:
    """Find numbers and truth values that were made of something else: `true` is no 1."""
    match value, given:
        case BaseModel(), dict():
            fields = type(value).model_fields.items()
            for key, name in ((info.alias or name, name) for name, info in fields):
                if key in given:
                    yield from _mistaken(document, getattr(value, name), given[key], (*at, key))
        case dict(), dict():
            for key in value:
                yield from _mistaken(document, value[key], given.get(key), (*at, key))
        case ((list() | tuple()), list()):
            for i, (one, its) in enumerate(zip(value, given, strict=False)):
                yield from _mistaken(document, one, its, (*at, i))
        case bool(), _ if not isinstance(given, bool):
            yield document.problem(at, *words({"type": "bool_type", "input": given}, None))
        case ((int() | float()), (bool() | str())) if not isinstance(value, bool):
            yield document.problem(at, *words({"type": "float_type", "input": given}, None))


class _Report:
    """The problems of one validation: those that were repaired in the document, and the rest."""

    def __init__(self, document: Document, model: type[BaseModel], error: ValidationError) -> None:
        self._document = document
        self._model = model
        self.repaired: list[Problem] = []
        self.final: list[Problem] = []
        found = error.errors(include_url=False)[:_MOST_REPORTED]
        for one in found:
            self._take(one)

    def _take(self, error: Mapping[str, Any]) -> None:
        spot = descend(self._model, self._document.data, error["loc"])
        match error["type"]:
            case "extra_forbidden":
                self._unknown_key(spot)
            case "union_tag_invalid" | "union_tag_not_found":
                self._unknown_kind(spot, error)
            case "value_error" if isinstance(error["ctx"]["error"], Misfit):
                self.final += [
                    self._document.problem((*spot.at, *below), reason, fix)
                    for below, reason, fix in error["ctx"]["error"].parts
                ]
            case _:
                reason, fix = words(error, spot.description)
                self.final.append(self._document.problem(spot.at, reason, fix))

    def _unknown_key(self, spot: Spot) -> None:
        key = str(spot.at[-1])
        absent = [k for k in spot.siblings if k not in spot.holder]
        meant = guess(key, absent)
        fix = (
            f"did you mean '{meant}'?"
            if meant
            else f"delete it; known here: {', '.join(absent or spot.siblings)}"
        )
        problem = self._document.problem(spot.at, "unknown key", fix)
        if meant:
            self._document.rename(spot.at, meant)
            self.repaired.append(problem)
        else:
            self.final.append(problem)

    def _unknown_kind(self, spot: Spot, error: Mapping[str, Any]) -> None:
        key = str(error["ctx"]["discriminator"]).strip("'")
        if key not in spot.value:
            self._no_kind(spot, key)
            return
        given = str(spot.value[key])
        problem = self._document.problem(
            (*spot.at, key), f"'{given[:40]}' is not allowed", choices(given, spot.tags)
        )
        meant = guess(given, spot.tags)
        if meant:
            spot.value[key] = meant
            self.repaired.append(problem)
        else:
            self.final.append(problem)

    def _no_kind(self, spot: Spot, key: str) -> None:
        for other in spot.value:
            if guess(other, [key]):
                at = (*spot.at, other)
                self.repaired.append(
                    self._document.problem(at, "unknown key", f"did you mean '{key}'?")
                )
                self._document.rename(at, key)
                return
        fix = f"add '{key}: …', one of {', '.join(spot.tags)}"
        self.final.append(self._document.problem((*spot.at, key), "it is missing", fix))


def _rooted(model: M, folder: Path) -> M:
    """Return the model with each relative path put below a folder, however deep it stands."""
    changed = {
        name: new
        for name in type(model).model_fields
        if (new := _root(old := getattr(model, name), folder)) is not old
    }
    return model.model_copy(update=changed) if changed else model


def _root(value: Any, folder: Path) -> Any:
    match value:
        case Path():
            return value if value.is_absolute() else folder / value
        case BaseModel():
            return _rooted(value, folder)
        case dict():
            new: Any = {k: _root(v, folder) for k, v in value.items()}
            return value if all(_same(new.values(), value.values())) else new
        case list() | tuple():
            new = type(value)(_root(v, folder) for v in value)
            return value if all(_same(new, value)) else new
    return value


def _same(new: Any, old: Any) -> Iterator[bool]:
    return (a is b for a, b in zip(new, old, strict=True))
