"""The folder in which a fetched bundle comes to the box, and is handed to the updater.

```
incoming-<sha256>    grows while it is fetched
update.raucb         whole, and the updater's: it takes it away, whatever comes of it
```

The folder is the box's, and its group is the updater's, who may read and remove what lies there.
systemd makes it (`deploy/systemd/tmpfiles.d/`): where there is none, nobody installs anything.
"""

import hashlib
import os
import shutil
from pathlib import Path

from cleandesk import whole_file

#: What the updater looks for, here as on the card.
BUNDLE = "update.raucb"
#: The updater may read it, whatever the box's umask.
MODE = 0o640
_INCOMING = "incoming-"


class Drop:
    """What lies there. The box alone writes.

    Args:
        folder: Where it is; it is not made here.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def bundle(self) -> Path:
        """What was handed over."""
        return self.folder / BUNDLE

    @property
    def handed(self) -> bool:
        """Whether the updater has not done yet with what was handed over."""
        return whole_file.is_there(self.bundle)

    def incoming(self, sha256: str) -> Path:
        """Return where a bundle grows that is being fetched."""
        return self.folder / f"{_INCOMING}{sha256}"

    def has(self, sha256: str) -> int:
        """Return how many bytes of a bundle are there."""
        try:
            return self.incoming(sha256).stat().st_size
        except OSError:
            return 0

    def free(self) -> int:
        """Return how many bytes the disk takes.

        Raises:
            OSError: If nobody can tell.
        """
        return shutil.disk_usage(self.folder).free

    def is_whole(self, sha256: str) -> bool:
        """Say whether what was fetched is what was asked for.

        Raises:
            OSError: If it cannot be read.
        """
        with self.incoming(sha256).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == sha256

    def hand_over(self, sha256: str) -> None:
        """Give a whole bundle to the updater; a second time does nothing.

        Raises:
            OSError: The disk does not take it.
        """
        incoming = self.incoming(sha256)
        if incoming.exists():
            whole_file.move(incoming, self.bundle)

    def tidy(self, *, but: str | None = None) -> None:
        """Remove what is fetched no more; what is not ours stays.

        Args:
            but: SHA-256 of the bundle that is being fetched.

        Raises:
            OSError: The disk does not let it go.
        """
        if not self.folder.is_dir():
            return
        for path in self.folder.glob(f"{_INCOMING}*"):
            if path.name != f"{_INCOMING}{but}":
                whole_file.remove(path)

    @property
    def usable(self) -> bool:
        """Whether there is such a folder, and it is ours to write to."""
        return os.access(self.folder, os.W_OK | os.X_OK)
