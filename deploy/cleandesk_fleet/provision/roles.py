"""What people and services may read and write on the broker, and the rules files that say so."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from cleandesk.contract.topics import NAME_PATTERN, ROOT, Command
from cleandesk_fleet.provision.authorities import Issuer
from cleandesk_fleet.provision.errors import UsageError

_HEADER = """\
# Written by cleandesk-provision: changes here are lost at the next `operator add` or `revoke`.
# What is not here is denied.
"""


#: Common name of the broker's own certificate.
BROKER = "broker"


class Role(StrEnum):
    """What somebody who is no box is for."""

    SUBSCRIBER = "subscriber"
    OPS = "ops"
    CONTROL = "control"
    DISCOVERY = "discovery"
    HOME_ASSISTANT = "home-assistant"
    ADMIN = "admin"

    @property
    def issuer(self) -> Issuer:
        """Who vouches for them; each authority has a listener of its own."""
        return Issuer.ADMINS if self is Role.ADMIN else Issuer.PEOPLE

    @property
    def must_have_site(self) -> bool:
        """Whether they are of one site."""
        return self in {Role.OPS, Role.CONTROL}

    @property
    def may_have_site(self) -> bool:
        """Whether they can be of one site."""
        return self.must_have_site or self in {Role.DISCOVERY, Role.HOME_ASSISTANT}


#: Below `cleandesk/v1/<site>/<box>/`. Stills, objections and idle markers are read by the
#: subscriber alone, so that one place decides who looks at them and when they go.
_EVENTS = ("status", "health", "privacy", "violation", "active/+")
#: What `verify`, `rotate`, `model` and `update` ask a box for; all other commands are `control`'s.
_ASKS = (Command.DOCTOR, Command.ROTATE_KEY, Command.MODEL, Command.UPDATE)
_READS = {
    Role.SUBSCRIBER: (*_EVENTS, "still/+", "appeal", "idle"),
    Role.OPS: (*_EVENTS, "config/reported"),
    Role.CONTROL: ("status", "health", "privacy", "config/reported", "cmd/+/response/#"),
    Role.DISCOVERY: ("status", "active/+"),
    Role.HOME_ASSISTANT: ("status", "health", "privacy", "violation"),
    Role.ADMIN: (
        *("status", "health", "privacy", "active/+", "config/+"),
        *(f"cmd/{command}/response/#" for command in _ASKS),
    ),
}
_WRITES: dict[Role, tuple[str, ...]] = {
    Role.SUBSCRIBER: ("ack",),
    Role.OPS: (),
    Role.CONTROL: ("config/desired", "cmd/+/request"),
    Role.DISCOVERY: (),
    Role.HOME_ASSISTANT: (),
    # To clear what a removed box left behind, and to ask one what is wrong, for a new key, or to
    # look with a model that the fleet's key signed, or to take an update that is signed.
    Role.ADMIN: (
        *("status", "health", "privacy", "active/+", "config/+"),
        *(f"cmd/{command}/request" for command in _ASKS),
    ),
}

#: Outside of it: whole devices are announced and counted there, and a Home Assistant says that it
#: has begun.
_ANNOUNCED = ("homeassistant/device/+/config", "homeassistant/device/+/state")
_ALSO = {
    Role.DISCOVERY: [("readwrite", topic) for topic in _ANNOUNCED],
    Role.HOME_ASSISTANT: [
        *(("read", topic) for topic in _ANNOUNCED),
        ("readwrite", "homeassistant/status"),
    ],
}


@dataclass(frozen=True, slots=True)
class Operator:
    """Somebody who is no box.

    Attributes:
        name: Their certificate's common name.
        role: What they may do.
        site: Whose boxes; None is every site's.

    Raises:
        UsageError: If a name has other characters than a site's: it stands in the rules file.
    """

    name: str
    role: Role
    site: str | None = None

    def __post_init__(self) -> None:
        for name in (self.name, self.site):
            if name is not None and not re.fullmatch(NAME_PATTERN, name):
                raise UsageError(f"{name!r} is no name: use 1-64 of a-z, 0-9 and '-'")
        if self.name == BROKER:
            raise UsageError(f"{BROKER} is the broker's own name: take another one")


def rules(operators: Iterable[Operator], issuer: Issuer) -> str:
    """Return the rules file of the listener for those that an authority vouches for."""
    return _HEADER + "".join(_block(one) for one in operators if one.role.issuer is issuer)


def _block(operator: Operator) -> str:
    boxes = f"{ROOT}/{operator.site or '+'}/+"
    lines = [f"topic read {boxes}/{channel}" for channel in _READS[operator.role]]
    lines += [f"topic write {boxes}/{channel}" for channel in _WRITES[operator.role]]
    lines += [f"topic {may} {topic}" for may, topic in _ALSO.get(operator.role, ())]
    return "\n".join(["", f"user {operator.name}", *lines, ""])
