"""From a flashed card to the violations of the demo's clip, on a machine that U-Boot starts."""

import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from demo.outcome import compare
from image import disk
from models.scenes.truth import load_truth
from tests.qemu.machine import PATIENCE_S, Machine, patiently
from tests.qemu.world import BOX, Company, logged
from tests.rig import CLIP, TRUTH

pytestmark = [pytest.mark.system, pytest.mark.timeout(4 * PATIENCE_S)]

#: Added by the test: what a person would look for who could log in.
_LOOK = """\
[Unit]
After=multi-user.target
[Service]
Type=oneshot
StandardOutput=journal+console
ExecStart=/bin/sh -c 'for one in /dev/snd /proc/asound; do \\
  test -e $$one && echo "probe: sound: $$one" || echo "probe: without $$one."; done'
ExecStart=/bin/sh -c 'modprobe snd; echo "probe: snd: $?"'
ExecStart=/bin/sh -c 'touch /probe; echo "probe: root written: $?"'
# The page is started by the claim's end, and takes its time.
ExecStart=/bin/sh -c 'for try in $$(seq 600); do \\
  grep -qi ":01BB [0-9A-F:]* 0A " /proc/net/tcp /proc/net/tcp6 && break; sleep 1; done'
ExecStart=/bin/sh -c 'grep -h " 0A " /proc/net/tcp /proc/net/tcp6 | while read number at more; do \\
  echo "probe: listens: $$at."; done'
ExecStart=/bin/sh -c 'echo "probe: id: $(id cleandesk)"'
ExecStart=/bin/sh -c 'found=$(systemctl --failed --plain --no-legend) && \\
  echo "probe: failed: $$found."'
ExecStart=/bin/sh -c 'echo "probe: done"'
"""

_HTTPS = 443
_ONE = "00000000000000000000000001000000"  # ::1, in words of the kernel's own order
#: An address and a port as the kernel has them, of who waits for connections.
_LISTENS = re.compile(r"probe: listens: ([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4})\.")


def _reachable(said: str) -> set[int]:
    """Return the ports on which the machine can be connected to from outside, by TCP.

    Loopback is 127.0.0.0/8, whose first byte the kernel writes last, and ::1.
    """
    found = {(at, int(port, 16)) for at, port in _LISTENS.findall(said)}
    return {port for at, port in found if not (len(at) == 8 and at.endswith("7F")) and at != _ONE}


def test_a_flashed_card_becomes_a_box_that_tells_of_what_lies_on_the_desk(
    image: Path, tmp_path: Path
) -> None:
    machine = Machine(image, tmp_path)
    machine.put(CLIP, "lib/cleandesk/desk.mp4")
    (tmp_path / "look.service").write_text(_LOOK)
    machine.add_unit(tmp_path / "look.service")
    with Company(tmp_path) as company, company.subscriber() as subscriber, machine:
        starts_at = datetime.now(UTC).replace(microsecond=0)
        company.provision(machine, starts_at=starts_at.isoformat())
        began = datetime.now(UTC)
        machine.start()

        def since(what: str) -> None:
            print(f"{(datetime.now(UTC) - began).total_seconds():6.0f} s  {what}")  # noqa: T201

        machine.says("cleandesk: slot a")
        since("U-Boot takes slot a")
        patiently(
            lambda: (
                BOX in [one["name"] for one in company.run("list", "certificates")["certificates"]]
            ),
            "the claim",
        )
        since("claimed")
        patiently(lambda: logged(subscriber), "the first violation")
        since("the first violation is logged")
        patiently(
            lambda: any("ended" in str(row) for row in subscriber.ask("alarms", "--all")),
            "the clip's end",
        )
        since("the clip is over")
        outcome = compare(load_truth(TRUTH), logged(subscriber), starts_at)
        assert outcome.as_expected, outcome
        said = machine.said
        assert "probe: done" in said
        assert "probe: snd: 0" not in said
        assert "probe: root written: 0" not in said
        assert "probe: sound: " not in said
        for one in ("/dev/snd", "/proc/asound"):
            assert f"probe: without {one}." in said
        assert "probe: failed: ." in said
        assert _reachable(said) == {_HTTPS}, "the worker's page, and nothing else"
        assert "audio" not in said[said.index("probe: id:") :][:200].split("\n")[0]
    assert machine.faults(tmp_path) == []
    left = subprocess.run(
        ["mdir", "-b", "-i", f"{machine.card}@@{disk.PARTS[0].start}M", "::cleandesk"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "claim.json" not in left
