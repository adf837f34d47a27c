"""paho's client, with what it does for each packet done for many at once.

paho asks the system for each part of a packet, waits anew before each packet, and wakes its own
thread and writes for each one that is sent. Most of what an event costs a subscriber was that.
"""

from collections.abc import Iterable

from paho.mqtt.client import Client
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes

_ROOM = 1 << 16
#: As paho has it: a packet's kind stands in the upper half of its first byte.
_PUBACK = PacketTypes.PUBACK << 4


class LeanClient(Client):
    """Takes in many packets by one call of the system, and sends many by one."""

    _came, _at = b"", 0

    def loop(self, timeout: float = 1.0) -> MQTTErrorCode:
        """Wait for something, take in all of it, and send what is to be sent."""
        done = super().loop(timeout)
        while done == MQTTErrorCode.MQTT_ERR_SUCCESS and self._at < len(self._came):
            done = self.loop_read()
        return done

    def send_together(self, packets: Iterable[bytes]) -> None:
        """Send whole packets that nobody answers, in order, in one go; from any thread.

        To paho they are one packet, of the kind that it asks nothing about once it is sent.
        """
        if whole := b"".join(packets):
            self._packet_queue(_PUBACK, whole, 0, 1)

    def _sock_recv(self, bufsize: int) -> bytes:
        """Return the next bytes, of those that came together where there are some."""
        if self._at >= len(self._came):
            self._came, self._at = super()._sock_recv(max(bufsize, _ROOM)), 0
        part = self._came[self._at : self._at + bufsize]
        self._at += len(part)
        return part
