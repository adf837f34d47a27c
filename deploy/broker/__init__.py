"""The broker's configuration, and a way to run it on this machine with throw-away certificates."""

from broker.local import LocalBroker, free_port, free_ports

__all__ = ["LocalBroker", "free_port", "free_ports"]
