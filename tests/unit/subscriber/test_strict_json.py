import pytest

from cleandesk_fleet.subscriber.strict_json import MAX_DEPTH, UnreadableError, check


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff\xfe", "not UTF-8: byte 0"),
        (b"\xef\xbb\xbf{}", "not JSON"),
        (b'{"a": NaN}', "NaN is not a JSON number"),
        (b'{"a": [-Infinity]}', "-Infinity is not"),
        (b'{"a": 1e999}', "too large"),
        (b'{"a": -1e999}', "too large"),
        (b'{"a": 9007199254740992}', "2**53 or more"),
        (b'{"a": -' + b"9" * 100_000 + b"}", "2**53 or more"),
        (b'{"a": 1, "a": 2}', "occurs twice"),
        (b'["\\ud800"]', "half of a surrogate pair"),
        (b'{"\\udfff": 1}', "half of a surrogate pair"),
        (b'["a\\u0000b"]', "NUL"),
        (b"[" * 100_000, "nested deeper"),
        (b"[" * (MAX_DEPTH + 2) + b"]" * (MAX_DEPTH + 2), "nested deeper"),
    ],
    ids=lambda value: repr(value[:20]),
)
def test_refuses_with_the_reason(payload: bytes, reason: str) -> None:
    with pytest.raises(UnreadableError, match=reason.replace("*", r"\*")):
        check(payload)


def test_takes_what_boxes_send() -> None:
    text = '{"class": "stapler \\ud83d\\udcce", "seq": 9007199254740991, "x": [0.5, -1, null]}'
    assert check(text.encode()) == {"class": "stapler 📎", "seq": 2**53 - 1, "x": [0.5, -1, None]}


def test_takes_the_deepest_nesting_that_it_promises() -> None:
    check(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)
