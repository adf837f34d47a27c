"""Who gets an update first, and what is said of those who were asked."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleandesk.contract.commands import Outcome
from cleandesk.contract.topics import Address
from cleandesk.contract.update_messages import BoxUpdate, UpdateResponse, UpdateState
from cleandesk_fleet.provision.crowd import Asked
from cleandesk_fleet.provision.errors import UsageError
from cleandesk_fleet.provision.rollout import Result, Share, choose, result_of, row_of

DIGESTS = st.integers(0, 2**32).map(lambda number: f"{number:064x}")
BOXES = st.lists(
    st.builds(Address, st.sampled_from(["s1", "s2"]), st.integers(1, 99).map(lambda n: f"b{n}")),
    unique=True,
    max_size=60,
)
SHARES = st.builds(Share, st.integers(1, 70)) | st.builds(
    Share, st.none(), st.floats(0.01, 100, allow_nan=False)
)


@given(boxes=BOXES, digest=DIGESTS, shares=st.tuples(SHARES, SHARES))
def test_a_larger_share_has_all_of_a_smaller_one(
    boxes: list[Address], digest: str, shares: tuple[Share, Share]
) -> None:
    few, many = sorted((choose(boxes, digest, share) for share in shares), key=len)
    assert set(few) <= set(many) <= set(boxes)
    assert choose(boxes[::-1], digest, shares[0]) == choose(boxes, digest, shares[0])
    assert len(few) >= min(1, len(boxes))
    assert choose(boxes, digest, None) == sorted(boxes, key=str)


@pytest.mark.parametrize(
    ("text", "boxes", "many"),
    [("5%", 1000, 50), ("5%", 3, 1), ("0.5%", 1000, 5), ("100%", 7, 7), ("20", 7, 7), ("2", 7, 2)],
)
def test_a_share_is_a_part_or_a_number(text: str, boxes: int, many: int) -> None:
    assert Share.parse(text).of(boxes) == many


@pytest.mark.parametrize("text", ["", "0", "0%", "101%", "-5", "5 %", "half", "1e3"])
def test_what_is_no_share_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="5%"):
        Share.parse(text)


def _said(outcome: Outcome, runs: str = "0.1.2", **more: Any) -> UpdateResponse:
    return UpdateResponse(
        outcome=outcome,
        at=datetime(2026, 3, 2, tzinfo=UTC),
        clock_synced=True,
        update=BoxUpdate(version=runs, state=UpdateState.COMMITTED),
        **more,
    )


@pytest.mark.parametrize(
    ("here", "answer", "result"),
    [
        (False, None, Result.OFFLINE),
        (None, None, Result.OFFLINE),
        (True, None, Result.ASKED),
        (True, _said(Outcome.DONE), Result.TAKEN),
        (True, _said(Outcome.DONE, "0.1.3"), Result.RUNS),
        (True, _said(Outcome.BUSY), Result.BUSY),
        (True, _said(Outcome.FAILED, detail="disk: no"), Result.REFUSED),
        (True, _said(Outcome.INVALID), Result.REFUSED),
    ],
)
def test_what_became_of_it_is_one_word(
    *, here: bool | None, answer: UpdateResponse | None, result: Result
) -> None:
    one = Asked[UpdateResponse](Address("s1", "b1"), b"1", here=here, answer=answer)
    assert result_of(one, "0.1.3") is result
    row = row_of(one, "0.1.3")
    assert (row["box"], row["result"]) == ("s1/b1", result)
    assert row["detail"] == (answer.detail if answer else None)


def test_an_answer_that_is_none_is_a_refusal_and_says_so() -> None:
    one = Asked[UpdateResponse](Address("s1", "b1"), b"1", here=True, unreadable=True)
    assert result_of(one, "0.1.3") is Result.REFUSED
    assert "same version" in str(row_of(one, "0.1.3")["detail"])
