"""Cuts a box off its broker every now and then, as a network does."""

import threading
import time
from types import TracebackType
from typing import Self

from cleandesk.contract.connection import BrokerSettings
from cleandesk.contract.mqtt import Session
from cleandesk.contract.topics import Address

_PATIENCE_S, _LOOK_S = 0.5, 0.01


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
        self._client_id = f"cleandesk.{address.site}.{address.box}"
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
        broker = BrokerSettings(host=self._host, port=self._port)
        while not self._stop.wait(self._every_s):
            intruder = Session(broker, self._client_id)
            intruder.start()
            give_up = time.monotonic() + _PATIENCE_S
            while not intruder.connected and time.monotonic() < give_up:
                time.sleep(_LOOK_S)
            # A broker that is away has cut the box off already.
            self.cuts += intruder.connected
            intruder.stop()
