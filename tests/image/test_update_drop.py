"""The box's unit may do what fetching an update takes, and read how it does."""

from pathlib import Path

from cleandesk.update.told import Step, Teller
from tests.image import box
from tests.image.machine import Machine

PROBE = Path(__file__).with_name("update_probe.py")
FOLDER = "/var/lib/cleandesk/update"


def test_an_update_is_handed_over_within_the_boxs_sandbox(tmp_path: Path) -> None:
    given = tmp_path / "given"
    given.mkdir()
    (given / "bundle").write_bytes(b"bundle" * 1000)
    (given / "probe.py").write_bytes(PROBE.read_bytes())
    Teller(tmp_path, "0.1.200", "0" * 32).tell(Step.COMMITTED, "0.1.200")
    with Machine(tmp_path, f"--bind-ro={given}:/given") as machine:
        box.install(machine)
        machine.write("/etc/rauc/system.conf", "[system]\n")
        # As the updater's unit makes it.
        machine.run(
            *("install", "-d", "-o", "cleandesk-update", "-g", "cleandesk-update", "-m", "711"),
            "/var/lib/cleandesk-update",
        )
        said = (tmp_path / "told").read_text()
        machine.write("/var/lib/cleandesk-update/told", said, owner="cleandesk-update")
        machine.drop_in(
            box.BOX,
            *("[Unit]", "OnFailure=", "[Service]", "Type=oneshot", "Restart=no", "ExecStart="),
            f"ExecStart=/opt/cleandesk/bin/python /given/probe.py {FOLDER} /given/bundle",
        )
        machine.start(box.BOX)
        assert "handed over: (True, True, True, 'committed')" in machine.journal(box.BOX)
        kept = machine.run("stat", "-c", "%U %G %a", f"{FOLDER}/update.raucb")
        assert kept.stdout.split() == ["cleandesk", "cleandesk-update", "640"]
