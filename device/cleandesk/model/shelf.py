"""Fetched models on the disk: each in a folder of its own, and one small file that says which runs.

```
state                which model runs, which one before it, whether it is on trial
<sha256>/            one model, unpacked; called by the file that it came in
incoming-<sha256>    a file that is being fetched
.new-<sha256>/       a model that is being unpacked
```

A model's folder is whole and on the disk before the state names it, so that whatever is cut off
leaves one whole model: the one before, or the new one.
"""

import hashlib
import logging
import os
import re
import shutil
import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

from cryptography import x509
from pydantic import ValidationError

from cleandesk import durable, whole_file
from cleandesk.contract.artefact import Listing, Part
from cleandesk.contract.artefact_errors import ArtefactError, Fault
from cleandesk.contract.artefact_reader import unpack
from cleandesk.model.kept import Fetched, Kept

log = logging.getLogger(__name__)

MANIFEST = "manifest.yaml"
_INCOMING, _NEW = "incoming-", ".new-"
#: Of all shelves of the process: who ends it and who changes the model look at one from two sides.
_GUARD = threading.Lock()
_OURS = re.compile(rf"({re.escape(_INCOMING)}|{re.escape(_NEW)})?[0-9a-f]{{64}}")


def folder_of(outbox: Path) -> Path:
    """Return where a box keeps fetched models: beside its outbox."""
    return outbox.with_name(f"{outbox.name}.models")


class Shelf:
    """The folder of fetched models. It is made by the first one; to look does not make it.

    Args:
        folder: Where it is.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._state = folder / "state"

    def read(self) -> Kept:
        """Return what is kept; nothing where nobody can tell, which the log says."""
        try:
            content = durable.read(self._state)
            return Kept() if content is None else Kept.model_validate_json(content)
        except (durable.DamagedError, ValidationError) as error:
            log.warning("nobody can tell which model was fetched: %s", str(error)[:200])
            return Kept()

    def change(self, to: Callable[[Kept], Kept]) -> Kept:
        """Keep something else; it is on the disk when this returns it. From any thread.

        Args:
            to: Makes it of what is kept.

        Raises:
            OSError: Then the file says what it said before.
        """
        with _GUARD:
            before = self.read()
            kept = to(before)
            if kept != before:
                self._make()
                durable.write(self._state, kept.model_dump_json().encode())
        return kept

    def manifest(self, model: Fetched) -> Path:
        """Return where a model's manifest lies."""
        return self.folder / model.artefact / MANIFEST

    def holds(self, model: Fetched) -> bool:
        """Say whether a model's manifest is the one that was fetched; its weights it tells."""
        try:
            content = self.manifest(model).read_bytes()
        except OSError:
            return False
        return hashlib.sha256(content).hexdigest() == model.manifest

    def incoming(self, sha256: str) -> Path:
        """Return where a file that is being fetched grows; others that did not come to an end go.

        Raises:
            OSError: The disk does not take it.
        """
        self._make()
        path = self.folder / f"{_INCOMING}{sha256}"
        for other in self.folder.glob(f"{_INCOMING}*"):
            if other != path:
                whole_file.remove(other)
        return path

    def unpack(self, sha256: str, root: x509.Certificate, now: datetime) -> tuple[Fetched, Path]:
        """Unpack a file that was fetched; returns the model, and the path of its manifest.

        It counts for nothing until `change` names it.

        Args:
            sha256: Of the file, which is compared.
            root: Whose certificate its signer must have.
            now: The time to hold that against.

        Raises:
            ArtefactError: If it is damaged, or signed by nobody who may.
            OSError: The disk does not take it.
        """
        source, new = self.incoming(sha256), self.folder / f"{_NEW}{sha256}"
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(mode=0o700)
        whole_file.hand_over(new)

        def write(part: Part, chunks: Iterator[bytes]) -> None:
            _write(new / part.name, chunks)

        with source.open("rb") as stream:
            if hashlib.file_digest(stream, "sha256").hexdigest() != sha256:
                fix = "publish it anew, or ask for the right one"
                raise ArtefactError(Fault.DAMAGED, "it is not the file that was asked for", fix)
            stream.seek(0)
            listing = unpack(stream, root, now, write)
        whole_file.sync(new)
        place = self.folder / sha256
        shutil.rmtree(place, ignore_errors=True)
        new.rename(place)
        whole_file.sync(self.folder)
        return _fetched(listing, sha256), place / MANIFEST

    def tidy(self, *, but: str | None = None) -> None:
        """Remove what is neither kept nor being fetched; what is not ours stays.

        Args:
            but: SHA-256 of the file that is being fetched.
        """
        if not self.folder.is_dir():
            return
        kept = self.read()
        names = {f"{_INCOMING}{but}"}
        names |= {one.artefact for one in (kept.present, kept.previous) if one is not None}
        for path in self.folder.iterdir():
            if path.name in names or not _OURS.fullmatch(path.name):
                continue
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)

    def _make(self) -> None:
        if not self.folder.is_dir():
            self.folder.mkdir(mode=0o700, parents=True)
            whole_file.hand_over(self.folder)
            whole_file.sync(self.folder.parent)


def _fetched(listing: Listing, sha256: str) -> Fetched:
    manifest = next((part.sha256 for part in listing.parts if part.name == MANIFEST), None)
    if manifest is None:
        raise ArtefactError(Fault.DAMAGED, f"it has no {MANIFEST}", "sign the model anew")
    return Fetched(name=listing.name, version=listing.version, artefact=sha256, manifest=manifest)


def _write(path: Path, chunks: Iterator[bytes]) -> None:
    """Write a new file, and have it on the disk."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "wb") as file:
        whole_file.hand_over(path)
        for chunk in chunks:
            file.write(chunk)
        file.flush()
        os.fsync(handle)
