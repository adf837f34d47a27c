"""What came by MQTT and was accepted, on the disk beside the outbox.

An update on trial may write what the version before it does not know, and be left. That version
goes on with what it knows: settings of which it does not know each are not half taken over, but
the ones before them run, and the broker still has the newer ones, to be judged anew.
"""

import json
import logging
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, Field, ValidationError

from cleandesk import durable
from cleandesk.contract.config_messages import Version
from cleandesk.contract.messages import Digest, Id, Seconds, Text
from cleandesk.settings_remote import RemoteSettings
from cleandesk.settings_worker import BreakSettings

log = logging.getLogger(__name__)

_MOST_TAKEN = 100


class UnknownConfigError(Exception):
    """Nobody can tell what was accepted; the text names the file and the reason."""


class _Row(BaseModel):
    model_config = durable.READABLE


class Accepted(_Row):
    """One configuration that was accepted.

    Attributes:
        version: Of the `config/desired`; None: there was none.
        sha256: Of its bytes.
        config: What it holds.
        breaks: What `set-break-limits` has put in place of its `breaks` since.
    """

    version: Version | None = None
    sha256: Digest | None = None
    config: RemoteSettings = RemoteSettings()
    breaks: BreakSettings | None = None


class GivenUp(_Row):
    """One that was accepted, and with which start after start crashed.

    Attributes:
        noted: Whether the ledger tells of it.
    """

    version: Version
    sha256: Digest
    why: Text
    noted: bool = False


class Taken(_Row):
    """When configurations were taken over, in monotonic seconds of one power-on."""

    boot: Id
    at: Annotated[tuple[Seconds, ...], Field(max_length=_MOST_TAKEN)]


class Kept(Accepted):
    """What runs, and what it takes to go back.

    Attributes:
        before: What ran before, as long as this one has not proven itself; None: it has.
        given_up: The last one that did not.
        taken: When the latest ones came, so that no restart makes room for more.
    """

    form: Literal[1] = 1
    before: Accepted | None = None
    given_up: GivenUp | None = None
    taken: Taken | None = None

    @property
    def present(self) -> Accepted:
        """What runs, alone."""
        return Accepted(
            version=self.version, sha256=self.sha256, config=self.config, breaks=self.breaks
        )

    @property
    def highest(self) -> int:
        """The highest version that was ever accepted."""
        given_up = self.given_up.version if self.given_up else 0
        return max(self.version or 0, given_up)

    def replaced_by(self, accepted: Accepted) -> Self:
        """Return what is to be kept when another one takes over: the last that was proven stays."""
        before = self.present if self.before is None else self.before
        return self._with(accepted, before=before)

    def limited_by(self, limits: BreakSettings) -> Self:
        """Return the same with other limits on breaks, also in what it may go back to."""
        update = {"breaks": limits}
        before = None if self.before is None else self.before.model_copy(update=update)
        return self.model_copy(update=update | {"before": before})

    def proven(self) -> Self:
        """Return the same without a way back."""
        return self.model_copy(update={"before": None})

    def fallen_back(self, why: str) -> Self | None:
        """Return what ran before in its place; None where nothing else is known to be good."""
        if self.before is None or self.version is None or self.sha256 is None:
            return None
        given_up = GivenUp(version=self.version, sha256=self.sha256, why=why)
        return self._with(self.before, before=None, given_up=given_up)

    def _with(self, accepted: Accepted, **update: object) -> Self:
        fields = {name: getattr(accepted, name) for name in Accepted.model_fields}
        return self.model_copy(update=fields | update)


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
        return Kept() if content is None else _known(content)
    except durable.DamagedError as error:
        raise UnknownConfigError(str(error)) from error
    except ValidationError as error:
        raise UnknownConfigError(f"{path}: it is of another version") from error


def write(path: Path, kept: Kept) -> None:
    """Make this what was accepted; it is on the disk when this returns.

    Only what was said is written: whatever settings there are, an older version knows those that
    somebody could set by it.

    Raises:
        OSError: Then the file says what it said before.
    """
    durable.write(path, kept.model_dump_json(by_alias=True, exclude_unset=True).encode())


def _known(content: bytes) -> Kept:
    """Return what this version knows of what was written.

    Raises:
        ValidationError: If it is of another form.
    """
    try:
        return Kept.model_validate_json(content)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False)
        if any(one["type"] != "extra_forbidden" for one in problems):
            raise
    unknown = [one["loc"] for one in problems]
    log.warning("newer software kept settings that are not known", extra={"keys": unknown})
    data = json.loads(content)
    if any(loc[:2] == ("before", "config") for loc in unknown):
        data["before"] = {"breaks": data["before"].get("breaks")}
    if any(loc[0] == "config" for loc in unknown):
        own: dict[str, Any] = {"version": None, "sha256": None, "config": {}}
        data |= own | (data.get("before") or {}) | {"before": None}
    for limits in (data, data.get("before")):
        _forget_unknown(limits)
    return Kept.model_validate_json(json.dumps(data))


def _forget_unknown(accepted: dict[str, Any] | None) -> None:
    """Let go of limits on breaks that are not known: the others hold by themselves."""
    limits = (accepted or {}).get("breaks") or {}
    for name in set(limits) - set(BreakSettings.model_fields):
        del limits[name]


def fall_back(path: Path, why: str) -> bool:
    """Go back to the last configuration that was good, if the present one is not known to be.

    Args:
        path: The file.
        why: What became of the starts with the present one.

    Returns:
        Whether there is another one now.

    Raises:
        OSError: The disk does not take it.
    """
    try:
        kept = read(path).fallen_back(why)
    except UnknownConfigError:
        return False  # none of it runs
    if kept is None:
        return False
    write(path, kept)
    return True
