"""The watch at the broker's door: nothing ends it but its service."""

import threading

import pytest

from cleandesk.contract.publication import TlsError
from cleandesk_fleet.provision import door
from cleandesk_fleet.provision.errors import BrokerError


@pytest.mark.parametrize(
    "fault",
    [
        OSError(28, "No space left on device"),
        TlsError("door.pem: not readable"),
        BrokerError("the broker is away"),
        KeyError("whatever else"),
    ],
    ids=lambda fault: type(fault).__name__,
)
def test_who_is_to_go_is_put_out_after_any_fault(
    monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    for name in ("_LOOK_S", "_AGAIN_S"):
        monkeypatch.setattr(door, name, 0.01)
    tried: list[int] = []
    done = threading.Event()

    def enforce() -> None:
        tried.append(1)
        if len(tried) == 1:
            raise fault
        done.set()

    with door.Watch(enforce):
        assert done.wait(10)
