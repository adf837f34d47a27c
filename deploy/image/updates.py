"""Signed updates of a slot, by RAUC: what a box trusts, and the bundle that it takes."""

import shutil
import tempfile
from pathlib import Path

from image import disk
from image.errors import ImageError
from image.host import run
from image.release import Release

COMPATIBLE = "cleandesk-arm64"
_SYSTEM = """\
# A bundle that is older than what runs is refused, and so is one that the keyring does not know.
[system]
compatible={compatible}
bootloader=custom
bundle-formats=verity
min-bundle-version={version}
data-directory=/var/lib/rauc
mountprefix=/run/rauc

[keyring]
path=/etc/rauc/keyring.pem

[handlers]
bootloader-custom-backend=/usr/lib/cleandesk/slots

[slot.rootfs.0]
device=/dev/disk/by-partuuid/{disk:08x}-02
type=raw
bootname=a

[slot.rootfs.1]
device=/dev/disk/by-partuuid/{disk:08x}-03
type=raw
bootname=b
"""
_MANIFEST = """\
[update]
compatible={compatible}
version={version}

[bundle]
format=verity

[image.rootfs]
filename=root.ext4
"""


def trust(root: Path, release: Release, keyring: Path | None) -> None:
    """Have a box take updates that a certificate's owner signed; without one it takes none.

    Raises:
        OSError: If the certificate cannot be read.
    """
    folder = root / "etc/rauc"
    shutil.rmtree(folder, ignore_errors=True)
    if keyring is None:
        return
    folder.mkdir(parents=True)
    shutil.copy(keyring, folder / "keyring.pem")
    (folder / "system.conf").write_text(
        _SYSTEM.format(compatible=COMPATIBLE, version=release.version, disk=disk.DISK_ID),
        encoding="ascii",
    )


def bundle(slot: Path, release: Release, cert: Path, key: Path, product: Path) -> None:
    """Make a signed bundle of a slot's file system.

    Args:
        slot: The file system.
        release: What it is.
        cert: Who signs, PEM.
        key: Their key, PEM, or where a PKCS#11 token has it.
        product: The bundle.

    Raises:
        ImageError: If there is no RAUC, or it refuses.
    """
    if shutil.which("rauc") is None or shutil.which("mksquashfs") is None:
        raise ImageError("programs are missing: 'apt install rauc squashfs-tools', then try again")
    product.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(prefix="cleandesk-bundle-", dir=product.parent) as home:
        folder = Path(home)
        run(["cp", "--sparse=always", "--reflink=auto", slot, folder / "root.ext4"])
        (folder / "manifest.raucm").write_text(
            _MANIFEST.format(compatible=COMPATIBLE, version=release.version), encoding="ascii"
        )
        run(["rauc", f"--cert={cert}", f"--key={key}", "bundle", folder, product])
