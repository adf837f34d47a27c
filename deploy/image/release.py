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
        version: Grows with the commits' times, in seconds; that of what is none is between its
            commit's and the next one's.
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
    commit = git("rev-parse", "HEAD")
    if not git("status", "--porcelain"):
        return Release(f"0.1.{epoch}", commit, epoch)
    changed = git("diff", "--name-only", "-z", "HEAD")
    new = git("ls-files", "--others", "--exclude-standard", "-z")
    names = [name for name in f"{changed}\0{new}".split("\0") if name]
    last = max([epoch + 1, *(_changed_at(repository / name) for name in names)])
    return Release(f"0.1.{last}", commit + CHANGES, epoch)


def _changed_at(path: Path) -> int:
    """Return when a file was written, seconds; 0 where it was removed."""
    try:
        return int(path.lstat().st_mtime)
    except FileNotFoundError:
        return 0
