"""The box's Python: the locked wheels for its processor, and our own."""

import configparser
import shutil
import sys
import tempfile
import zipfile
from pathlib import Path

from image.errors import ImageError
from image.host import run
from image.stages import Stage
from image.tools import Tools

#: Where it lies on the box.
HOME = Path("opt/cleandesk")
#: Debian trixie's.
VERSION = "3.13"
SITE = HOME / "lib" / f"python{VERSION}" / "site-packages"
#: Newer than any of these no wheel may ask for: trixie has glibc 2.41.
_PLATFORMS = [f"manylinux_2_{minor}_aarch64" for minor in (34, 28, 17)]
#: Programs of ours that a box runs; the others are for other machines.
_PROGRAMS = ("cleandesk", "cleandesk-page")
#: Of the distribution's packages, what a box does not run.
_ELSEWHERE = ("cleandesk_fleet",)


def stage(lock: Path, log: Path) -> Stage:
    """Return the stage that makes the folder of everybody else's packages."""

    def make(product: Path) -> None:
        platforms = [f"--platform={name}" for name in _PLATFORMS]
        run(
            [
                *(sys.executable, "-m", "pip", "install", "--require-hashes", "--no-deps"),
                *("--no-compile", "--only-binary=:all:", "--implementation=cp"),
                # The lock was made for that version; some releases of pip look at their own.
                "--ignore-requires-python",
                *(f"--python-version={VERSION}", *platforms),
                *("--requirement", lock, "--target", product),
            ],
            log=log,
        )
        # Its programs begin with the builder's own Python.
        shutil.rmtree(product / "bin", ignore_errors=True)

    made_of = (lock.read_text(encoding="utf-8"), VERSION, *_PLATFORMS)
    return Stage("wheels", "Python packages, as they are locked", made_of, make)


def install_others(root: Path, wheels: Path, tools: Tools) -> None:
    """Put everybody else's packages into a root, as a virtual environment of its own Python."""
    shutil.copytree(wheels, root / SITE, symlinks=True)
    home = root / HOME
    (home / "bin").mkdir()
    (home / "bin" / "python").symlink_to("/usr/bin/python3")
    # The system's packages are seen, too: libcamera comes by no other way.
    (home / "pyvenv.cfg").write_text(
        f"home = /usr/bin\ninclude-system-site-packages = true\nversion = {VERSION}\n",
        encoding="ascii",
    )
    tools.compile(root, SITE)


def install_ours(root: Path, repository: Path, epoch: int, tools: Tools) -> None:
    """Build our own wheel, and put it and the programs that start it into a root.

    Raises:
        ImageError: If it cannot be built, or lacks a program.
    """
    with tempfile.TemporaryDirectory(prefix="cleandesk-wheel-") as folder:
        run(
            [
                *(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps"),
                *("--no-build-isolation", "--wheel-dir", folder, repository),
            ],
            env={"SOURCE_DATE_EPOCH": str(epoch)},
        )
        unpack(root, next(Path(folder).glob("cleandesk-*.whl")))
    tools.compile(root, SITE / "cleandesk")


def unpack(root: Path, wheel: Path) -> None:
    """Put our wheel, and a program for each of its commands that a box runs, into a root.

    Raises:
        ImageError: If it lacks one.
    """
    site = root / SITE
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    for name in _ELSEWHERE:
        shutil.rmtree(site / name)
    for name, target in _entry_points(site).items():
        module, _, function = target.partition(":")
        program = root / HOME / "bin" / name
        program.write_text(
            f"#!/{HOME}/bin/python\nimport sys\n\nfrom {module} import {function}\n\n"
            f"sys.exit({function}())\n",
            encoding="ascii",
        )
        program.chmod(0o755)


def _entry_points(site: Path) -> dict[str, str]:
    parser = configparser.ConfigParser(delimiters=("=",))
    parser.read(next(site.glob("cleandesk-*.dist-info")) / "entry_points.txt", encoding="utf-8")
    found = {name: parser["console_scripts"].get(name) for name in _PROGRAMS}
    missing = sorted(name for name, target in found.items() if target is None)
    if missing:
        raise ImageError(f"our wheel has no {', '.join(missing)}: see [project.scripts]")
    return {name: target for name, target in found.items() if target is not None}
