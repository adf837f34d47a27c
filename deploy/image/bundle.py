"""`make bundle`: a signed update of what `make image` built last."""

import subprocess
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from image import updates
from image.__main__ import REPOSITORY
from image.errors import ImageError
from image.release import CHANGES

console = Console(soft_wrap=True, highlight=False)


def main(
    key: Annotated[str, typer.Option(help="Signs: a PEM file, or a token's pkcs11: address")],
    cert: Annotated[Path, typer.Option(help="The key's certificate, PEM")],
    build: Annotated[Path, typer.Option(help="Where `make image` built")] = REPOSITORY
    / "build"
    / "image",
) -> None:
    """Sign the root slot that was built last, as an update."""
    version = version_of(build / "root")
    product, draft = build / "cleandesk.raucb", build / "cleandesk.raucb.partial"
    product.unlink(missing_ok=True)
    kind = updates.kind_of(build / "root")
    updates.bundle(build / "root.ext4", version, cert, key, draft, compatible=kind)
    updates.verify(draft, build / "root")
    draft.rename(product)
    console.print(f"update   {product}, {product.stat().st_size // 10**6} MB, version {version}")


def version_of(root: Path) -> str:
    """Return the version of a root file system that was built.

    Raises:
        ImageError: If there is none, a box with it would take no other update, or nobody could
            build it again.
    """
    path = root / "usr/lib/os-release"
    if not path.exists():
        raise ImageError(f"{root}: nothing was built there: 'make image' first")
    if not (root / updates.KEYRING).exists():
        raise ImageError(
            "a box with this update would take no other one: 'make image UPDATES=ca.pem' first"
        )
    lines = path.read_text(encoding="utf-8").splitlines()
    says = dict(line.split("=", 1) for line in lines if "=" in line)
    if says.get("BUILD_ID", "").endswith(CHANGES):
        raise ImageError(
            f"{root} was built of more than was committed: commit it, then 'make image' first"
        )
    return says["IMAGE_VERSION"]


if __name__ == "__main__":
    try:
        typer.run(main)
    except (ImageError, OSError, subprocess.SubprocessError) as error:
        console.print(f"[red]{error}[/]")
        raise SystemExit(1) from error
