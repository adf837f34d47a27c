"""The commands about the boxes' software: published, sent to boxes, and looked after."""

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from cleandesk_fleet.provision import boxes, bundles, rollout, updating
from cleandesk_fleet.provision.boundary import BOXES, Work, command, told
from cleandesk_fleet.provision.bundles import Bundle
from cleandesk_fleet.provision.errors import BoxError, OfflineError
from cleandesk_fleet.provision.rollout import Result, Share

update = typer.Typer(help="The software that boxes run.", no_args_is_help=True)
Target = Annotated[str, typer.Argument(help="<site>/<box>, <site>, or all")]


def add_commands(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.add_typer(update, name="update", rich_help_panel=BOXES)
    for one in (publish, send):
        command(update)(one)
    command(update, changes=False)(status)


def publish(
    work: Work,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A bundle of `make bundle`")],
) -> None:
    """Check a signed bundle, and put it where boxes fetch it: `artefacts` of the settings.

    RAUC checks it, by `update_keyring` of the settings: the certificates that the image was made
    with (UPDATES).
    """
    settings = work.fleet.settings
    one = bundles.read(file, settings.update_keyring)
    new = work.dry or bundles.publish(one, settings.artefacts)
    if new:
        with work.fleet.registry.change() as change:
            change.note("update published", one.file, sha256=one.sha256)
    place = settings.artefacts / one.file
    work.answer.say(
        f"{f'published {place}' if new else f'{place} is there'}: version {one.version} for "
        f"{one.compatible}, {one.size / 1e6:.1f} MB, sha256 {one.sha256}",
        **_facts(one),
    )


def send(
    work: Work,
    target: Target,
    file: Annotated[str, typer.Argument(help="A published bundle's name, or its version")],
    share: Annotated[
        str | None, typer.Option(help="A part of them first: 5%, or a number of boxes")
    ] = None,
    wait: Annotated[
        float, typer.Option(min=1, max=3600, help="Wait so long for answers, in seconds")
    ] = 20,
    *,
    again: Annotated[
        bool, typer.Option("--again", help="Boxes that tried it and left it try it once more")
    ] = False,
) -> int:
    """Have running boxes fetch a published bundle, install it, and begin anew with it, on trial.

    A box answers once it has the whole bundle; until then it is `asked`. What becomes of it after
    that `update status` tells. A box that does not get as healthy as it was goes back by itself.
    One that runs it already, or is at it, changes nothing: those of a smaller share are in a larger
    one. A box that is offline is not waited for: send it again. Exit codes: 0 none of them said no;
    9 some are offline, the others did not say no; 10 some said no.
    """
    settings = work.fleet.settings
    meant = updating.meant(work.fleet, target)
    one = bundles.published(settings.artefacts, file, settings.update_keyring)
    chosen = rollout.choose(meant, one.sha256, None if share is None else Share.parse(share))
    work.answer.add(**_facts(one), meant=len(meant), chosen=len(chosen))
    if work.dry:
        names = [str(address) for address in chosen]
        text = f"ask {len(chosen)} of {len(meant)} boxes to take {one.file}: {', '.join(names)}"
        work.answer.say(text, boxes=names)
        return 0
    with told(as_json=work.answer.as_json) as tell:
        asked = updating.send(work.fleet, chosen, one, again=again, wait_s=wait, tell=tell)
    work.answer.rows("boxes", [rollout.row_of(each, one.version) for each in asked])
    counts = Counter(rollout.result_of(each, one.version) for each in asked)
    said = ", ".join(f"{counts[result]} {result}" for result in Result if counts[result])
    work.answer.say(
        f"version {one.version}, asked {len(chosen)} of {len(meant)} boxes: {said}",
        results={result.value: counts[result] for result in Result},
    )
    if counts[Result.REFUSED]:
        return BoxError.code
    return OfflineError.code if counts[Result.OFFLINE] else 0


def status(work: Work, target: Target = boxes.ALL) -> None:
    """Show which software boxes run, how an update does, and the last one that did not stay.

    It is what each box said last: at least every minute, while it is on the line.
    """
    rows = updating.status(work.fleet, updating.meant(work.fleet, target))
    work.answer.rows("boxes", rows)
    runs = Counter(str(row["runs"] or "unknown") for row in rows)
    said = ", ".join(f"{count} run {version}" for version, count in runs.most_common())
    work.answer.say(f"{len(rows)} boxes: {said}", versions=dict(runs))


def _facts(one: Bundle) -> dict[str, object]:
    return {
        "artefact": one.file,
        "version": one.version,
        "compatible": one.compatible,
        "sha256": one.sha256,
        "size": one.size,
    }
