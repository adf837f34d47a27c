from cleandesk.camera.state import Board, CaptureState
from cleandesk.contract.messages import CameraFault
from tests.unit.camera.sources import FakeClock

LIMITS = {"timeout_s": 5.0, "hang_s": 60.0}


def test_a_fault_keeps_its_beginning_while_it_lasts(clock: FakeClock) -> None:
    board, began = Board("desk"), clock.now()
    for detail in ("no answer", "no route"):
        board.faulty(CameraFault.UNAVAILABLE, detail, clock.now())
        clock.mono += 10

    state = board.read(clock.now(), **LIMITS)
    assert state.since == began
    assert state.detail == "no route"

    board.faulty(CameraFault.STALLED, "no frame", clock.now())
    assert board.read(clock.now(), **LIMITS).since == clock.now()


def test_listeners_hear_of_changes_and_not_of_every_frame(clock: FakeClock) -> None:
    heard: list[CaptureState] = []
    board = Board("desk", heard.append)
    for _ in range(5):
        board.frame(clock.now())
        board.good(clock.now())
    assert heard == []
    for _ in range(5):
        board.faulty(CameraFault.BLACK, "dark", clock.now())
    board.good(clock.now())
    assert [state.fault for state in heard] == [CameraFault.BLACK, None]


def test_a_call_that_comes_back_in_time_is_no_fault(clock: FakeClock) -> None:
    board = Board("desk")
    for _ in range(100):
        board.doing("read", clock.now())
        clock.mono += 4
        assert board.read(clock.now(), **LIMITS).fault is None
        board.done()
        clock.mono += 100  # waiting to be read, or for a frame's moment, is no hang
        assert board.read(clock.now(), **LIMITS).fault is None


def test_a_hang_does_not_hide_an_earlier_fault(clock: FakeClock) -> None:
    board = Board("desk")
    board.faulty(CameraFault.UNAVAILABLE, "busy", clock.now())
    board.doing("open", clock.now())
    clock.mono += 61
    state = board.read(clock.now(), **LIMITS)
    assert state.fault is CameraFault.UNAVAILABLE
    assert state.detail == "busy"
    assert state.give_up
