"""What runs on the box, and so which bundles it takes."""

import configparser
from dataclasses import dataclass
from pathlib import Path

from cleandesk.contract.bundle import Bundle, UpdateError, Version

SYSTEM = Path("/etc/rauc/system.conf")


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
    return is_newer(bundle.version, system.version)


def is_newer(version: Version, runs: Version) -> bool:
    """Say whether a version is newer than what runs.

    Raises:
        UpdateError: If it is older.
    """
    if version < runs:
        raise UpdateError(
            f"version {version} is older than {runs}, which runs: a box only goes forward; to go "
            "back, build the old state as a new commit"
        )
    return version > runs
