"""From a flashed card to the violations of the demo's clip, on a machine that U-Boot starts."""

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
ExecStart=/bin/sh -c 'echo "probe: sound: $(ls -d /dev/snd /proc/asound 2>&1)"'
ExecStart=/bin/sh -c 'modprobe snd; echo "probe: snd: $?"'
ExecStart=/bin/sh -c 'touch /probe; echo "probe: root written: $?"'
ExecStart=/bin/sh -c 'echo "probe: listens: $(cat /proc/net/tcp /proc/net/tcp6 | grep -c " 0A ")"'
ExecStart=/bin/sh -c 'echo "probe: id: $(id cleandesk)"'
ExecStart=/bin/sh -c 'echo "probe: failed: $(systemctl --failed --plain --no-legend)"'
ExecStart=/bin/sh -c 'echo "probe: done"'
"""


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
        assert "No such file" in said[said.index("probe: sound:") :][:120]
        assert "audio" not in said[said.index("probe: id:") :][:200].split("\n")[0]
    assert machine.faults(tmp_path) == []
    left = subprocess.run(
        ["mdir", "-b", "-i", f"{machine.card}@@{disk.PARTS[0].start}M", "::cleandesk"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "claim.json" not in left
