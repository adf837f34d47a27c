"""Answers RabbitMQ's questions of who may do what, by the rules files that mosquitto reads.

RabbitMQ asks by `rabbitmq_auth_backend_http`: four paths, a form, and `allow` or `deny`. Its own
permissions are a regular expression for each user; here a box needs nothing but its certificate,
and a rule is written once. Topics come as AMQP has them, with dots.

RabbitMQ looks at a filter when somebody subscribes, and never at what it then delivers. So a filter
is allowed only if every topic that it selects may be read, where mosquitto grants any and delivers
less.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from urllib.parse import parse_qsl

import uvicorn
from paho.mqtt.client import topic_matches_sub
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from cleandesk.contract.topics import Address, TopicError
from cleandesk_fleet.provision.access import Rules, client_ids, covers
from cleandesk_fleet.provision.authorities import Issuer
from cleandesk_fleet.provision.errors import UsageError

Network = IPv4Network | IPv6Network
Question = Mapping[str, str]

_VHOST, _EXCHANGE = "/", "amq.topic"
_LOOPBACK = ("127.0.0.0/8", "::1")
_KEPT = 100_000
#: How RabbitMQ makes a routing key of a topic, undone.
_AS_TOPIC = str.maketrans(".*", "/+")


class Answers:
    """What RabbitMQ may let a client do.

    Args:
        folder: Where `boxes.acl`, `people.acl` and `admins.acl` lie; read anew when they change.
        administrators_from: An administrator is let in from these addresses only.
    """

    def __init__(self, folder: Path, administrators_from: Sequence[Network]) -> None:
        self._files = {issuer: folder / f"{issuer}.acl" for issuer in Issuer}
        self._near = tuple(administrators_from)
        self._parsed = lru_cache(_KEPT)(self._parse)

    def user(self, asked: Question) -> bool:
        """Say whether somebody has any rules; TLS has looked at the certificate before."""
        name = asked["username"]
        return any(self._rules(issuer, name).granted for issuer in _issuers(name))

    def vhost(self, asked: Question) -> bool:
        """Say whether somebody may connect: by their own client id, an administrator by any.

        Whoever takes a client's id puts that client out.
        """
        if asked["vhost"] != _VHOST:
            return False
        name = asked["username"]
        if not self._is_administrator(name):
            return asked.get("client_id") in client_ids(name)
        address = ip_address(asked["ip"])
        address = getattr(address, "ipv4_mapped", None) or address
        return any(address in network for network in self._near)

    def resource(self, asked: Question) -> bool:
        """Say whether somebody may use a queue of their own, or the exchange of all topics.

        Whose a client id is was asked before, when it connected.
        """
        if asked["resource"] == "exchange":
            return asked["name"] == _EXCHANGE and asked["permission"] in ("read", "write")
        return asked["resource"] == "queue" and asked["name"] in _queues(asked.get("client_id"))

    def topic(self, asked: Question) -> bool:
        """Say whether somebody may publish on a topic, or subscribe to a filter."""
        if asked["name"] != _EXCHANGE:
            return False
        name, way = asked["username"], asked["permission"]
        topic = asked["routing_key"].translate(_AS_TOPIC)
        matches: Callable[[str, str], bool] = covers
        if way == "write":
            if "+" in topic or "#" in topic:
                return False
            matches = topic_matches_sub
        return any(
            its == way and matches(pattern, topic)
            for issuer in _issuers(name)
            for its, pattern in self._rules(issuer, name).granted
        )

    def _is_administrator(self, name: str) -> bool:
        return Issuer.ADMINS in _issuers(name) and bool(self._rules(Issuer.ADMINS, name).granted)

    def _rules(self, issuer: Issuer, name: str) -> Rules:
        stamp = self._files[issuer].stat()
        return self._parsed(issuer, name, (stamp.st_mtime_ns, stamp.st_ino, stamp.st_size))

    def _parse(self, issuer: Issuer, name: str, _: tuple[int, int, int]) -> Rules:
        return Rules.read(self._files[issuer], name)


def networks(given: Sequence[str] | None) -> Sequence[Network]:
    """Parse addresses and networks; none are the loopback ones.

    Raises:
        UsageError: If one is neither.
    """
    try:
        return [ip_network(one) for one in given or _LOOPBACK]
    except ValueError as error:
        raise UsageError(f"no address and no network: {error}") from error


def _issuers(name: str) -> Sequence[Issuer]:
    """Return whose rules a name falls under, none if it is no name."""
    if "/" not in name:
        return (Issuer.PEOPLE, Issuer.ADMINS)
    try:
        Address(*name.split("/"))
    except (TopicError, TypeError):
        return ()
    return (Issuer.BOXES,)


def _queues(client_id: str | None) -> Sequence[str]:
    """Return the names of a client's queues, as RabbitMQ's MQTT gives them; none without an id."""
    if not client_id:
        return ()
    return tuple(f"mqtt-subscription-{client_id}qos{qos}" for qos in (0, 1))


def application(answers: Answers) -> Starlette:
    """Return the four paths that RabbitMQ asks on."""

    def route(path: str, decide: Callable[[Question], bool]) -> Route:
        async def answer(request: Request) -> PlainTextResponse:
            asked = dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))
            return PlainTextResponse("allow" if decide(asked) else "deny")

        return Route(f"/{path}", answer, methods=["POST"])

    deciders = {
        "user": answers.user,
        "vhost": answers.vhost,
        "resource": answers.resource,
        "topic": answers.topic,
    }
    return Starlette(routes=[route(path, decide) for path, decide in deciders.items()])


def serve(answers: Answers, port: int) -> None:
    """Answer on the loopback address until SIGTERM. What goes wrong is an error, never `allow`."""
    uvicorn.run(
        application(answers),
        host="127.0.0.1",
        port=port,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
    )
