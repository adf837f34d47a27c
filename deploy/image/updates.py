"""Signed updates of a slot, by RAUC: what a box trusts, and the bundle that it takes."""

import shutil
import tempfile
from pathlib import Path

from image import disk
from image.errors import ImageError
from image.host import run
from image.release import Release

#: With the number of the card's layout: an update of another one would look for the slots' state
#: where the FAT is. A box with the Raspberry Pi's own kernel is of another kind: its boot partition
#: has that kernel's device trees, and Debian's knows no CSI camera.
COMPATIBLE, COMPATIBLE_CSI = "cleandesk-arm64-2", "cleandesk-arm64-2-csi"
KEYRING = Path("etc/rauc/keyring.pem")
_SYSTEM = """\
# A bundle is refused that is older than what runs, for another kind of box, or that nobody signed
# whom the keyring knows, with a certificate for code that held when it was signed: a box may not
# know what time it is.
[system]
compatible={compatible}
bootloader=custom
bundle-formats=verity
min-bundle-version={version}
data-directory=/var/lib/rauc

[keyring]
path=/{keyring}
check-purpose=codesign
use-bundle-signing-time=true

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
filename=root.img
"""
_COMPRESSION = "-comp zstd -Xcompression-level 6"


def system(version: str, compatible: str = COMPATIBLE) -> str:
    """Return RAUC's settings on a box of this version and kind."""
    return _SYSTEM.format(
        compatible=compatible, version=version, keyring=KEYRING, disk=disk.DISK_ID
    )


def kind_of(root: Path) -> str:
    """Return the kind of box that a root file system is for, by its kernel."""
    return COMPATIBLE if disk.overlays_of(root) is None else COMPATIBLE_CSI


def trust(root: Path, release: Release, keyring: Path | None) -> None:
    """Have a box take updates that were signed for by these; without any it takes none.

    Raises:
        OSError: If the keyring cannot be read.
    """
    folder = (root / KEYRING).parent
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "system.conf").write_text(system(release.version, kind_of(root)), encoding="ascii")
    if keyring is not None:
        shutil.copy(keyring, root / KEYRING)
        (root / KEYRING).chmod(0o644)


def manifest(version: str, compatible: str = COMPATIBLE) -> str:
    """Return what a bundle says of itself."""
    return _MANIFEST.format(compatible=compatible, version=version)


def bundle(
    slot: Path,
    version: str,
    cert: Path,
    key: str,
    product: Path,
    *,
    compatible: str = COMPATIBLE,
) -> None:
    """Make a signed bundle of a slot's file system.

    Args:
        slot: The file system.
        version: Of what is in it.
        cert: Who signs, PEM; with those between them and the keyring, if there are some.
        key: Their key: a PEM file, or the `pkcs11:` address of a token that has it.
        product: The bundle.
        compatible: The kind of box.

    Raises:
        ImageError: If there is no RAUC, or it refuses.
    """
    if shutil.which("rauc") is None or shutil.which("mksquashfs") is None:
        raise ImageError("programs are missing: 'apt install rauc squashfs-tools', then try again")
    product.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(prefix="cleandesk-bundle-", dir=product.parent) as home:
        folder = Path(home)
        run(["cp", "--sparse=always", "--reflink=auto", slot, folder / "root.img"])
        (folder / "manifest.raucm").write_text(manifest(version, compatible), encoding="ascii")
        signed = [f"--cert={cert}", f"--key={key}", f"--mksquashfs-args={_COMPRESSION}"]
        run(["rauc", *signed, "bundle", folder, product])


def verify(product: Path, root: Path) -> None:
    """Make sure that a box that runs a root takes a bundle, as every box will that installs it.

    Else the next one that is signed so would be refused by all of them.

    Args:
        product: The bundle.
        root: With RAUC's settings, and the keyring.

    Raises:
        ImageError: If it would not; the bundle is removed.
    """
    lines = (root / KEYRING.with_name("system.conf")).read_text(encoding="ascii").splitlines()
    # This machine's RAUC may know no least version, and what runs is what is in the bundle.
    known = [line for line in lines if not line.startswith("min-bundle-version=")]
    with tempfile.TemporaryDirectory(prefix="cleandesk-verify-") as home:
        settings = Path(home) / "system.conf"
        text = "\n".join(known).replace(f"path=/{KEYRING}", f"path={(root / KEYRING).resolve()}")
        settings.write_text(f"{text}\n", encoding="ascii")
        try:
            run(["rauc", f"--conf={settings}", "info", product])
        except ImageError as error:
            product.unlink()
            raise ImageError(
                f"a box with this update would take none that is signed by --cert: {error}\nSign "
                "with a certificate for code of who was named by 'make image UPDATES=…', or make "
                "the image anew with the right one"
            ) from error
