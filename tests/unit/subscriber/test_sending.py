"""A try to tell people ends after a time, whatever becomes of its connection meanwhile."""

import socket
from types import SimpleNamespace

import pytest

from cleandesk_fleet.subscriber.notices.sending import Patience


def test_a_socket_that_takes_the_place_of_one_that_was_ended_is_ended_too() -> None:
    connection = SimpleNamespace(sock=None)
    with Patience(0.1) as patience:
        patience.watch(connection)
        for _ in range(2):
            ours, theirs = socket.socketpair()
            with ours, theirs:
                ours.settimeout(30)
                connection.sock = ours
                assert ours.recv(1) == b""
        with pytest.raises(TimeoutError, match="no whole answer"):
            patience.check()
