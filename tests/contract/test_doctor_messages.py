"""What a doctor says, between versions: codes may be added, and a fix goes with a failure."""

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from cleandesk.contract.doctor_messages import (
    CheckResult,
    DoctorCheck,
    DoctorCode,
    DoctorResponse,
)

EXAMPLE = Path(__file__).parent / "messages" / "doctor_response-done.json"


def test_a_known_code_is_read_as_one_and_a_later_versions_as_text() -> None:
    known = DoctorCheck(code=DoctorCode.NO_ACK, result=CheckResult.PASSED, said="none waits")
    assert DoctorCheck.model_validate_json(known.model_dump_json()).code is DoctorCode.NO_ACK
    body = json.loads(EXAMPLE.read_text(encoding="utf-8"))
    body["checks"][0]["code"] = "lens_scratched"
    read = DoctorResponse.model_validate_json(json.dumps(body))
    assert read.checks[0].code == "lens_scratched"
    assert not isinstance(read.checks[0].code, DoctorCode)


@pytest.mark.parametrize("code", ["", "Lens", "lens-scratched", "9lives", "x" * 41, 3])
def test_what_is_no_code_is_refused(code: object) -> None:
    with pytest.raises(ValidationError):
        DoctorCheck.model_validate({"code": code, "result": "passed", "said": "x"})


@pytest.mark.parametrize(
    ("result", "fix"), [("failed", None), ("passed", "do it"), ("not_tried", "do it")]
)
def test_a_fix_goes_with_a_failure_and_with_nothing_else(result: str, fix: str | None) -> None:
    with pytest.raises(ValidationError, match="does not go with"):
        DoctorCheck.model_validate({"code": "no_ack", "result": result, "said": "x", "fix": fix})
