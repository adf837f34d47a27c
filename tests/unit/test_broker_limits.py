"""How many the shipped broker lets in: the file, the documents, and what `make load` goes by."""

import re

from tests.load.programs import BROKER
from tests.rig import ROOT

BROKER_FOLDER = ROOT / "deploy" / "broker"
CONFIGURATION = (BROKER_FOLDER / "mosquitto.conf").read_text(encoding="utf-8")
#: Words, wherever their lines end.
README, SCALE = (
    " ".join(path.read_text(encoding="utf-8").split())
    for path in (BROKER_FOLDER / "README.md", ROOT / "deploy" / "scale.md")
)
#: Its own: listeners, log, store, and what it opens while it saves or reads lists anew.
OWN_FILES = 100


def most() -> dict[int, int]:
    """Return how many each listener lets in, by its port."""
    found = re.findall(
        r"^listener (\d+)\b.*?^max_connections (\d+)$", CONFIGURATION, re.MULTILINE | re.DOTALL
    )
    return {int(port): int(count) for port, count in found}


def test_the_documents_say_how_many_the_broker_lets_in() -> None:
    limits = most()
    assert set(limits) == {8883, 8884, 8885}
    boxes, people, administrators = (limits[port] for port in sorted(limits))
    words = f"{boxes:,} boxes, {people:,} subscribers and operators, and {administrators:,} "
    assert f"{words}administrators" in README
    assert f"lets in {boxes:,} boxes (`max_connections`)" in SCALE


def test_the_documented_service_may_open_a_file_for_each_of_them() -> None:
    (files,) = map(int, re.findall(r"LimitNOFILE=(\d+)", README))
    assert files >= sum(most().values()) + OWN_FILES
    assert f"needs {files:,} open files" in SCALE


def test_load_runs_on_a_broker_with_the_shipped_limits() -> None:
    lines = CONFIGURATION.splitlines()
    assert [line for line in BROKER if line not in lines] == []
    assert f"max_connections {most()[8883]}" in BROKER
