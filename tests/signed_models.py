"""Models' folders, keys to sign them with, and signed files, for tests of all sides."""

import hashlib
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from cleandesk.detector import default_manifest
from cleandesk_fleet.provision import artefacts, pki
from cleandesk_fleet.provision.artefacts import Artefact
from cleandesk_fleet.provision.pki import Signer, Span
from tests.rig import ROOT

SELFTEST = ROOT / "models" / "selftest"
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
SPAN = Span(NOW - timedelta(days=1), NOW + timedelta(days=900))


def a_root() -> Signer:
    """Return a fleet's root."""
    key = pki.new_key()
    return Signer(pki.root(key, "root", SPAN), key)


def a_signer(root: Signer, *, span: Span = SPAN, use: Any = pki.CODE) -> Signer:
    """Return what signs models, or something that is like it."""
    key = pki.new_key()
    return Signer(pki.leaf(root, key.public_key(), "models", span, use=use), key)


def a_model(folder: Path, version: str, *, weights: bytes | None = None, **changes: Any) -> Path:
    """Make a model's folder: the shipped model's, as another version, with its self-test.

    Args:
        folder: Where; made here.
        version: Its own.
        weights: What stands in for the weights; None: the shipped model's own.
        changes: To its manifest.
    """
    shipped = default_manifest()
    folder.mkdir(parents=True)
    manifest = yaml.safe_load(shipped.read_text(encoding="utf-8")) | {"version": version} | changes
    for one in (manifest, *manifest["variants"]):
        place = folder / one["file"]
        if weights is None:
            shutil.copy(shipped.parent / one["file"], place)
        else:
            place.write_bytes(weights)
            one["sha256"] = hashlib.sha256(weights).hexdigest()
    (folder / "manifest.yaml").write_text(yaml.safe_dump(manifest), encoding="utf-8")
    for name in ("selftest.yaml", "selftest.jpg"):
        shutil.copy(SELFTEST / name, folder)
    return folder


def signed(home: Path, version: str, signer: Signer, **more: Any) -> Artefact:
    """Return a small signed model: its weights are none."""
    folder = a_model(home / f"model-{version}", version, weights=b"weights" * 100, **more)
    return artefacts.sign(folder, folder, signer)
