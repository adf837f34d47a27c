"""Cuts a box off its broker every now and then, as a network does."""

import contextlib
import threading
from types import TracebackType
from typing import Self

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from cleandesk.contract.topics import Address


class Disturbance:
    """Takes over the box's session each so many seconds: the broker closes the box's connection.

    Args:
        host: The broker's.
        port: The broker's.
        address: The box's.
        every_s: Seconds from one cut to the next.
    """

    def __init__(self, host: str, port: int, address: Address, *, every_s: float) -> None:
        self._host, self._port, self._every_s = host, port, every_s
        self._client_id = address.client_id
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="disturbance", daemon=True)
        self.cuts = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(self._every_s):
            client = mqtt.Client(
                CallbackAPIVersion.VERSION2, client_id=self._client_id, protocol=mqtt.MQTTv5
            )
            with contextlib.suppress(OSError):  # a broker that is away has cut the box off already
                client.connect(self._host, self._port)
                client.loop(0.5)
                client.disconnect()
                self.cuts += 1
