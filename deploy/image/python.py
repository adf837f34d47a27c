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


def own_wheel(repository: Path, epoch: int) -> Path:
    """Build our own wheel in a folder of its own; returns it.

    Raises:
        ImageError: If it cannot be built.
    """
    folder = Path(tempfile.mkdtemp(prefix="cleandesk-wheel-"))
    run(
        [
            *(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps"),
            *("--no-build-isolation", "--wheel-dir", folder, repository),
        ],
        env={"SOURCE_DATE_EPOCH": str(epoch)},
    )
    return next(folder.glob("cleandesk-*.whl"))


def install(root: Path, wheels: Path, own: Path) -> None:
    """Put everybody's packages, ours, and the programs that start them into a root.

    Raises:
        ImageError: If our wheel lacks a program.
    """
    site = root / SITE
    shutil.copytree(wheels, site, symlinks=True)
    with zipfile.ZipFile(own) as archive:
        archive.extractall(site)
    for name in _ELSEWHERE:
        shutil.rmtree(site / name)
    home = root / HOME
    (home / "bin").mkdir()
    (home / "bin" / "python").symlink_to("/usr/bin/python3")
    # The system's packages are seen, too: libcamera comes by no other way.
    (home / "pyvenv.cfg").write_text(
        f"home = /usr/bin\ninclude-system-site-packages = true\nversion = {VERSION}\n",
        encoding="ascii",
    )
    for name, target in _entry_points(site).items():
        module, _, function = target.partition(":")
        program = home / "bin" / name
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


def compile_all(root: Path) -> None:
    """Compile the packages by the box's own Python: the root is read-only where they run.

    The files hold a hash of their source instead of its time, which is not looked at either.
    """
    run(
        [
            *("chroot", root, "/usr/bin/python3", "-m", "compileall", "-q", "-j", "2"),
            *("--invalidation-mode", "unchecked-hash", f"/{SITE}"),
        ],
        env={"PYTHONHASHSEED": "0"},
    )
