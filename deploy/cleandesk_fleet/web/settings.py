"""The page's settings: where it listens, how it is called, and who lets people in."""

from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from cleandesk.settings_base import Settings
from cleandesk_fleet.subscriber.database import Place, place_of
from cleandesk_fleet.subscriber.pictures import folder_of
from cleandesk_fleet.web.audit import KEEP_DAYS
from cleandesk_fleet.web.roles import Role

Address = IPv4Address | IPv6Address
Group = Annotated[str, Field(min_length=1, max_length=200)]
HeaderName = Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,64}$")]
_LOCAL = ("localhost", "127.0.0.1", "::1")


def _called(text: str) -> str:
    try:
        parts = urlsplit(text)
        well = bool(parts.hostname) and parts.port != 0
    except ValueError:
        well = False
    if not well or parts.path.rstrip("/") or parts.query or parts.fragment or "@" in parts.netloc:
        raise ValueError("write https://ops.example.org, with nothing behind the name but a port")
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOCAL):
        raise ValueError("write https://…; http:// is for localhost alone")
    return f"{parts.scheme}://{parts.netloc.lower()}"


def _postgresql(url: str) -> str:
    if not isinstance(place_of(url), Path):
        return url
    raise ValueError("write postgresql://user@host/name; a file belongs to 'path'")


class ListenSettings(Settings):
    """Where the page listens."""

    address: Address = Field(IPv4Address("127.0.0.1"), description="Address to listen on")
    port: int = Field(8443, ge=1, le=65_535, description="Its port")
    socket: Path | None = Field(
        None, description="A Unix socket instead, for a proxy on this machine; mode 0660"
    )
    cert: Path | None = Field(None, description="Certificate with its chain, PEM")
    key: Path | None = Field(None, description="Its key, mode 0600")

    @model_validator(mode="after")
    def _encrypted(self) -> Self:
        if (self.cert is None) != (self.key is None):
            raise ValueError("'cert' and 'key' go together: give both, or neither")
        if self.socket is not None and self.cert is not None:
            raise ValueError("a Unix socket needs no certificate: leave out 'cert' and 'key'")
        if self.socket is None and self.cert is None and not self.address.is_loopback:
            raise ValueError(
                "without 'cert' and 'key' passwords would be sent in the clear: give both, listen "
                "on 127.0.0.1, or on a 'socket'"
            )
        return self


class ProxySettings(Settings):
    """A proxy that signs people in by OpenID Connect, and says who they are."""

    addresses: Annotated[list[Address], Field(max_length=8)] = Field(
        default_factory=list, description="Where it connects from; none where 'socket' is used"
    )
    secret: Path | None = Field(
        None, description="File with the secret that it sends as X-Cleandesk-Proxy, mode 0600"
    )
    user_header: HeaderName = Field("X-Forwarded-Email", description="Header that names a person")
    groups_header: HeaderName = Field(
        "X-Forwarded-Groups", description="Header with their groups, separated by commas"
    )
    roles: Annotated[dict[Role, list[Group]], Field(min_length=1)] = Field(
        description="For each role the groups that have it; the highest one counts"
    )


class StoreSettings(Settings):
    """Where the log is, as in the subscriber's settings."""

    path: Path = Field(Path("cleandesk-log.db"), description="SQLite file; relative to this file")
    url: Annotated[str, AfterValidator(_postgresql)] | None = Field(
        None, description="PostgreSQL instead: postgresql://user@host:5432/name"
    )
    stills: Path | None = Field(
        None, description="Folder of the pictures; default: beside 'path', with .stills added"
    )

    @property
    def place(self) -> Place:
        """Where the log is."""
        return self.path if self.url is None else place_of(self.url)

    @property
    def folder(self) -> Path:
        """Where pictures lie."""
        return self.stills or folder_of(self.path)


class WebSettings(Settings):
    """A whole configuration file."""

    schema_version: Literal[1] = Field(1, alias="schema", description="Version of this file's form")
    url: Annotated[str, AfterValidator(_called)] = Field(
        description="What people type: https://ops.example.org; no other name is answered"
    )
    listen: ListenSettings = Field(default_factory=ListenSettings, description="Where it listens")
    store: StoreSettings = Field(default_factory=StoreSettings, description="The log")
    proxy: ProxySettings | None = Field(
        None, description="People are signed in by a proxy; default: by accounts of the page's own"
    )
    audit_days: int = Field(
        KEEP_DAYS,
        ge=30,
        le=3650,
        description="For so long it is kept who did what, then it is deleted",
    )

    @model_validator(mode="after")
    def _proxy_is_known(self) -> Self:
        proxy, by_socket = self.proxy, self.listen.socket is not None
        if proxy is None:
            return self
        if by_socket and (proxy.addresses or proxy.secret):
            raise ValueError("on a Unix socket the proxy needs no 'addresses' and no 'secret'")
        if not by_socket and not (proxy.addresses and proxy.secret):
            raise ValueError(
                "whoever can reach the page could say they are the proxy: give 'proxy.addresses' "
                "and 'proxy.secret', or listen on a Unix socket"
            )
        return self
