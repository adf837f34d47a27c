"""A session that writes down what it told."""

from typing import Any, Self

from cleandesk.contract.connection import BrokerSettings, TlsSettings
from cleandesk.contract.mqtt import Received, Session
from tests.eventually import eventually


def settings(port: int, tls: TlsSettings | None = None, host: str = "127.0.0.1") -> BrokerSettings:
    return BrokerSettings(host=host, port=port, tls=tls, retry_min_s=0.05, retry_max_s=0.2)


class Recorder:
    """A session, and what it told."""

    def __init__(self, broker: BrokerSettings, name: str, **options: Any) -> None:
        self.received: list[Received] = []
        self.pubacks: dict[int, int] = {}
        self.connects = self.disconnects = 0
        self.session = Session(
            broker,
            name,
            on_message=self.received.append,
            on_connect=self._connected,
            on_disconnect=self._disconnected,
            on_puback=self.pubacks.__setitem__,
            **options,
        )

    def __enter__(self) -> Self:
        self.session.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.session.stop()

    def connected(self) -> Self:
        eventually(lambda: self.session.connected)
        return self

    def _connected(self) -> None:
        self.connects += 1

    def _disconnected(self) -> None:
        self.disconnects += 1
