"""The commands about models: signed, published, sent to a box, and taken back."""

from pathlib import Path
from typing import Annotated

import typer

from cleandesk import whole_file
from cleandesk_fleet.provision import artefacts, keyfiles, modelling, offering
from cleandesk_fleet.provision.artefacts import Artefact
from cleandesk_fleet.provision.boundary import (
    BOXES,
    Box,
    PassphraseFile,
    Wait,
    Work,
    address,
    command,
    passphrase,
    told,
)
from cleandesk_fleet.provision.errors import UnknownNameError

model = typer.Typer(help="The model that boxes look with.", no_args_is_help=True)
File = Annotated[Path, typer.Argument(metavar="FILE", help="A signed model")]


def add_commands(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.add_typer(model, name="model", rich_help_panel=BOXES)
    for one in (sign, publish, send, rollback):
        command(model)(one)


def sign(
    work: Work,
    folder: Annotated[Path, typer.Argument(help="With `manifest.yaml` and weights")],
    selftest: Annotated[
        Path | None, typer.Option(help="Folder with `selftest.yaml` and its picture; default: same")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for the signed file")] = Path(),
    *,
    passphrase_file: PassphraseFile = None,
) -> None:
    """Make one signed file of a model's folder, with the key that `ca init` made for models.

    The self-test is a picture, and what a model must see in it: each box tries that before it takes
    the model.
    """
    signer = work.fleet.authorities.models_signer(passphrase(passphrase_file))
    made = artefacts.sign(folder, selftest or folder, signer)
    if not work.dry:
        whole_file.write(out / made.file, made.content)
    _tell(work, f"signed {out / made.file}", made)


def publish(work: Work, file: File) -> None:
    """Check a signed model, and put it where boxes fetch it: `artefacts` of the settings."""
    one = _read(work, file)
    folder = work.fleet.settings.artefacts
    new = work.dry or artefacts.publish(one, folder)
    if new:
        with work.fleet.registry.change() as change:
            change.note("model published", one.file, sha256=one.sha256)
    text = f"published {folder / one.file}" if new else f"{folder / one.file} is there"
    _tell(work, text, one)


def send(
    work: Work,
    name: Box,
    file: Annotated[str, typer.Argument(help="A published model's name, or its file")],
    wait: Wait = 300,
) -> None:
    """Have a running box fetch a published model, try it, and begin anew with it, on trial.

    Until the model has worked for a while a crash leads the box back to the one before by itself;
    `health` tells. A box that runs this model changes nothing. A box that is offline is not waited
    for (exit code 9).
    """
    named = Path(file).name
    path = offering.find(work.fleet.settings.artefacts, named)
    if path is None:
        raise UnknownNameError(f"{named} is not published: run `cleandesk-provision model publish`")
    _send(work, name, _read(work, path), wait)


def rollback(work: Work, name: Box, wait: Wait = 60) -> None:
    """Have a running box go back to the model that it had before, and begin anew with it."""
    _send(work, name, None, wait)


def _send(work: Work, name: str, one: Artefact | None, wait: float) -> None:
    box = address(name)
    if work.dry:
        asked = "go back to the model before" if one is None else f"look with {one.file}"
        work.answer.say(f"ask {name} to {asked}", box=name)
        return
    with told(as_json=work.answer.as_json) as tell:
        now = modelling.send(work.fleet, box, one, wait_s=wait, tell=tell)
    text = f"{name} begins anew with {now.name} {now.version} ({now.state})"
    work.answer.say(text, box=name, model=now.model_dump(mode="json"))


def _read(work: Work, path: Path) -> Artefact:
    root = keyfiles.read_certificate(work.fleet.authorities.root)
    with work.fleet.registry.change() as change:
        return artefacts.read(path, root, change.now)


def _tell(work: Work, text: str, one: Artefact) -> None:
    size = len(one.content)
    work.answer.say(
        f"{text}: {one.listing.name} {one.listing.version}, {size / 1e6:.1f} MB, "
        f"sha256 {one.sha256}",
        artefact=one.file,
        version=one.listing.version,
        sha256=one.sha256,
        size=size,
    )
