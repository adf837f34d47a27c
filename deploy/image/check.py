"""What must not be in an image: secrets, logins, sound."""

import re
from collections.abc import Iterator
from pathlib import Path

from image import silence

_PRIVATE_KEY = re.compile(rb"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----\s+[A-Za-z0-9+/=]{16}")
#: Longer files are no keys.
_LONGEST = 256 * 1024
#: A hash of a password, as `crypt` makes it.
_PASSWORD = re.compile(r"\$[0-9a-zA-Z]+\$")
_SECRETS = ("claim.json", "page-label", "box.pem", "next.key", "random-seed", "credential.secret")
_LOGINS = ("usr/sbin/sshd", "usr/bin/ssh", "usr/sbin/dropbear", "usr/sbin/telnetd")


def faults(root: Path) -> list[str]:
    """Return what is in a root file system that must not be, one line each."""
    return [*_secrets(root), *_doors(root), *_sound(root)]


def _secrets(root: Path) -> Iterator[str]:
    if (root / "etc/machine-id").read_text(encoding="ascii").strip():
        yield "etc/machine-id: not empty: boxes would share it"
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root)
        if path.is_symlink() or not path.is_file():
            continue
        if path.name in _SECRETS or path.name.startswith("ssh_host_"):
            yield f"{name}: belongs to one box"
        if path.stat().st_size <= _LONGEST and _PRIVATE_KEY.search(path.read_bytes()):
            yield f"{name}: a private key"


def _doors(root: Path) -> Iterator[str]:
    for name in _LOGINS:
        if (root / name).exists():
            yield f"{name}: a way in"
    for line in (root / "etc/shadow").read_text(encoding="utf-8").splitlines():
        user, password = line.split(":")[:2]
        if not password or _PASSWORD.match(password):
            yield f"etc/shadow: {user} can log in by a password, or without one"
    wants = root / "etc/systemd/system"
    for path in sorted(wants.rglob("*getty*")):
        if path.is_symlink() and path.readlink() != Path("/dev/null"):
            yield f"{path.relative_to(root)}: asks for a login"


def _sound(root: Path) -> Iterator[str]:
    for kernel in silence.modules(root):
        for name in sorted(silence.noisy(silence.dependencies(kernel / "modules.dep"))):
            yield f"{(kernel / name).relative_to(root)}: a module of sound"
        for path in sorted(kernel.rglob("snd*.ko*")):
            yield f"{path.relative_to(root)}: a module of sound"
    for line in (root / "etc/group").read_text(encoding="utf-8").splitlines():
        group, _, _, members = line.split(":")
        if group == "audio" and members:
            yield f"etc/group: {members} in audio"
