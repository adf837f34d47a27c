"""Run within the box's sandbox: keeps a signed model as an update does, and tries it out."""

import shutil
import sys
from datetime import datetime
from pathlib import Path

from cryptography import x509

from cleandesk.detector import default_manifest
from cleandesk.model.shelf import Shelf
from cleandesk.model.trying import try_out


def main(folder: str, signed: str, root: str, sha256: str, now: str) -> None:
    shelf = Shelf(Path(folder))
    shutil.copyfile(signed, shelf.incoming(sha256))
    vouching = x509.load_pem_x509_certificate(Path(root).read_bytes())
    model, path = shelf.unpack(sha256, vouching, datetime.fromisoformat(now))
    took = try_out(path, default_manifest(), threads=None, precision="auto")
    shelf.change(lambda kept: kept.updated(model))
    shelf.tidy()
    print(f"tried {model.version} in {took.look_s:.3f} s")  # noqa: T201 - for the test


if __name__ == "__main__":
    main(*sys.argv[1:])
