"""Which model a box looks with: the one that its settings name, a fetched one, or the shipped one.

A fetched model that is older than the shipped one gives way to it: the software was updated since.
"""

from pathlib import Path

from cleandesk.contract.artefact import order
from cleandesk.contract.model_messages import BoxModel, ModelState
from cleandesk.detector import Manifest, default_manifest, read_manifest
from cleandesk.model.kept import Fetched, Kept
from cleandesk.model.shelf import Shelf, folder_of
from cleandesk.settings import BoxSettings

_LONGEST = 200


def shelf_of(settings: BoxSettings) -> Shelf:
    """Return where a box keeps fetched models: beside its outbox."""
    return Shelf(folder_of(settings.outbox.path))


def manifest_of(settings: BoxSettings) -> Path:
    """Return the manifest of the model that a box looks with.

    Raises:
        ModelError: If there are fetched models, and the shipped one has no manifest.
    """
    if settings.detector.manifest is not None:
        return settings.detector.manifest
    shelf = shelf_of(settings)
    model = fetched(shelf, shelf.read())
    return default_manifest() if model is None else shelf.manifest(model)


def fetched(shelf: Shelf, kept: Kept) -> Fetched | None:
    """Return the fetched model that runs; None: the shipped one does.

    Raises:
        ModelError: If the shipped one has no manifest.
    """
    kept = counting(kept)
    models = (kept.present, kept.previous)
    return next((one for one in models if one is not None and shelf.holds(one)), None)


def counting(kept: Kept) -> Kept:
    """Return what counts of what is kept: no fetched model where the shipped one is newer.

    Raises:
        ModelError: If the shipped one has no manifest.
    """
    if kept.present is None:
        return kept
    shipped = read_manifest(default_manifest()).version
    return kept.superseded() if order(kept.present.version) < order(shipped) else kept


def described(settings: BoxSettings, manifest: Manifest, kept: Kept) -> BoxModel:
    """Return what a box tells of its model.

    Args:
        settings: The box's own.
        manifest: Of the model that runs.
        kept: What is on the shelf.
    """
    kept = counting(kept)
    model, state, lost = kept.present, kept.state, kept.given_up
    if settings.detector.manifest is not None:
        model, state = None, ModelState.OWN
    return BoxModel(
        name=manifest.name,
        version=manifest.version,
        sha256=manifest.sha256,
        artefact=None if model is None else model.artefact,
        state=state,
        given_up=None if lost is None else f"{lost.model.version}: {lost.why}"[:_LONGEST],
    )
