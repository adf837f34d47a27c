"""`cleandesk-provision list`: what there is, and who did what."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any

import typer
from sqlalchemy import Select, select

from cleandesk_fleet.provision.boundary import BESIDES, Work, command
from cleandesk_fleet.provision.tables import audit, boxes, certificates, operators, sites


class What(StrEnum):
    """What can be listed."""

    BOXES = "boxes"
    SITES = "sites"
    CERTIFICATES = "certificates"
    OPERATORS = "operators"
    AUDIT = "audit"
    ALARMS = "alarms"


_CERTIFICATE = certificates.c
_AUDIT = audit.c
_QUERIES: Mapping[What, Select[Any]] = {
    What.BOXES: select(boxes.c.site, boxes.c.box, boxes.c.state, boxes.c.added_at).order_by(
        boxes.c.site, boxes.c.box
    ),
    What.SITES: select(sites).order_by(sites.c.site),
    What.CERTIFICATES: select(
        _CERTIFICATE.name,
        _CERTIFICATE.issuer,
        _CERTIFICATE.serial,
        _CERTIFICATE.ends_at,
        _CERTIFICATE.revoked_at,
        _CERTIFICATE.reason,
        _CERTIFICATE.put_out_at,
    ).order_by(_CERTIFICATE.name, _CERTIFICATE.made_at),
    What.OPERATORS: select(operators).order_by(operators.c.name),
    What.AUDIT: select(_AUDIT.at, _AUDIT.who, _AUDIT.did, _AUDIT.subject, _AUDIT.detail).order_by(
        _AUDIT.id
    ),
    What.ALARMS: select(_AUDIT.at, _AUDIT.did, _AUDIT.subject, _AUDIT.detail)
    .where(_AUDIT.alarm)
    .order_by(_AUDIT.id),
}


def add_commands(app: typer.Typer) -> None:
    """Add the commands of this module."""
    command(app, "list", panel=BESIDES, changes=False)(list_command)


def list_command(
    work: Work,
    what: Annotated[What, typer.Argument(help="What to list")] = What.BOXES,
) -> None:
    """List boxes, sites, certificates, operators, the audit trail or its alarms."""
    with work.fleet.registry.change() as change:
        rows = [dict(row) for row in change.connection.execute(_QUERIES[what]).mappings()]
    work.answer.rows(what.value, rows)
