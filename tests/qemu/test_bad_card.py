"""A card that was renamed, with a damaged data partition: the next start repairs it by itself."""

from pathlib import Path

import pytest

from tests.qemu.machine import PATIENCE_S, Machine

pytestmark = [pytest.mark.fault, pytest.mark.timeout(2 * PATIENCE_S)]

_LOOK = """\
[Unit]
After=multi-user.target
[Service]
Type=oneshot
StandardOutput=journal+console
ExecStart=/bin/sh -c 'for at in /data /etc/cleandesk /boot/firmware; do \\
  findmnt --noheadings --output=TARGET,SOURCE,OPTIONS $$at | sed "s/^/probe: /"; done'
ExecStart=/bin/sh -c 'echo "probe: failed: $(systemctl --failed --plain --no-legend)."'
ExecStart=/bin/sh -c 'echo "probe: cycles: $(journalctl -b | grep -c "ordering cycle")."'
ExecStart=/bin/echo "probe: done"
"""


def test_a_renamed_card_with_a_damaged_disk_starts_and_is_repaired(
    image: Path, tmp_path: Path
) -> None:
    machine = Machine(image, tmp_path)
    (tmp_path / "look.service").write_text(_LOOK)
    machine.add_unit(tmp_path / "look.service")
    machine.rename("RENAMED")
    machine.spoil_data()
    with machine:
        machine.start()
        machine.says("probe: done")
        said = machine.said
    for partition, at in ((4, "/data"), (4, "/etc/cleandesk"), (1, "/boot/firmware")):
        line = said.partition(f"probe: {at} ")[2].split("\n")[0]
        assert f"/dev/vda{partition}" in line, at
        assert "rw," in line, at
    assert "probe: failed: ." in said
    assert "probe: cycles: 0." in said
    assert machine.faults(tmp_path) == []
