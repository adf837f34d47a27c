from cleandesk_fleet.subscriber.watch import Watch
from tests.unit.subscriber.make import BOX, OTHER


def watching() -> Watch:
    watch = Watch(180)
    watch.resume(0)
    return watch


def test_a_box_is_silent_after_its_time_and_once() -> None:
    watch = watching()
    watch.hear(BOX, 0)
    assert watch.due(180) == []
    assert watch.due(180.1) == [BOX]
    watch.reported([BOX])
    assert watch.due(1000) == []


def test_each_message_starts_the_time_anew() -> None:
    watch = watching()
    watch.hear(BOX, 0)
    watch.hear(BOX, 100)
    watch.hear(OTHER, 50)
    assert watch.due(240) == [OTHER]


def test_a_silent_box_that_speaks_may_fall_silent_again() -> None:
    watch = watching()
    watch.hear(BOX, 0)
    watch.reported(watch.due(200))
    assert set(watch.silent) == {BOX}
    watch.hear(BOX, 300)
    assert not watch.silent
    assert watch.due(500) == [BOX]


def test_a_box_that_said_goodbye_is_not_missed() -> None:
    watch = watching()
    watch.hear(BOX, 0)
    watch.forget(BOX)
    assert watch.due(1000) == []


def test_nobody_is_silent_while_nobody_can_be_heard() -> None:
    watch = watching()
    watch.hear(BOX, 0)
    watch.pause()
    assert watch.due(1000) == []
    watch.resume(1000)
    assert watch.due(1100) == []
    assert watch.due(1200) == [BOX]


def test_an_old_copy_does_not_count_as_heard() -> None:
    watch = watching()
    watch.expect(BOX, 0)
    watch.expect(BOX, 150)
    assert watch.due(200) == [BOX]


def test_a_silence_known_from_before_is_not_told_again() -> None:
    watch = watching()
    watch.expect(BOX, 0, silent=True)
    assert watch.due(1000) == []


def test_time_in_which_nobody_was_listened_to_does_not_count_and_the_rest_does() -> None:
    watch = watching()
    watch.hear(BOX, 0)
    watch.shift(60, 100)
    assert watch.due(240) == []
    assert watch.due(240.1) == [BOX]


def test_whoever_stands_still_again_and_again_still_judges() -> None:
    watch = watching()
    watch.hear(BOX, 0)
    now = 0.0
    while not watch.due(now) and now < 1000:
        now += 100  # of which a tenth it stood still
        watch.shift(10, now)
    assert 180 < now <= 300


def test_nobody_was_heard_in_the_future() -> None:
    watch = watching()
    watch.hear(BOX, 95)
    watch.shift(60, 100)
    assert watch.due(280.1) == [BOX]
