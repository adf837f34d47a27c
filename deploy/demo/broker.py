"""An MQTT 5 broker inside this machine's loopback, for the demo only: it needs no root."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from iotcore import Broker

#: rumqttd's configuration: its version 5 listener has no keyword arguments in iotcore.
_CONFIG = """\
id = 0

[router]
id = 0
max_connections = 32
max_outgoing_packet_count = 200
max_segment_size = 16777216
max_segment_count = 4

[v5.1]
name = "loopback"
listen = "127.0.0.1:{port}"
next_connection_delay_ms = 1

[v5.1.connections]
connection_timeout_ms = 10000
max_payload_size = 262144
max_inflight_count = 100
"""


def free_port() -> int:
    """Return a loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@contextmanager
def loopback_broker(folder: Path) -> Iterator[int]:
    """Run a broker on loopback; yields its port.

    Args:
        folder: Where its configuration is written.
    """
    port = free_port()
    config = folder / "broker.toml"
    config.write_text(_CONFIG.format(port=port), encoding="utf-8")
    with Broker(config_path=str(config)):
        yield port
