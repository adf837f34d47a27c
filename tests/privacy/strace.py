"""What a process asks the kernel to write, and where: by strace(1)."""

import ast
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

PROGRAM = shutil.which("strace")


def _works() -> bool:
    command = [str(PROGRAM), "--follow-forks", "--output=/dev/null", "true"]
    return (
        bool(PROGRAM) and subprocess.run(command, check=False, capture_output=True).returncode == 0
    )


needs_strace = pytest.mark.skipif(
    not _works(), reason="strace is not installed (`make test` installs it), or may not trace here"
)
#: Of each write so many bytes are noted.
NOTED = 4096

#: Every way to put bytes into a file, a pipe or a socket by a system call.
_WRITES = (
    *("write", "pwrite64", "writev", "pwritev", "pwritev2", "sendto", "sendmsg", "sendmmsg"),
    *("sendfile", "copy_file_range", "splice", "vmsplice", "tee"),
)
#: Opening, writing by way of memory, and the queue that needs no system calls.
_OTHERS = ("open", "openat", "openat2", "creat", "mmap", "io_uring_setup")
_TARGET_SECOND = ("copy_file_range", "splice", "tee")

_CALL = re.compile(r"(\w+)\((.*)\) += (-?\w+|\?)(?:<([^>]*)>)?(?: .*)?")
_DESCRIPTOR = re.compile(r"\d+<([^>]*)>")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True, slots=True)
class Call:
    """A system call that did something.

    Attributes:
        name: Such as `pwrite64`.
        target: The path behind the descriptor; `socket:[…]` and the like; nothing without one.
        arguments: As strace prints them.
        size: Bytes, of a write.
    """

    name: str
    target: str
    arguments: str
    size: int = 0

    @property
    def content(self) -> bytes:
        """What was written, up to `NOTED` bytes."""
        parts = [ast.literal_eval(f'b"{text}"') for text in _QUOTED.findall(self.arguments)]
        return b"".join(parts)


def wrapper(folder: Path) -> list[str]:
    """Return the words to put before a command whose calls are to be noted in a new folder.

    The command keeps its own process id and its signals.
    """
    folder.mkdir()
    # `?`: a call that this machine does not have is no error.
    traced = ",".join(f"?{name}" for name in (*_WRITES, *_OTHERS))
    return [
        str(PROGRAM),
        *("--daemonize=grandchild", "--follow-forks", "--output-separately", "--seccomp-bpf"),
        *("--quiet=attach,personality", f"--string-limit={NOTED}", "--decode-fds=path"),
        *(f"--trace={traced}", f"--output={folder}/calls"),
    ]


def is_over(folder: Path) -> bool:
    """Say whether all threads have ended and all of it is noted."""
    texts = [path.read_text(encoding="utf-8", errors="replace") for path in folder.iterdir()]
    ends = [text.splitlines()[-1:] for text in texts]
    # A file is there a moment before its first line.
    return bool(ends) and all(end and end[0].startswith("+++ ") for end in ends)


def calls(folder: Path) -> Iterator[Call]:
    """Read what was noted, thread by thread; calls that failed are left out."""
    for path in sorted(folder.iterdir()):
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            found = _CALL.fullmatch(line)
            if found is None:
                assert line.startswith(("+++", "---")), f"not understood: {line[:200]}"
            elif found[3] not in ("?", "-1"):
                name, arguments, result, opened = found.groups()
                behind = [opened] if opened else _DESCRIPTOR.findall(arguments)
                place = 1 if name in _TARGET_SECOND else 0
                size = int(result) if name in _WRITES else 0
                yield Call(name, behind[place] if behind else "", arguments, size)
