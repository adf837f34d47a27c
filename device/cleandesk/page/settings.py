"""The page's settings: a file of its own, as the box's may hold what the page must not read."""

import os
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from cleandesk.settings_base import Name, Settings, TimeZone

Address = IPv4Address | IPv6Address
_HTTPS = 443


def _label() -> Path:
    """Return where the label's PIN lies: what systemd hands to the page's unit goes first."""
    return Path(os.environ.get("CREDENTIALS_DIRECTORY", "/etc/cleandesk")) / "page-label"


def _everywhere() -> list[Address]:
    return [IPv4Address("0.0.0.0")]


class ServingSettings(Settings):
    """Where the page is served, and to whom."""

    enabled: bool = Field(True, description="false: no page; the button still takes breaks")
    listen: Annotated[list[Address], Field(min_length=1, max_length=8)] = Field(
        default_factory=_everywhere,
        description="Addresses to listen on; 0.0.0.0 is all of IPv4, :: all of IPv6",
    )
    port: int = Field(_HTTPS, ge=1, le=65535, description="Of HTTPS")
    names: Annotated[list[str], Field(max_length=8)] = Field(
        default_factory=list,
        description="Names it may be called by, besides cleandesk-<box>.local and addresses",
    )
    timezone: TimeZone | None = Field(
        None, description="Times are shown in it, such as Europe/Berlin; default: the system's"
    )


class PageSettings(Settings):
    """A whole configuration file."""

    schema_version: Literal[1] = Field(1, alias="schema", description="Version of this file's form")
    box: Name = Field(description="As in the box's settings; the page is cleandesk-<box>.local")
    page: ServingSettings = Field(default_factory=ServingSettings, description="Where it is served")
    socket: Path = Field(
        Path("/run/cleandesk/page.sock"), description="The box's Unix socket for the page"
    )
    state: Path = Field(
        Path("/var/lib/cleandesk-page"),
        description="Folder for key, certificate, PIN and sessions; readable by the page alone",
    )
    label: Path = Field(
        default_factory=_label,
        description="The label's PIN as `cleandesk-page hash-pin` writes it",
    )

    @property
    def name(self) -> str:
        """Return the page's name on the home network."""
        return f"cleandesk-{self.box}.local"

    @property
    def address(self) -> str:
        """Return what to type into a browser."""
        port = "" if self.page.port == _HTTPS else f":{self.page.port}"
        return f"https://{self.name}{port}"
