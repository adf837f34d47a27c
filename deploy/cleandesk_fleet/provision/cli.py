"""`cleandesk-provision`: who may call themselves a box, and who may listen to one."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from cleandesk.contract import logs
from cleandesk_fleet.provision import (
    answering,
    cli_asking,
    cli_boxes,
    cli_lists,
    cli_models,
    cli_updates,
    failing,
    operators,
)
from cleandesk_fleet.provision.authorities import Issuer
from cleandesk_fleet.provision.boundary import (
    BESIDES,
    DEFAULT_CONFIG,
    ONCE,
    Config,
    PassphraseFile,
    Work,
    command,
    fleet,
    passphrase,
)
from cleandesk_fleet.provision.boxes import add_site
from cleandesk_fleet.provision.errors import UsageError
from cleandesk_fleet.provision.roles import Operator, Role
from cleandesk_fleet.provision.serving import serve

app = typer.Typer(
    name="cleandesk-provision",
    help="Makes boxes and operators, looks after them, and ends them. Every command may be run "
    "twice: the second time changes nothing (but `rotate`, which says so).",
    epilog="Exit codes: 0 done; 1 failed, or something is wrong with the box; 2 wrong settings or "
    "usage; 3 no such site, box or operator; 4 it is there and is another; 5 key missing or wrong "
    "passphrase; 6 not a removable card; 7 the broker did not do it: do it again; 8 request "
    "refused; 9 the box is offline, or did not answer; 10 the box was asked and did not do it. "
    "With --json a failure is one object, too: error (a word for its kind), reason and fix.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
ca = typer.Typer(help="The authorities.", no_args_is_help=True)
site = typer.Typer(help="Sites.", no_args_is_help=True)
operator = typer.Typer(help="People and services that are no boxes.", no_args_is_help=True)
for group, its in (("ca", ca), ("site", site), ("operator", operator)):
    app.add_typer(its, name=group, rich_help_panel=ONCE)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; errors that have a fix are told without a trace."""
    logs.configure("error")
    given = sys.argv[1:] if arguments is None else arguments
    as_json = "--json" in given
    try:
        # Else typer itself tells of what is wrong with the command line, for people.
        code = app(given, standalone_mode=not as_json)
    except failing.TOLD as error:
        code = failing.tell(error, as_json=as_json)
    sys.exit(code)


@command(ca, "init")
def ca_init(
    work: Work,
    *,
    passphrase_file: PassphraseFile = None,
) -> None:
    """Make the root, the authorities below it, and the service's own keys.

    The root's key and those that sign operators are encrypted with the passphrase. Afterwards move
    the root's key to a safe: nothing but `ca init` needs it.
    """
    here = work.fleet
    made = here.begin(passphrase(passphrase_file, new=True))
    folder, key = here.authorities.folder, here.authorities.root_key
    text = f"made authorities in {folder}; now move {key} into a safe"
    text = text if made else f"the authorities are there, in {folder}"
    work.answer.say(text, made=made, root=here.authorities.root, root_key=key)


@command(site, "add")
def site_add(
    work: Work,
    name: Annotated[str, typer.Argument(help="a-z, 0-9 and '-'")],
) -> None:
    """Add a site."""
    with work.fleet.registry.change() as change:
        made = add_site(change, name)
    work.answer.say(f"added site {name}" if made else f"site {name} is there", site=name, made=made)


@command(operator, "add")
def operator_add(
    work: Work,
    name: Annotated[str, typer.Argument(help="Name in their certificate")],
    role: Annotated[Role, typer.Option(help="What they may read and write")],
    out: Annotated[Path, typer.Option(help="Folder for NAME.key and NAME.pem")],
    of: Annotated[str | None, typer.Option("--site", help="Whose boxes; not for all roles")] = None,
    *,
    passphrase_file: PassphraseFile = None,
) -> None:
    """Add somebody who is no box: a subscriber, somebody of ops, an administrator."""
    if (of is None and role.must_have_site) or (of is not None and not role.may_have_site):
        raise UsageError(
            "ops and control are of one site, given by --site; discovery and home-assistant may "
            "be; the others are of none"
        )
    here = work.fleet
    secret = passphrase(passphrase_file)
    here.authorities.signer(role.issuer, secret)
    with here.registry.change() as change:
        added = operators.add(change, Operator(name, role, of))
        issued = work.dry or here.identify(change, Operator(name, role, of), secret, out)
    if not work.dry:
        here.tell_broker()
    work.answer.say(
        f"{'added' if added else 'kept'} {name}, {role}; {'wrote' if issued else 'kept'} "
        f"{out / name}.pem and .key",
        name=name,
        role=role,
        site=of,
        added=added,
        issued=issued,
    )


@command(app, panel=ONCE)
def broker(
    work: Work,
    host: Annotated[
        list[str] | None, typer.Option(help="One more name or address that it is reached by")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder; default: broker.files")] = None,
    *,
    passphrase_file: PassphraseFile = None,
) -> None:
    """Write the broker's key, certificate, authorities, revocation lists and rules."""
    here = work.fleet
    folder = out or here.settings.broker.files
    made = here.equip_broker(passphrase(passphrase_file), folder, host or [])
    text = f"wrote {folder}; its key is {'new' if made else 'kept'}"
    work.answer.say(text, folder=folder, made=made)


@app.command("serve", rich_help_panel=ONCE)
def serve_command(
    config: Config = DEFAULT_CONFIG,
    log_level: Annotated[str, typer.Option(help="debug, info, warning or error")] = "info",
) -> None:
    """Answer boxes that enrol or renew, until SIGTERM; put out whose certificate ends.

    Needs the boxes' issuing key and the door's, no passphrase, and not the root's key.
    """
    logs.configure(log_level)
    serve(fleet(config, who="enrolment"))


@app.command("answer", rich_help_panel=ONCE)
def answer_command(
    rules: Annotated[Path, typer.Option(help="Folder with boxes.acl, people.acl, admins.acl")],
    port: Annotated[int, typer.Option(min=1, max=65_535, help="On the loopback address")] = 8886,
    administrators_from: Annotated[
        list[str] | None,
        typer.Option(help="Addresses or networks; default: the loopback ones"),
    ] = None,
    log_level: Annotated[str, typer.Option(help="debug, info, warning or error")] = "info",
) -> None:
    """Answer a RabbitMQ on this machine who may do what, until SIGTERM.

    Needs the rules files only, which it reads anew when they change; no settings and no keys.
    """
    logs.configure(log_level)
    answering.serve(answering.Answers(rules, answering.networks(administrators_from)), port)


def crl(
    work: Work,
    *,
    passphrase_file: PassphraseFile = None,
) -> None:
    """Write all revocation lists anew; the broker lets nobody in once a list is too old."""
    here = work.fleet
    secret = passphrase(passphrase_file)
    keys = {issuer: None if issuer is Issuer.BOXES else secret for issuer in Issuer}
    for issuer, key in keys.items():
        here.authorities.signer(issuer, key)
    if not work.dry:
        for issuer, key in keys.items():
            here.publish(issuer, key)
    work.answer.say(
        "wrote every revocation list, and the broker works with them", lists=list(Issuer)
    )


cli_boxes.add_commands(app)
cli_asking.add_commands(app)
cli_models.add_commands(app)
cli_updates.add_commands(app)
command(app, panel=BESIDES)(crl)
cli_lists.add_commands(app)
