"""The commands about single boxes, from the first to the last."""

import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

import cleandesk
from cleandesk_fleet.provision import boxes, cards, certificates, ending, making, pki, targets
from cleandesk_fleet.provision.authorities import Issuer
from cleandesk_fleet.provision.boundary import (
    BOXES,
    Answer,
    Box,
    PassphraseFile,
    Work,
    address,
    command,
    passphrase,
)
from cleandesk_fleet.provision.claiming import checked_key
from cleandesk_fleet.provision.errors import ConflictError, UsageError
from cleandesk_fleet.provision.fleet import Fleet
from cleandesk_fleet.provision.making import Made

box = typer.Typer(help="Boxes.", no_args_is_help=True)


def add_commands(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.add_typer(box, name="box", rich_help_panel=BOXES)
    for one in (sd, sign, revoke, decommission):
        command(app, panel=BOXES)(one)


@command(box, "new")
def box_new(
    work: Work,
    name: Annotated[str, typer.Argument(help="<site>/<box>, or with --count a site")],
    count: Annotated[int | None, typer.Option(min=1, max=999, help="So many boxes")] = None,
    prefix: Annotated[str, typer.Option(help="With --count: PREFIX-001 and so on")] = "desk",
    *,
    again: Annotated[
        bool, typer.Option("--again", help="A new label and claim for a box that is there")
    ] = False,
) -> None:
    """Enter boxes, print their labels, and give each a claim that lets it enrol once.

    A box that is there is left as it is: its label and claim wait, or it has enrolled.
    """
    here = work.fleet
    addresses = [address(name)] if count is None else making.numbered(name, prefix, count)
    made: list[Made] = []
    with Progress(
        console=Console(stderr=True), disable=work.answer.as_json or count is None
    ) as progress:
        task = progress.add_task("boxes", total=len(addresses))
        for one in making.make(here, addresses, again=again):
            made.append(one)
            progress.advance(task)
    labels = making.sheet(here, addresses[0].site, made) if count else None
    _tell(work.answer, made, labels)


def _tell(answer: Answer, made: list[Made], labels: Path | None) -> None:
    new = [one for one in made if one.new]
    if len(made) == 1:
        one = made[0]
        text = f"made {one.address}; label and claim in {one.folder}"
        answer.say(text if one.new else f"{one.address} is there, {one.state}, and left as it is")
    else:
        sheet = f"; labels in {labels}" if labels else ""
        answer.say(f"{len(new)} boxes made, {len(made) - len(new)} kept as they are{sheet}")
    answer.add(
        boxes=[
            {"box": str(one.address), "made": one.new, "state": one.state, "folder": one.folder}
            for one in made
        ],
        labels=labels,
    )


def sd(
    work: Work,
    name: Box,
    target: Annotated[
        Path, typer.Argument(help="Mounted boot partition, card's device, or image file")
    ],
    settings: Annotated[
        Path | None, typer.Option(help="Settings to start from; default: the shipped ones")
    ] = None,
) -> None:
    """Write a box's settings, its claim and whom it may trust onto its card.

    A disk that is not removable is refused.
    """
    here = work.fleet
    files = _card(here, name, settings or _shipped())
    place = targets.target(target)
    if not work.dry:
        place.write(files)
    with here.registry.change() as change:
        change.note("card written", name, target=str(target))
    work.answer.say(f"wrote {', '.join(sorted(files))} to {target}", box=name, files=sorted(files))


def _card(here: Fleet, name: str, template: Path) -> dict[str, bytes]:
    one = address(name)
    with here.registry.change() as change:
        files = dict(here.desk.claim(one, change.now))
    place = here.settings.broker
    with tempfile.TemporaryDirectory(prefix="cleandesk-card-") as home:
        made = cards.settings_of(template, one, place.host, place.boxes_port, Path(home))
    files["cleandesk.yaml"] = made
    files["ca.pem"] = here.authorities.root.read_bytes()
    files["enrolment.pem"] = here.pinned()
    return cards.sealed(files)


def _shipped() -> Path:
    """Return the default settings: in the package, or in the source tree beside it."""
    package = Path(cleandesk.__file__).parent
    inside = package / "cleandesk.yaml"
    return inside if inside.exists() else package.parent / "cleandesk.yaml"


def sign(
    work: Work,
    name: Box,
    request: Annotated[Path, typer.Argument(help="Certificate signing request, PEM")],
    out: Annotated[Path, typer.Option(help="Where to write the certificate")],
) -> None:
    """Sign a box's request by hand, where it cannot reach the service."""
    here = work.fleet
    one = address(name)
    try:
        asked = pki.read_request(request.read_bytes())
    except OSError as error:
        raise UsageError(f"{request}: {error.strerror}: give the request's file") from error
    signer = here.authorities.signer(Issuer.BOXES)
    with here.registry.change() as change:
        if boxes.known(change, one).state == boxes.State.DECOMMISSIONED:
            raise ConflictError(f"{name} was decommissioned: give the box another name")
        key = checked_key(change, asked, one)
        held = certificates.valid(change, Issuer.BOXES, name, key)
        pem = (
            held[0].pem
            if held
            else certificates.sign(
                change,
                signer,
                key,
                name,
                issuer=Issuer.BOXES,
                lasts=timedelta(days=here.settings.authorities.box_days),
            )
        )
        boxes.set_state(change, one, boxes.State.ENROLLED)
    if not work.dry:
        out.write_text(pem, encoding="ascii")
    work.answer.say(
        f"{'kept' if held else 'signed'} {name}: {out}", box=name, made=not held, out=out
    )


def revoke(
    work: Work,
    name: Annotated[str, typer.Argument(help="<site>/<box>, or an operator")],
    reason: Annotated[str, typer.Option(help="For the audit trail")] = "revoked",
    *,
    passphrase_file: PassphraseFile = None,
) -> None:
    """Revoke a box or an operator, and end their open connection; ready when they are out."""
    here = work.fleet
    if "/" in name:
        ended = ending.revoke_box(here, address(name), reason)
    else:
        ended = ending.revoke_operator(here, name, reason, passphrase(passphrase_file))
    count = len(ended.revoked)
    work.answer.say(
        f"{name} is out; {count} certificates revoked",
        name=name,
        revoked=ended.revoked,
        put_out=ended.put_out,
    )


def decommission(
    work: Work,
    name: Box,
) -> None:
    """Take a box out of service for good: revoked, put out, nothing of it retained.

    Its name is not given again. What the box itself keeps (keys, outbox, ledger, stills) goes by
    `cleandesk wipe` on the box, or with its card.
    """
    ended = ending.decommission(work.fleet, address(name))
    work.answer.say(
        f"{name} is out of service; {len(ended.revoked)} certificates revoked, "
        f"{len(ended.cleared)} retained topics cleared, none left; what it keeps itself goes by "
        "`cleandesk wipe` on it, or by a card that is flashed anew",
        name=name,
        revoked=ended.revoked,
        cleared=ended.cleared,
    )
