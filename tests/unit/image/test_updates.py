"""Real bundles, signed and checked by RAUC: what a box takes, and what it refuses."""

import random
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from cleandesk.contract import bundle as on_box
from cleandesk.contract.bundle import Bundle, UpdateError, Version
from cleandesk.update.system import System
from image import bundle, updates
from image.errors import ImageError
from image.release import Release
from tests.signer import Signer

RELEASE = Release("0.1.200", "c" * 40, 1767225600)
NEWER = "0.1.300"

needs_rauc = pytest.mark.skipif(
    any(shutil.which(name) is None for name in ("rauc", "mksquashfs", "openssl")),
    reason="apt install rauc squashfs-tools openssl",
)


needs_faketime = pytest.mark.skipif(shutil.which("faketime") is None, reason="apt install faketime")


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> Signer:
    return Signer(tmp_path_factory.mktemp("signer"))


@pytest.fixture(scope="module")
def slot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return what stands for a slot's file system."""
    path = tmp_path_factory.mktemp("slot") / "root.ext4"
    path.write_bytes(random.Random(1).randbytes(100_000))
    return path


@pytest.fixture
def settings(tmp_path: Path, signer: Signer) -> Path:
    """Return RAUC's settings of a box that trusts the signer."""
    updates.trust(tmp_path / "root", RELEASE, signer.authority)
    return _as_known_here(tmp_path / "root")


def _as_known_here(root: Path) -> Path:
    """Return a root's settings, changed so that this machine's RAUC can read them."""
    path = root / "etc/rauc/system.conf"
    text = path.read_text().replace("path=/etc/rauc", f"path={path.parent}")
    if _rauc_version() < (1, 12):  # then it knows no least version
        text = re.sub(r"min-bundle-version=.*\n", "", text)
    path.write_text(text)
    return path


def _rauc_version() -> tuple[int, ...]:
    said = subprocess.run(["rauc", "--version"], capture_output=True, text=True, check=True).stdout
    return tuple(int(part) for part in said.split()[1].split(".")[:2])


def make(slot: Path, signer: Signer, product: Path, version: str = NEWER) -> Path:
    updates.bundle(slot, version, signer.cert, str(signer.key), product)
    return product


@needs_rauc
def test_a_bundle_says_what_it_is_of(
    slot: Path, signer: Signer, settings: Path, tmp_path: Path
) -> None:
    path = make(slot, signer, tmp_path / "good.raucb")
    found = on_box.inspect(path, system=settings)
    assert found == Bundle(updates.COMPATIBLE, Version(0, 1, 300))


@needs_rauc
@needs_faketime
@pytest.mark.parametrize("clock", ["2020-01-01", "2090-01-01"])
def test_a_clock_that_is_wrong_keeps_no_update_away(
    slot: Path, signer: Signer, settings: Path, tmp_path: Path, clock: str
) -> None:
    # The certificates hold neither yet, nor any more.
    path = make(slot, signer, tmp_path / "good.raucb")
    command = ["faketime", clock, "rauc", f"--conf={settings}", "info", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@needs_rauc
@needs_faketime
def test_what_was_signed_after_the_certificate_is_refused(
    slot: Path, signer: Signer, settings: Path, tmp_path: Path
) -> None:
    path = tmp_path / "late.raucb"
    (tmp_path / "late").mkdir()
    (tmp_path / "late/root.img").write_bytes(slot.read_bytes())
    (tmp_path / "late/manifest.raucm").write_text(updates.manifest(NEWER), encoding="ascii")
    signed = [f"--cert={signer.cert}", f"--key={signer.key}"]
    command = [
        "faketime",
        "2090-01-01",
        "rauc",
        *signed,
        "bundle",
        str(tmp_path / "late"),
        str(path),
    ]
    subprocess.run(command, check=True, capture_output=True)
    with pytest.raises(UpdateError, match=r"expired"):
        on_box.inspect(path, system=settings)


@needs_rauc
def test_a_bundle_of_another_signer_is_refused(slot: Path, settings: Path, tmp_path: Path) -> None:
    path = make(slot, Signer(tmp_path / "other"), tmp_path / "theirs.raucb")
    with pytest.raises(UpdateError, match=r"signature|certificate"):
        on_box.inspect(path, system=settings)


@needs_rauc
def test_a_certificate_that_is_not_for_code_signs_nothing(
    slot: Path, signer: Signer, settings: Path, tmp_path: Path
) -> None:
    # The authority's own certificate is trusted, and not meant for it.
    path = tmp_path / "ca.raucb"
    updates.bundle(slot, NEWER, signer.authority, str(signer.authority.with_name("ca.key")), path)
    with pytest.raises(UpdateError, match=r"purpose|signature"):
        on_box.inspect(path, system=settings)


def _truncate(content: bytes) -> bytes:
    return content[: len(content) // 2]


def _change_the_signature(content: bytes) -> bytes:
    return content[:-100] + bytes([content[-100] ^ 1]) + content[-99:]


@needs_rauc
@pytest.mark.parametrize("spoil", [_truncate, _change_the_signature, lambda _: b"", lambda _: b"x"])
def test_a_damaged_bundle_is_refused(
    slot: Path,
    signer: Signer,
    settings: Path,
    tmp_path: Path,
    spoil: Callable[[bytes], bytes],
) -> None:
    path = make(slot, signer, tmp_path / "good.raucb")
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(UpdateError):
        on_box.inspect(path, system=settings)


def test_without_a_signer_a_box_takes_no_updates(tmp_path: Path) -> None:
    updates.trust(tmp_path, RELEASE, None)
    assert not (tmp_path / updates.KEYRING).exists()
    assert System.read(tmp_path / "etc/rauc/system.conf").version == Version(0, 1, 200)


def test_raucs_own_settings_refuse_what_is_older(tmp_path: Path, signer: Signer) -> None:
    updates.trust(tmp_path, RELEASE, signer.authority)
    text = (tmp_path / "etc/rauc/system.conf").read_text()
    assert f"min-bundle-version={RELEASE.version}\n" in text
    assert "bundle-formats=verity\n" in text
    assert (tmp_path / updates.KEYRING).read_bytes() == signer.authority.read_bytes()


def test_an_update_is_not_made_of_what_would_take_no_other(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="make image"):
        bundle.version_of(tmp_path)
    (tmp_path / "usr/lib").mkdir(parents=True)
    (tmp_path / "usr/lib/os-release").write_text("ID=debian\nIMAGE_VERSION=0.1.7\n")
    with pytest.raises(ImageError, match="UPDATES"):
        bundle.version_of(tmp_path)
    (tmp_path / updates.KEYRING).parent.mkdir(parents=True)
    (tmp_path / updates.KEYRING).touch()
    assert bundle.version_of(tmp_path) == "0.1.7"


def test_an_update_is_not_made_of_what_nobody_committed(tmp_path: Path, signer: Signer) -> None:
    updates.trust(tmp_path, RELEASE, signer.authority)
    (tmp_path / "usr/lib").mkdir(parents=True)
    said = "IMAGE_VERSION=0.1.7\nBUILD_ID=cccccc+changes\n"
    (tmp_path / "usr/lib/os-release").write_text(said)
    with pytest.raises(ImageError, match="commit it"):
        bundle.version_of(tmp_path)


@pytest.fixture
def built(tmp_path: Path, slot: Path, signer: Signer) -> Path:
    """Return a folder in which an image was built that trusts the signer."""
    build = tmp_path / "build"
    (build / "root/usr/lib").mkdir(parents=True)
    said = f"IMAGE_VERSION={NEWER}\nBUILD_ID={'c' * 40}\n"
    (build / "root/usr/lib/os-release").write_text(said)
    updates.trust(build / "root", RELEASE, signer.authority)
    shutil.copy(slot, build / "root.ext4")
    return build


@needs_rauc
def test_a_bundle_is_one_that_the_slot_in_it_would_take(built: Path, signer: Signer) -> None:
    bundle.main(str(signer.key), signer.cert, built)
    assert (built / "cleandesk.raucb").exists()


@needs_rauc
def test_a_box_with_the_raspberry_pi_s_own_kernel_takes_no_update_with_debian_s(
    built: Path, signer: Signer
) -> None:
    def kind() -> str:
        settings = _as_known_here(built / "root")
        return on_box.inspect(built / "cleandesk.raucb", system=settings).compatible

    bundle.main(str(signer.key), signer.cert, built)
    assert kind() == updates.COMPATIBLE
    (built / "root/usr/lib/linux-image-6.12/broadcom").mkdir(parents=True)
    (built / "root/usr/lib/linux-image-6.12/overlays").mkdir()
    updates.trust(built / "root", RELEASE, signer.authority)
    bundle.main(str(signer.key), signer.cert, built)
    assert kind() == updates.COMPATIBLE_CSI


@needs_rauc
def test_what_would_lock_out_a_fleet_is_not_left_as_a_bundle(
    built: Path, signer: Signer, tmp_path: Path
) -> None:
    other, product = Signer(tmp_path / "other"), built / "cleandesk.raucb"
    for key, cert in (
        (other.key, other.cert),
        (signer.authority.with_name("ca.key"), signer.authority),  # not for code
    ):
        product.write_bytes(b"of an earlier build")
        with pytest.raises(ImageError, match="would take none"):
            bundle.main(str(key), cert, built)
        assert not list(built.glob("*.raucb*"))
