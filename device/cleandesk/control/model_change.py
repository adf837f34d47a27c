"""What another model must be before a box keeps it: signed, newer, fit for the rules, and tried."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cleandesk.contract.artefact import order
from cleandesk.contract.artefact_errors import ArtefactError
from cleandesk.contract.model_messages import ModelRequest
from cleandesk.control.errand import RefusedError
from cleandesk.detector import Manifest, default_manifest, read_manifest
from cleandesk.identity.fetching import Fetching
from cleandesk.model.kept import Fetched, Kept
from cleandesk.model.shelf import Shelf
from cleandesk.model.trying import Took
from cleandesk.problems import Problem

#: The disk has other things to keep than models.
SPARE_BYTES = 64 * 2**20
#: Measured twice, one and the same model differs by less.
_AS_FAST = 1.5


@dataclass(frozen=True, slots=True)
class Means:
    """What a model is changed by.

    Attributes:
        shelf: The fetched models.
        fetching: None: `cleandesk claim` did not make this box's key.
        objections: Says what the running settings ask that a model cannot do.
        slowest_s: Says how long a look may take.
        try_out: Looks with a model and with the present one, and says what that takes.
        note: Enters a change in the ledger.
        restart: Has the process end for a new start.
        software_on_trial: Says whether what runs is an update that nobody has committed.
    """

    shelf: Shelf
    fetching: Fetching | None
    objections: Callable[[Manifest], Sequence[Problem]]
    slowest_s: Callable[[], float]
    try_out: Callable[[Path], Took]
    note: Callable[[str, str], None]
    restart: Callable[[], None]
    software_on_trial: Callable[[], bool]


def roll_back(by: Means) -> Kept:
    """Put the model before in the present one's place; returns what is kept.

    Raises:
        RefusedError: If there is none, or the rules need the present one.
        ModelError: If it is damaged.
        OSError: The disk does not take it.
    """
    kept = by.shelf.read()
    if kept.present is None:
        raise RefusedError("none: the shipped model runs, there is none before it")
    back = kept.previous
    path = default_manifest() if back is None else by.shelf.manifest(back)
    _check_rules(by, read_manifest(path))
    by.note("model_changed", f"The site took the model {kept.present.version} back.")
    return by.shelf.change(Kept.rolled_back)


def update(by: Means, request: ModelRequest) -> Kept:
    """Fetch a model, check it, try it out, and put it on trial; returns what is kept.

    Raises:
        RefusedError: If it must not be taken.
        ArtefactError: If it is damaged, or signed by nobody who may.
        IdentityError: If it cannot be fetched.
        ModelError: If it is none.
        TryError: If it does not work.
        OSError: The disk does not take it.
    """
    shelf, fetching = by.shelf, by.fetching
    name, version, sha256 = request.artefact, request.version, request.sha256
    if name is None or version is None or sha256 is None or request.size is None:
        raise RefusedError("invalid: the request names no file")
    if fetching is None:
        raise RefusedError("not_claimed: this box's key was not made by `cleandesk claim`")
    _check_age(shelf.read(), version, sha256)
    incoming = shelf.incoming(sha256)
    if shutil.disk_usage(shelf.folder).free < 2 * request.size + SPARE_BYTES:
        raise RefusedError("disk: there is no room for it: free space on the box's disk")
    fetching.fetch(name, request.size, incoming)
    try:
        model, path = shelf.unpack(sha256, fetching.root, fetching.moment())
    except ArtefactError:
        incoming.unlink(missing_ok=True)  # nothing is gone on from what is wrong
        raise
    if model.version != version:
        raise RefusedError(f"damaged: it is version {model.version}: ask for that")
    _check_whole(read_manifest(path), path, model)
    _check_rules(by, read_manifest(path))
    took, most_s = by.try_out(path), by.slowest_s()
    if took.look_s > most_s and took.times > _AS_FAST:
        said = f"slow: a look takes {took.look_s:.2f} s here, and the rules need {most_s:.2f} s"
        raise RefusedError(f"{said}: choose a smaller model")
    by.note("model_changed", f"The site changed the model that looks: {model.version}, on trial.")
    return shelf.change(lambda kept: kept.updated(model))


def _check_age(kept: Kept, version: str, sha256: str) -> None:
    """Raise if a model is not newer than what is known to work, or has failed before."""
    lost = kept.given_up
    if lost is not None and lost.model.artefact == sha256:
        raise RefusedError(f"given_up: {lost.why}: sign another one, with a higher version")
    if kept.proven is not None and kept.proven.artefact == sha256:
        return
    known = [read_manifest(default_manifest()).version]
    known += [] if kept.proven is None else [kept.proven.version]
    newest = max(known, key=order)
    if order(version) <= order(newest):
        fix = "give it a higher version, or ask for a rollback"
        raise RefusedError(f"older: {version} is not newer than {newest}: {fix}")


def _check_whole(manifest: Manifest, path: Path, model: Fetched) -> None:
    """Raise if a manifest is of another model than was signed, or names files elsewhere."""
    if (manifest.name, manifest.version) != (model.name, model.version):
        raise RefusedError("damaged: its manifest has another name or version: sign it anew")
    files = [manifest.file, *(variant.file for variant in manifest.variants)]
    if any(file.parent != path.parent for file in files):
        raise RefusedError("damaged: its manifest names files elsewhere: sign it anew")


def _check_rules(by: Means, manifest: Manifest) -> None:
    problems = by.objections(manifest)
    if problems:
        first = problems[0]
        raise RefusedError(f"rules: {first.key}: {first.reason}: change the rules first")
