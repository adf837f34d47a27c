"""What the broker should hold, and when it is told."""

from cleandesk.contract.publication import Publication
from cleandesk.link.retained import Retained, Wanted


def sent(retained: Retained, now: float) -> list[tuple[str, bytes]]:
    return [(one.topic, one.payload) for one in retained.due(now)]


def test_a_topic_is_published_when_it_changes_and_after_each_connect() -> None:
    retained = Retained(retry_s=10)
    retained.want("a", Wanted(b"1"))
    retained.want("b", Wanted(b"1"))
    assert sent(retained, 0) == [("a", b"1"), ("b", b"1")]
    retained.want("a", Wanted(b"1"))
    assert sent(retained, 1) == []
    retained.want("a", Wanted(b"2"))
    assert sent(retained, 2) == [("a", b"2")]
    retained.connected()
    assert sent(retained, 3) == [("a", b"2"), ("b", b"1")]


def test_it_is_refreshed_before_it_expires() -> None:
    retained = Retained(retry_s=10)
    retained.want("a", Wanted(b"1", expiry_s=100, refresh_s=30))
    assert [one.expiry_s for one in retained.due(0)] == [100]
    assert sent(retained, 29) == []
    assert sent(retained, 30) == [("a", b"1")]


def test_only_the_newest_content_counts_as_confirmed() -> None:
    retained = Retained(retry_s=10)
    retained.want("a", Wanted(b"open"))
    (opened,) = retained.due(0)
    retained.want("a", Wanted(b""))
    (cleared,) = retained.due(1)
    assert not retained.confirmed(opened)
    assert retained.confirmed(cleared)


def test_a_confirmation_of_the_old_is_none_of_the_new() -> None:
    retained = Retained(retry_s=10)
    retained.want("a", Wanted(b"open"))
    (opened,) = retained.due(0)
    retained.want("a", Wanted(b""))
    assert not retained.confirmed(opened)
    assert sent(retained, 1) == [("a", b"")]


def test_what_was_refused_is_tried_again_later() -> None:
    retained = Retained(retry_s=10)
    retained.want("a", Wanted(b"1"))
    (publication,) = retained.due(0)
    retained.refused(publication, 0)
    assert sent(retained, 9) == []
    assert sent(retained, 10) == [("a", b"1")]


def test_a_forgotten_topic_is_left_alone() -> None:
    retained = Retained(retry_s=10)
    retained.want("a", Wanted(b"1"))
    retained.forget("a")
    assert sent(retained, 0) == []
    assert not retained.confirmed(Publication("a", b"1"))
