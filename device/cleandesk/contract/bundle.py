"""A signed bundle of the box's software, as RAUC makes it: what it says of itself, and its version.

RAUC checks the signature. The box asks it before it installs one, and who offers one to boxes
before that.
"""

import json
import re
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

#: Bytes: a box keeps it on its data partition, beside all else that it keeps.
MAX_BUNDLE = 512 * 2**20
VERSION_PATTERN = r"^[0-9]{1,9}\.[0-9]{1,9}\.[0-9]{1,12}$"
#: A release's number, as text.
BundleVersion = Annotated[str, Field(pattern=VERSION_PATTERN)]
_LAST_LINES = 3
_PROGRESS = ("rauc-Message:", "Message:")


class UpdateError(Exception):
    """An update is refused; the text says why, and what to do about it."""


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """A release's number, as `make image` gives it: the last part grows with each commit."""

    major: int
    minor: int
    patch: int

    @classmethod
    def parse(cls, text: str) -> "Version":
        """Read `1.2.3`.

        Raises:
            UpdateError: If it is something else.
        """
        if not re.fullmatch(VERSION_PATTERN, text):
            raise UpdateError(f"'{text[:40]}' is no version such as 0.1.2: make the bundle anew")
        return cls(*(int(part) for part in text.split(".")))

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"


@dataclass(frozen=True, slots=True)
class Bundle:
    """What a bundle's signed manifest says.

    Attributes:
        compatible: The kind of box that it is for.
        version: Of the software in it.
    """

    compatible: str
    version: Version


Run = Callable[[Sequence[str]], str]


def rauc(words: Sequence[str]) -> str:
    """Run RAUC; returns what it printed.

    Raises:
        UpdateError: If it fails; with its last words.
    """
    try:
        done = subprocess.run(  # noqa: S603 - our own words, and a path
            ["/usr/bin/rauc", *words], capture_output=True, text=True, check=False
        )
    except OSError as error:
        raise UpdateError(f"RAUC cannot be started ({error.strerror})") from error
    if done.returncode:
        raise UpdateError(_reason(done.stdout, done.stderr) or f"RAUC ended with {done.returncode}")
    return done.stdout


def _reason(out: str, err: str) -> str:
    """Return RAUC's own reason: the service's, which the client prints among its progress."""
    mark = "LastError: "
    for line in out.splitlines():
        if line.startswith(mark):
            return line.removeprefix(mark)
    lines = (line.strip() for line in err.splitlines())
    said = [line for line in lines if line and not line.startswith(_PROGRESS)]
    return " / ".join(said[-_LAST_LINES:])


def inspect(path: Path, *, system: Path, run: Run = rauc) -> Bundle:
    """Check a bundle's signature; returns what its manifest says.

    The payload is not read: its hashes are in the manifest, and the kernel checks each block
    against them while it is written.

    Args:
        path: The bundle.
        system: RAUC's settings, with the keyring that counts.
        run: Runs RAUC.

    Raises:
        UpdateError: If it is none, damaged at its end, or signed by somebody else.
    """
    said = run(["--conf", str(system), "info", "--output-format=json", str(path)])
    try:
        told: dict[str, Any] = json.loads(said)
        return Bundle(str(told["compatible"]), Version.parse(str(told["version"])))
    except (ValueError, KeyError, TypeError) as error:
        raise UpdateError(f"RAUC says nothing that can be read of {path.name}") from error
