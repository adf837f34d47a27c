"""The box's unit may do what an update of the model takes: keep it, and try it in a process."""

from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding

from cleandesk_fleet.provision import artefacts
from tests.image import box
from tests.image.machine import Machine
from tests.signed_models import NOW, a_model, a_root, a_signer

PROBE = Path(__file__).with_name("model_probe.py")
SHELF = "/var/lib/cleandesk/outbox.db.models"


def test_a_model_is_kept_and_tried_within_the_boxs_sandbox(tmp_path: Path) -> None:
    root, given = a_root(), tmp_path / "given"
    folder = a_model(tmp_path / "model", "1.0")
    one = artefacts.sign(folder, folder, a_signer(root))
    given.mkdir()
    (given / "signed").write_bytes(one.content)
    (given / "root.pem").write_bytes(root.certificate.public_bytes(Encoding.PEM))
    (given / "probe.py").write_bytes(PROBE.read_bytes())
    with Machine(tmp_path, f"--bind-ro={given}:/given") as machine:
        box.install(machine)
        words = f"/given/probe.py {SHELF} /given/signed /given/root.pem {one.sha256} "
        words += NOW.isoformat()
        machine.drop_in(
            box.BOX,
            *("[Unit]", "OnFailure=", "[Service]", "Type=oneshot", "Restart=no", "ExecStart="),
            f"ExecStart=/opt/cleandesk/bin/python {words}",
        )
        machine.start(box.BOX)
        assert "tried 1.0 in" in machine.journal(box.BOX)
        kept = machine.run("stat", "-c", "%U %a", f"{SHELF}/{one.sha256}/manifest.yaml")
        assert kept.stdout.split() == ["cleandesk", "600"]
