"""What goes into a root file system, and what is found in it that must not be there."""

from collections.abc import Callable
from pathlib import Path

import pytest

from image import check, debian, silence
from image.errors import ImageError
from image.root import copy_units

DEP = """\
kernel/sound/soundcore.ko.xz:
kernel/sound/core/snd.ko.xz: kernel/sound/soundcore.ko.xz
kernel/drivers/gpu/drm/vc4/vc4.ko.xz: kernel/drivers/media/cec/cec.ko.xz kernel/sound/core/snd.ko.xz
kernel/drivers/media/cec/cec.ko.xz:
kernel/drivers/media/usb/uvc/uvcvideo.ko.xz: kernel/drivers/media/cec/cec.ko.xz
kernel/drivers/bluetooth/btusb.ko.xz:
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return the least that is looked at, with nothing wrong in it."""
    kernel = tmp_path / "usr/lib/modules/6.12"
    kernel.mkdir(parents=True)
    (kernel / "modules.dep").write_text("kernel/drivers/media/cec/cec.ko.xz:\n")
    (tmp_path / "etc/systemd/system").mkdir(parents=True)
    (tmp_path / "etc/machine-id").touch()
    (tmp_path / "etc/shadow").write_text("root:*:1::::::\ncleandesk:!*:1::::::\n")
    (tmp_path / "etc/group").write_text("audio:x:29:\nvideo:x:44:cleandesk\n")
    return tmp_path


def test_modules_of_sound_are_all_that_cannot_do_without_it(tmp_path: Path) -> None:
    path = tmp_path / "modules.dep"
    path.write_text(DEP)
    assert {Path(name).name for name in silence.noisy(silence.dependencies(path))} == {
        "soundcore.ko.xz",
        "snd.ko.xz",
        "vc4.ko.xz",
        "btusb.ko.xz",
    }


def test_a_root_without_a_kernel_is_no_silent_one(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="no kernel modules"):
        silence.modules(tmp_path)


def test_nothing_is_found_where_nothing_is(root: Path) -> None:
    assert check.faults(root) == []


def _write(name: str, text: str) -> Callable[[Path], object]:
    def write(root: Path) -> None:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    return write


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (_write("etc/machine-id", "0123456789abcdef\n"), "boxes would share it"),
        (_write("etc/ssh/ssh_host_ed25519_key.pub", "x"), "ssh_host_ed25519_key.pub"),
        (_write("data/claim.json", "{}"), "belongs to one box"),
        (
            _write("x", "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIAbCdEfGhIjK\n"),
            "x: a private key",
        ),
        (_write("usr/sbin/sshd", ""), "a way in"),
        (_write("etc/shadow", "root:$y$j9T$salt$hash:1::::::\n"), "root can log in"),
        (_write("etc/shadow", "root::1::::::\n"), "root can log in"),
        (_write("etc/group", "audio:x:29:cleandesk\n"), "cleandesk in audio"),
        (_write("usr/lib/modules/6.12/modules.dep", DEP), "snd.ko.xz: a module of sound"),
        (_write("usr/lib/modules/6.12/updates/snd-x.ko", ""), "snd-x.ko: a module of sound"),
        (
            lambda root: (root / "etc/systemd/system/getty@tty1.service").symlink_to("/x"),
            "asks for a login",
        ),
    ],
)
def test_what_must_not_be_there_is_found(
    root: Path, spoil: Callable[[Path], object], told: str
) -> None:
    spoil(root)
    assert any(told in fault for fault in check.faults(root))


def test_text_about_keys_is_no_key(root: Path) -> None:
    (root / "x").write_text('if text.startswith("-----BEGIN PRIVATE KEY-----"):\n')
    assert check.faults(root) == []


def test_units_go_where_systemd_looks_and_folders_keep_their_names(tmp_path: Path) -> None:
    source, root = tmp_path / "units", tmp_path / "root"
    units = root / "usr/lib/systemd/system"
    units.mkdir(parents=True)
    for name in (
        "cleandesk.service",
        "a.timer",
        "cleandesk.service.d/more.conf",
        "system.conf.d/watchdog.conf",
        "sysusers.d/x.conf",
        "README.md",
    ):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).touch()
    copy_units(source, root)
    found = {str(path.relative_to(root / "usr/lib")) for path in root.rglob("*") if path.is_file()}
    assert found == {
        "systemd/system/cleandesk.service",
        "systemd/system/a.timer",
        "systemd/system/cleandesk.service.d/more.conf",
        "systemd/system.conf.d/watchdog.conf",
        "sysusers.d/x.conf",
    }
    (source / "odd.txt").touch()
    with pytest.raises(ImageError, match=r"odd\.txt"):
        copy_units(source, root)


def test_a_csi_camera_brings_its_own_kernel_and_no_other() -> None:
    usual, csi = debian.packages(), debian.packages(csi=True)
    assert "linux-image-arm64" in usual
    assert "linux-image-arm64" not in csi
    assert [name for name in csi if name.startswith("linux-image")] == ["linux-image-rpi-v8"]
    assert "python3-picamera2" in csi
    assert len(set(csi)) == len(csi)
