"""A system that cannot go on starts anew: nobody can log in, and nobody would see that it waits."""

from pathlib import Path

from image import debian
from tests.eventually import eventually
from tests.image.machine import STARTS_ANEW, Machine

UNIT = "emergency.service"
SETTINGS = debian.HERE / f"root/usr/lib/systemd/system/{UNIT}.d/10-cleandesk.conf"


# As a mount does that local-fs.target cannot do without.
AWAY = """\
[Unit]
OnFailure=emergency.target
OnFailureJobMode=replace-irreversibly
[Service]
Type=oneshot
ExecStart=/bin/false
"""


def test_a_system_without_its_disk_starts_anew(tmp_path: Path) -> None:
    with Machine(tmp_path) as machine:
        machine.write("/run/systemd/system/away.service", AWAY)
        machine.write(f"/run/systemd/system/{UNIT}.d/10-cleandesk.conf", SETTINGS.read_text())
        machine.drop_in(UNIT, "[Service]", "ExecStart=", "ExecStart=/usr/bin/sleep 1")
        machine.run("systemctl", "start", "away.service", check=False)
        eventually(lambda: machine.ended is not None, "its end", within_s=60)
        assert machine.ended == STARTS_ANEW
