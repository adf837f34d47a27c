"""The README's table is what the doctor says."""

import re

from cleandesk.doctor.findings import FIXES
from tests.rig import ROOT


def test_the_readme_has_each_code_with_its_fix() -> None:
    text = (ROOT / "device" / "README.md").read_text(encoding="utf-8")
    table = text[text.index("| code | fix |") : text.index("## The worker's page")]
    rows = re.findall(r"^\| `([a-z_]+)` \| (.+) \|$", table, re.MULTILINE)
    assert dict(rows) == {str(code): fix for code, fix in FIXES.items()}
