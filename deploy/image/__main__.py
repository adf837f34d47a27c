"""`make image`: the box's image, from a clean Debian or Ubuntu; as root."""

import hashlib
import subprocess
import time
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console

from image import check, debian, disk, host, python, root, sbom, tools
from image import release as releases
from image.errors import ImageError
from image.release import Release
from image.stages import Builder, Stage, remove
from image.tools import Tools

REPOSITORY = Path(__file__).resolve().parents[2]
console = Console(soft_wrap=True, highlight=False)


def main(
    build: Annotated[Path, typer.Option(help="Keeps stages, logs and the image")] = REPOSITORY
    / "build"
    / "image",
    sources: Annotated[
        Path | None,
        typer.Option(help="apt's source lines; default: the Debian mirrors that this machine uses"),
    ] = None,
    camera: Annotated[
        Literal["usb", "csi"],
        typer.Option(help="csi: the Raspberry Pi's own kernel and libcamera, from --sources"),
    ] = "usb",
    updates: Annotated[
        Path | None,
        typer.Option(help="Certificates, PEM, that sign for updates; default: a box takes none"),
    ] = None,
) -> None:
    """Build the image; stages that are done are kept."""
    began = time.monotonic()
    host.prepare()
    build.mkdir(parents=True, exist_ok=True)
    lines = _sources(sources, camera)
    wanted = debian.packages(csi=camera == "csi")
    release = releases.of(REPOSITORY)
    packages = debian.stage(lines, wanted, build / "debian.log")
    wheels = python.stage(REPOSITORY / "deploy/locks/box.txt", build / "wheels.log")
    helpers = tools.stage(lines, build / "tools.log")
    others = root.others(build, (packages, wheels, helpers))
    tree = root.stage(REPOSITORY, build, release, others, updates)
    slot = _slot(build, release, tree)
    Builder(build, console).build(
        [packages, wheels, helpers, others, tree, slot, _card(build, release, slot)]
    )
    _report(build, release, time.monotonic() - began)


def _sources(given: Path | None, camera: str) -> str:
    if given is not None:
        return given.read_text(encoding="utf-8")
    if camera == "csi":
        raise ImageError(
            "--camera csi needs --sources FILE: apt's lines for Debian, and for who has the "
            "Raspberry Pi's kernel and libcamera"
        )
    return host.debian_sources(debian.SUITE, debian.COMPONENTS)


def _slot(build: Path, release: Release, before: Stage) -> Stage:
    """Return the stage that makes a slot's file system, with the bill of what is in it."""

    def make(product: Path) -> None:
        tree = build / "root"
        if faults := check.faults(tree):
            raise ImageError("the root file system holds what it must not:\n" + "\n".join(faults))
        sbom.write(tree, release, build / "sbom.cdx.json")
        disk.SLOT_SYSTEM.make(Tools(build), tree, product, release.epoch)

    return Stage("root.ext4", "a root slot, and its bill of materials", (before.key,), make)


def _card(build: Path, release: Release, before: Stage) -> Stage:
    def make(product: Path) -> None:
        work, slot = build / "card", build / before.name
        remove(work)
        work.mkdir()
        disk.boot_files(build / "root", work / "boot", release.epoch)
        disk.number_the_card(Tools(build), work / "boot")
        disk.fat(work / "boot", work / "boot.vfat", release.epoch)
        disk.data_tree(work / "data")
        root.clamp(work / "data", release.epoch)
        data = work / "data.ext4"
        disk.DATA_SYSTEM.make(Tools(build), work / "data", data, release.epoch)
        disk.assemble([work / "boot.vfat", slot, slot, data], product)
        remove(work)

    return Stage("cleandesk.img", "the card", (before.key,), make)


def _report(build: Path, release: Release, took_s: float) -> None:
    image = build / "cleandesk.img"
    with image.open("rb") as file:
        name = hashlib.file_digest(file, "sha256").hexdigest()
    tree = build / "root"
    for folder in ("usr/lib/modules", "opt/cleandesk", "usr", "."):
        size = host.run(["du", "--summarize", "--block-size=M", tree / folder]).split()[0]
        console.print(f"  {folder:18} {size}")
    console.print(f"version  {release.version}, {release.commit[:12]}")
    console.print(f"image    {image}, {image.stat().st_size // disk.MIB} MiB, sha256 {name}")
    console.print(f"bill     {build / 'sbom.cdx.json'}")
    console.print(f"took     {took_s:.0f} s")


if __name__ == "__main__":
    try:
        typer.run(main)
    except (ImageError, OSError, subprocess.SubprocessError) as error:
        console.print(f"[red]{error}[/]")
        raise SystemExit(1) from error
