"""A bundle, and what the box takes: RAUC checks the signature, and installs."""

import configparser
import json
import re
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cleandesk.update.errors import UpdateError

SYSTEM = Path("/etc/rauc/system.conf")
_VERSION = re.compile(r"(\d{1,9})\.(\d{1,9})\.(\d{1,12})")
_LAST_LINES = 3


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
        found = _VERSION.fullmatch(text)
        if found is None:
            raise UpdateError(f"'{text[:40]}' is no version such as 0.1.2: make the bundle anew")
        return cls(*(int(part) for part in found.groups()))

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"


@dataclass(frozen=True, slots=True)
class System:
    """What runs, and so what is taken.

    Attributes:
        compatible: The kind of box.
        version: What runs.
    """

    compatible: str
    version: Version

    @classmethod
    def read(cls, path: Path = SYSTEM) -> "System":
        """Read RAUC's own settings.

        Raises:
            UpdateError: If they lack what is needed: then this image takes no updates.
        """
        parser = configparser.ConfigParser(interpolation=None)
        try:
            parser.read_string(path.read_text(encoding="utf-8"))
            system = parser["system"]
            return cls(system["compatible"], Version.parse(system["min-bundle-version"]))
        except (OSError, KeyError, configparser.Error) as error:
            raise UpdateError(f"{path}: this image takes no updates ({error})") from error


@dataclass(frozen=True, slots=True)
class Bundle:
    """What a bundle's signed manifest says."""

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
    said = [line.strip() for line in err.splitlines() if line.strip()]
    return " / ".join(said[-_LAST_LINES:])


def inspect(path: Path, *, system: Path = SYSTEM, run: Run = rauc) -> Bundle:
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


def judge(bundle: Bundle, system: System) -> bool:
    """Say whether a bundle brings something new.

    Raises:
        UpdateError: If it is for another kind of box, or older than what runs.
    """
    if bundle.compatible != system.compatible:
        raise UpdateError(
            f"it is for '{bundle.compatible[:80]}', this box is '{system.compatible}': take the "
            "bundle for this box"
        )
    if bundle.version < system.version:
        raise UpdateError(
            f"version {bundle.version} is older than {system.version}, which runs: a box only "
            "goes forward; to go back, build the old state as a new commit"
        )
    return bundle.version > system.version
