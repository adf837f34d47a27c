"""What is wrong with a message is said shortly, and without its values."""

import pytest
from pydantic import ValidationError

from cleandesk.contract.commands import BreakRequest
from cleandesk.contract.invalid import why


@pytest.mark.parametrize(
    ("payload", "begins"),
    [
        ('{"reason":"secret"}', "reason: "),
        ('{"reason":"rest","expires_at":"secret"}', "expires_at: "),
        ("secret", "Invalid JSON"),
    ],
)
def test_the_place_and_the_reason_are_told_and_no_value(payload: str, begins: str) -> None:
    with pytest.raises(ValidationError) as refused:
        BreakRequest.model_validate_json(payload)
    told = why(refused.value)
    assert told.startswith(begins)
    assert "secret" not in told
    assert len(told) <= 200
