"""Bundles are published once RAUC has checked them as a box does, and found by name or version."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from cleandesk_fleet.provision import bundles
from cleandesk_fleet.provision.errors import UnknownNameError, UsageError
from image import updates
from tests.signed_bundles import a_bundle, needs_rauc
from tests.signer import Signer
from tests.unit.provision.conftest import Run

pytestmark = needs_rauc

VERSION = "0.1.300"


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> Signer:
    return Signer(tmp_path_factory.mktemp("signer"))


@pytest.fixture(scope="module")
def file(signer: Signer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return a_bundle(tmp_path_factory.mktemp("bundle"), VERSION, signer)


def test_it_says_what_it_is_and_gets_a_name_of_its_own(file: Path, signer: Signer) -> None:
    one = bundles.read(file, signer.authority)
    assert (one.version, one.compatible) == (VERSION, updates.COMPATIBLE)
    assert one.file == f"cleandesk-{VERSION}-{one.sha256[:12]}.raucb"
    assert one.size == file.stat().st_size


def test_what_a_box_would_not_take_is_not_published(
    file: Path, signer: Signer, tmp_path: Path
) -> None:
    short = tmp_path / "short.raucb"
    short.write_bytes(file.read_bytes()[:-2000])
    other = Signer(tmp_path / "other")
    for path, keyring, why in (
        (short, signer.authority, "ignature"),
        (file, other.authority, "ertificate|ignature"),
        (file, tmp_path / "none.pem", "update_keyring"),
        (tmp_path / "none.raucb", signer.authority, "No such file"),
    ):
        with pytest.raises(UsageError, match=why):
            bundles.read(path, keyring)


def test_a_bundle_whose_blocks_nobody_checks_is_not_published(
    signer: Signer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(updates, "_MANIFEST", updates._MANIFEST.replace("=verity", "=plain"))
    plain = a_bundle(tmp_path, VERSION, signer)
    with pytest.raises(UsageError, match="'plain' not allowed"):
        bundles.read(plain, signer.authority)


def test_more_than_a_box_can_hold_is_refused_unread(
    file: Path, signer: Signer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundles, "MAX_BUNDLE", 1000)
    with pytest.raises(UsageError, match="at most"):
        bundles.read(file, signer.authority)


def test_it_is_found_by_name_by_path_and_by_version(
    file: Path, signer: Signer, tmp_path: Path
) -> None:
    one = bundles.read(file, signer.authority)
    assert bundles.publish(one, tmp_path)
    assert not bundles.publish(one, tmp_path)
    for name in (one.file, f"/srv/{one.file}", VERSION):
        assert bundles.published(tmp_path, name, signer.authority).sha256 == one.sha256
    (tmp_path / "desk-1.cdmodel").touch()
    for name in ("0.1.3", "", "none.raucb", "desk-1.cdmodel", "*"):
        with pytest.raises(UnknownNameError, match="update publish"):
            bundles.published(tmp_path, name, signer.authority)


def test_the_commands_publish_and_say_whom_they_would_ask(
    run: Run, said: Callable[..., Any], config: Path, file: Path, signer: Signer
) -> None:
    settings = yaml.safe_load(config.read_text()) | {"update_keyring": str(signer.authority)}
    config.write_text(yaml.safe_dump(settings))
    assert said("update", "publish", file, "--dry-run")["version"] == VERSION
    assert not (config.parent / "artefacts").exists()
    for _ in range(2):
        made = said("update", "publish", file)
    assert [path.name for path in (config.parent / "artefacts").iterdir()] == [made["artefact"]]
    said("site", "add", "s1")
    said("box", "new", "s1/b1")
    for target, why in (
        ("s1/b1", "has enrolled"),
        ("s1/b2", "no box"),
        ("s2", "no site"),
        ("all", "has enrolled"),
    ):
        code, _, err = run("update", "send", target, VERSION, "--dry-run")
        assert (code, why in err) == (3, True), err
    assert run("update", "send", "all", "0.0.1")[0] == 3
    trail = json.loads(run("list", "audit", "--json")[1])["audit"]
    assert [row["did"] for row in trail].count("update published") == 1
