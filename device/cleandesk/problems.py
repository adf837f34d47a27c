"""What is wrong with a file that a person wrote: where, why, and what to do about it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

#: A place inside a document: keys and list positions from the top.
Location = tuple[str | int, ...]


def key_path(at: Location) -> str:
    """Write a place for people, e.g. `rules[0].min_score`."""
    text = ""
    for part in at:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        file: The file as it was named.
        line: Counted from 1; None where the file could not be read at all.
        key: Path of the key, e.g. `rules[0].min_score`; empty for the file as a whole.
        reason: Why it cannot be used.
        fix: What to do about it.
    """

    file: Path
    line: int | None
    key: str
    reason: str
    fix: str

    def __str__(self) -> str:
        place = str(self.file) if self.line is None else f"{self.file}:{self.line}"
        key = f"{self.key}: " if self.key else ""
        return f"{place}: {key}{self.reason}; {self.fix}"


class ConfigError(Exception):
    """A file that cannot be used, with everything that is wrong with it.

    Attributes:
        problems: In the order of the file's lines.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda p: p.line or 0))
        super().__init__("\n".join(str(p) for p in self.problems))

    def as_data(self) -> list[dict[str, Any]]:
        """Return the problems as plain data, for JSON."""
        return [{**asdict(p), "file": str(p.file)} for p in self.problems]


class Misfit(ValueError):  # noqa: N818 - raised inside validators, seen by nobody
    """Values that are right alone and wrong together; for validators of settings models.

    Attributes:
        parts: For each misfit the place below the validated model, the reason, and the fix.
    """

    def __init__(self, *parts: tuple[Location, str, str]) -> None:
        super().__init__("; ".join(f"{reason}; {fix}" for _, reason, fix in parts))
        self.parts = parts
