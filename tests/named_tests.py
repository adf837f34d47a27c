"""Documents whose tables name tests: reading them, and looking whether those are there."""

import ast
import re

from tests.rig import ROOT


def rows(text: str, heading: str) -> list[list[str]]:
    """Return the cells of the table whose heading begins so."""
    lines = text.splitlines()
    first = next(n for n, line in enumerate(lines) if line.startswith(f"| {heading} |")) + 2
    found = []
    for line in lines[first:]:
        if not line.startswith("|"):
            break
        found.append([cell.strip() for cell in line.strip("|").split("|")])
    return found


def quoted(text: str) -> list[str]:
    """Return what stands in backticks."""
    return re.findall(r"`([^`]+)`", text)


def is_there(place: str) -> bool:
    """Say whether a test that is named as `path::name` is there."""
    file, _, name = place.partition("::")
    path = ROOT / file
    if not path.is_file():
        return False
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return name in {one.name for one in tree.body if isinstance(one, ast.FunctionDef)}
