"""The last good configuration that came by MQTT, on the disk beside the outbox."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from cleandesk import durable
from cleandesk.contract.config_messages import Digest, Version
from cleandesk.settings_remote import RemoteSettings
from cleandesk.settings_worker import BreakSettings


class UnknownConfigError(Exception):
    """Nobody can tell what was accepted; the text names the file and the reason."""


class Kept(BaseModel):
    """What was accepted.

    Attributes:
        version: Of the `config/desired`; None: there was none.
        sha256: Of its bytes.
        config: What it holds.
        breaks: What `set-break-limits` has put in place of its `breaks` since.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    form: Literal[1] = 1
    version: Version | None = None
    sha256: Digest | None = None
    config: RemoteSettings = RemoteSettings()
    breaks: BreakSettings | None = None


def path_of(outbox: Path) -> Path:
    """Return the file's path: it lies beside the outbox."""
    return outbox.with_name(outbox.name + ".config")


def read(path: Path) -> Kept:
    """Return what was accepted last; nothing if there is no file.

    Raises:
        UnknownConfigError: The file is damaged, cannot be read, or is of another version.
    """
    try:
        content = durable.read(path)
        return Kept() if content is None else Kept.model_validate_json(content)
    except durable.DamagedError as error:
        raise UnknownConfigError(str(error)) from error
    except ValidationError as error:
        raise UnknownConfigError(f"{path}: it is of another version") from error


def write(path: Path, kept: Kept) -> None:
    """Make this what was accepted; it is on the disk when this returns.

    Raises:
        OSError: Then the file says what it said before.
    """
    durable.write(path, kept.model_dump_json(by_alias=True).encode())
