"""paho's client, with what it does for each packet done for many at once.

paho asks the system for each part of a packet, waits anew before each packet, and wakes its own
thread and writes for each one that is sent. Most of what an event costs a subscriber was that.
"""

import logging
from collections.abc import Iterable

from paho.mqtt.client import Client
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.exception import MalformedPacket
from paho.mqtt.packettypes import PacketTypes

from cleandesk.contract import packets

log = logging.getLogger(__name__)

_ROOM = 1 << 16
#: So many reads at most before what is to be sent has its turn: nothing bounds what comes at QoS 0.
_A_TURN = 1000
#: As paho has it: a packet's kind stands in the upper half of its first byte.
_PUBACK = PacketTypes.PUBACK << 4


class LeanClient(Client):
    """Takes in many packets by one call of the system, and sends many by one."""

    _came, _at = b"", 0

    def loop(self, timeout: float = 1.0) -> MQTTErrorCode:
        """Wait for something, send what is to be sent, and take in a bounded part of what came.

        What is left then is taken in by the next call, which does not wait: the system sees nothing
        of bytes that are here already.
        """
        done = super().loop(0.0 if self._left() else timeout)
        for _ in range(_A_TURN):
            if done != MQTTErrorCode.MQTT_ERR_SUCCESS or not self._left():
                break
            done = self.loop_read()
        return done

    def send_together(self, packets: Iterable[bytes]) -> None:
        """Send whole packets that nobody answers, in order, in one go; from any thread.

        To paho they are one packet, of the kind that it asks nothing about once it is sent.
        """
        if whole := b"".join(packets):
            self._packet_queue(_PUBACK, whole, 0, 1)

    def let_go(self) -> None:
        """Close the socket, and forget who is called back; not to be used any more.

        What paho holds beside the socket it closes when nobody refers to it, and those who are
        called back refer to it: it would stay open until Python's collector finds them.
        """
        if (connection := self.socket()) is not None:
            connection.close()
        self.on_connect = self.on_subscribe = self.on_disconnect = None
        self.on_message = self.on_publish = None

    def _handle_publish(self) -> MQTTErrorCode:
        """Hand over what came; without its properties where paho does not read them.

        It refuses U+FEFF in a text, which MQTT allows and brokers pass on, and ends the connection.
        The message would come again in the next one: one sender could keep us from all others.
        """
        try:
            return super()._handle_publish()
        except MalformedPacket as error:
            log.warning("a message goes without its properties", extra={"why": str(error)})
            came = self._in_packet
            came["packet"] = packets.without_properties(came["command"], came["packet"])
            return super()._handle_publish()

    def _left(self) -> bool:
        """Say whether there are bytes that came together with others and were not read yet."""
        return self._at < len(self._came)

    def _sock_recv(self, bufsize: int) -> bytes:
        """Return the next bytes, of those that came together where there are some."""
        if not self._left():
            self._came, self._at = super()._sock_recv(max(bufsize, _ROOM)), 0
        part = self._came[self._at : self._at + bufsize]
        self._at += len(part)
        return part
