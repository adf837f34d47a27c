"""Who a proxy says that somebody is, if it is the proxy that says so."""

import secrets
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from starlette.datastructures import Headers

from cleandesk_fleet.web.errors import WebError
from cleandesk_fleet.web.roles import Role
from cleandesk_fleet.web.settings import Address, ProxySettings

SECRET_HEADER = "x-cleandesk-proxy"  # noqa: S105 - a header's name
_SHORTEST_SECRET = 32
_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody whom the proxy signed in; None: none of their groups has a role."""

    name: str
    role: Role | None


class Proxy:
    """Reads the proxy's headers; anybody else's are worth nothing.

    Args:
        settings: Which proxy.

    Raises:
        WebError: If its secret cannot be read, is short, or others may read it.
    """

    def __init__(self, settings: ProxySettings) -> None:
        self._settings = settings
        self._secret = None if settings.secret is None else _read(settings.secret)

    def is_it(self, peer: str, headers: Headers) -> bool:
        """Say whether a request comes from the proxy. On a Unix socket nobody else can ask."""
        if self._secret is None:
            return True
        said = headers.getlist(SECRET_HEADER)
        return (
            _address(peer) in self._settings.addresses
            and len(said) == 1
            and secrets.compare_digest(said[0].encode("utf-8", "replace"), self._secret)
        )

    def person(self, headers: Headers) -> Person | None:
        """Return whom the proxy names; None if nobody, or more than one."""
        names = headers.getlist(self._settings.user_header)
        if len(names) != 1:
            return None
        name = names[0].strip()
        if not name or len(name) > _LONGEST_NAME or not name.isprintable():
            return None
        said = headers.getlist(self._settings.groups_header)
        groups = {group.strip() for line in said for group in line.split(",")}
        given = [role for role, wanted in self._settings.roles.items() if groups & set(wanted)]
        return Person(name, max(given, key=list(Role).index, default=None))


def _address(peer: str) -> Address | None:
    try:
        address = ip_address(peer)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_mode & 0o077:
            raise WebError(f"{path}: others may read this secret; run 'chmod 600 {path}'")
        secret = path.read_bytes().strip()
    except OSError as error:
        raise WebError(
            f"{path}: {error.strerror}: make it with 'openssl rand -hex 32', and give the same to "
            "the proxy"
        ) from error
    if len(secret) < _SHORTEST_SECRET:
        raise WebError(f"{path}: too short for a secret: use 'openssl rand -hex 32'")
    return secret
