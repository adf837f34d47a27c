"""Bundles of the boxes' software: checked by RAUC as a box does, and put where boxes fetch them."""

import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from cleandesk.contract import bundle as contract
from cleandesk.contract.bundle import MAX_BUNDLE, VERSION_PATTERN, UpdateError
from cleandesk_fleet.provision import offering
from cleandesk_fleet.provision.errors import UnknownNameError, UsageError

SUFFIX = ".raucb"
#: What counts of a box's own settings when a bundle is only looked at.
_SETTINGS = """\
[system]
compatible=any
bootloader=noop
bundle-formats=verity

[keyring]
path={keyring}
check-purpose=codesign
"""


@dataclass(frozen=True, slots=True)
class Bundle:
    """A signed bundle.

    Attributes:
        path: The file.
        file: What the service calls it.
        version: Of the software in it.
        compatible: The kind of box that it is for.
        sha256: Of the file.
        size: Of the file, bytes.
    """

    path: Path
    file: str
    version: str
    compatible: str
    sha256: str
    size: int


def read(path: Path, keyring: Path) -> Bundle:
    """Read a bundle that a box would take.

    Args:
        path: The file.
        keyring: Certificates that boxes trust with updates.

    Raises:
        UsageError: If it would not, or nobody can tell.
    """
    if not keyring.is_file():
        raise UsageError(
            f"{keyring}: no certificates that sign for updates: put the image's UPDATES there, or "
            "name them by update_keyring in the settings"
        )
    try:
        size = path.stat().st_size
        if size > MAX_BUNDLE:
            most = MAX_BUNDLE >> 20
            raise UsageError(f"{path}: {size >> 20} MiB: a box takes {most} MiB at most")
        with tempfile.TemporaryDirectory(prefix="cleandesk-bundle-") as home:
            settings = Path(home) / "system.conf"
            settings.write_text(_SETTINGS.format(keyring=keyring.absolute()), encoding="utf-8")
            found = contract.inspect(path.absolute(), system=settings)
        sha256 = offering.digest_of(path)
    except UpdateError as error:
        fix = "sign it with a key of update_keyring; RAUC comes by 'apt install rauc'"
        raise UsageError(f"{path}: {error}: {fix}") from error
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}: name a bundle of `make bundle`") from error
    file = f"cleandesk-{found.version}-{sha256[: offering.SHORT]}{SUFFIX}"
    return Bundle(path, file, str(found.version), found.compatible, sha256, size)


def publish(one: Bundle, folder: Path) -> bool:
    """Put a bundle where boxes fetch it; returns whether it was not there.

    Raises:
        ConflictError: If another one lies there under its name.
        OSError: If the disk does not take it.
    """
    with one.path.open("rb") as content:
        return offering.publish(one.file, content, one.sha256, folder)


def published(folder: Path, name: str, keyring: Path) -> Bundle:
    """Return a bundle that is where boxes fetch it.

    Args:
        folder: Where that is.
        name: Its name there, its version, or a path whose last part is its name.
        keyring: As for `read`.

    Raises:
        UnknownNameError: If there is none.
        UsageError: If a box would not take it.
    """
    named = Path(name).name
    path = offering.find(folder, named)
    if path is None:
        is_version = re.fullmatch(VERSION_PATTERN, named) is not None
        there = list(folder.glob(f"cleandesk-{named}-*{SUFFIX}")) if is_version else []
        path = there[0] if len(there) == 1 else None
    if path is None or path.suffix != SUFFIX:
        raise UnknownNameError(
            f"{named} is not published: run `cleandesk-provision update publish`"
        )
    return read(path, keyring)
