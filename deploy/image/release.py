"""What is built, by the commit that it is built of."""

from dataclasses import dataclass
from pathlib import Path

from image.host import run

#: In the name of what is no commit alone.
CHANGES = "+changes"


@dataclass(frozen=True, slots=True)
class Release:
    """What is built.

    Attributes:
        version: Grows with each commit.
        commit: Its name in git; says so where there was more than what was committed.
        epoch: When it was made, seconds since 1970: nothing in the image is newer.
    """

    version: str
    commit: str
    epoch: int


def of(repository: Path) -> Release:
    """Return the release that a repository's commit makes.

    Raises:
        ImageError: If it is no git repository.
    """

    def git(*words: str) -> str:
        return run(["git", "-C", repository, "-c", f"safe.directory={repository}", *words]).strip()

    epoch = int(git("log", "-1", "--format=%ct"))
    more = CHANGES if git("status", "--porcelain") else ""
    return Release(f"0.1.{epoch}", git("rev-parse", "HEAD") + more, epoch)
