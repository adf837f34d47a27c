"""Models are signed whole or not at all, and published under their own name."""

import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from cleandesk_fleet.provision import artefacts, offering
from cleandesk_fleet.provision.authorities import ISSUING_LASTS, Authorities
from cleandesk_fleet.provision.errors import ConflictError, LockedError, UsageError
from tests.signed_models import NOW, a_model, a_root, a_signer, signed
from tests.unit.provision.conftest import PASSPHRASE, HandClock, Run

ROOT = a_root()
SIGNER = a_signer(ROOT)


def test_a_model_is_packed_with_what_its_manifest_names_and_nothing_else(tmp_path: Path) -> None:
    folder = a_model(tmp_path / "m", "1.0", weights=b"w" * 3000)
    (folder / "notes.txt").write_text("mine")
    one = artefacts.sign(folder, folder, SIGNER)
    assert one.file == f"desk-1.0-{one.sha256[:12]}.cdmodel"
    with tarfile.open(fileobj=io.BytesIO(one.content)) as tar:
        names = tar.getnames()
    assert names == [
        "artefact.json",
        "signature",
        "signer.pem",
        "manifest.yaml",
        "selftest.yaml",
        "selftest.jpg",
        "desk.onnx",
        "desk.int8.onnx",
    ]
    path = tmp_path / one.file
    path.write_bytes(one.content)
    assert artefacts.read(path, ROOT.certificate, NOW) == one


@pytest.mark.parametrize(
    ("name", "change", "reason"),
    [
        ("manifest.yaml", {"version": "newest"}, "version"),
        ("manifest.yaml", {"name": "A desk"}, "name"),
        ("manifest.yaml", {"file": "../desk.onnx"}, "file"),
        ("manifest.yaml", {"sha256": "0" * 64}, "not what the manifest says"),
        ("manifest.yaml", {"file": "none.onnx"}, "No such file"),
        ("selftest.yaml", {"picture": "/etc/passwd"}, "picture"),
        ("selftest.yaml", {"picture": "none.jpg"}, "No such file"),
    ],
)
def test_what_does_not_belong_together_is_not_signed(
    tmp_path: Path, name: str, change: dict[str, str], reason: str
) -> None:
    folder = a_model(tmp_path / "m", "1.0", weights=b"w")
    path = folder / name
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | change))
    with pytest.raises(UsageError, match=reason):
        artefacts.sign(folder, folder, SIGNER)
    path.write_text("a: [")
    with pytest.raises(UsageError, match="no YAML"):
        artefacts.sign(folder, folder, SIGNER)
    path.unlink()
    with pytest.raises(UsageError, match="a signed model needs it"):
        artefacts.sign(folder, folder, SIGNER)


def test_too_large_a_model_is_not_signed(tmp_path: Path) -> None:
    folder = a_model(tmp_path / "m", "1.0", weights=bytes(33 * 2**20))
    with pytest.raises(UsageError, match="at most 64 MiB"):
        artefacts.sign(folder, folder, SIGNER)


def test_published_twice_is_once_and_another_one_of_that_name_is_refused(tmp_path: Path) -> None:
    one, folder = signed(tmp_path, "1.0", SIGNER), tmp_path / "published"
    assert artefacts.publish(one, folder)
    assert not artefacts.publish(one, folder)
    assert offering.find(folder, one.file) == folder / one.file
    other = artefacts.Artefact(one.file, one.content + b"\0", one.listing)
    with pytest.raises(ConflictError, match="another file"):
        artefacts.publish(other, folder)
    with pytest.raises(UsageError, match="in its name"):
        artefacts.publish(artefacts.Artefact("My Model", b"", one.listing), folder)


def test_the_key_for_models_needs_the_roots_for_a_moment(ready: Path, tmp_path: Path) -> None:
    clock, secret = HandClock(), PASSPHRASE.encode()
    here = Authorities(tmp_path, tmp_path / "root.key")
    with pytest.raises(LockedError, match="bring the root's key back"):
        here.models_signer(secret)
    assert not here.make_models(secret, clock.now), "without the root's key nothing is made"
    for name in ("root.pem", "root.key"):
        (tmp_path / name).write_bytes((ready / name).read_bytes())
    assert here.make_models(secret, clock.now)
    assert not here.make_models(secret, clock.now)
    first = here.models_signer(secret)
    with pytest.raises(LockedError, match="passphrase"):
        here.models_signer(b"another passphrase")
    assert here.make_models(secret, clock.now + ISSUING_LASTS * 0.6)
    assert here.models_signer(secret).certificate != first.certificate


def test_the_commands_sign_publish_and_say_what_is_wrong(
    run: Run, said: Callable[..., Any], config: Path, tmp_path: Path
) -> None:
    folder = a_model(tmp_path / "m", "1.0", weights=b"w")
    dry = said("model", "sign", folder, "--out", tmp_path, "--dry-run")
    assert not (tmp_path / dry["artefact"]).exists()
    made = said("model", "sign", folder, "--out", tmp_path)
    file = tmp_path / made["artefact"]
    assert file.stat().st_size == made["size"]
    assert said("model", "publish", file, "--dry-run")["dry_run"]
    assert not (config.parent / "artefacts").exists()
    for _ in range(2):
        assert said("model", "publish", file)["sha256"] == made["sha256"]
    assert [path.name for path in (config.parent / "artefacts").iterdir()] == [made["artefact"]]
    said("site", "add", "s1")
    said("box", "new", "s1/b1")
    assert said("model", "send", "s1/b1", file, "--dry-run")["dry_run"]
    assert said("model", "rollback", "s1/b1", "--dry-run")["dry_run"]
    code, _, err = run("model", "send", "s1/b1", "none.cdmodel")
    assert (code, "model publish" in err) == (3, True)
    file.write_bytes(file.read_bytes()[:-20_000])
    code, _, err = run("model", "publish", file)
    assert code == 2
    assert "it ends within" in err
    published = json.loads(run("list", "audit", "--json")[1])["audit"]
    assert [row["did"] for row in published].count("model published") == 1
