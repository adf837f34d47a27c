"""Appeals, and deciding about them."""

from starlette.responses import Response

from cleandesk_fleet.subscriber.tables import boxes
from cleandesk_fleet.web.audit import Action, Subject
from cleandesk_fleet.web.errors import NotFoundError, WrongInputError
from cleandesk_fleet.web.queries import appeals
from cleandesk_fleet.web.queries.appeals import Decision, Standing
from cleandesk_fleet.web.queries.violations import choices
from cleandesk_fleet.web.views import violations
from cleandesk_fleet.web.visit import Visit


def show(visit: Visit) -> Response:
    """Show a page of them: at first those that wait."""
    given = visit.request.query_params
    said = given.get("standing", Standing.WAITING.value)
    if said not in {*Standing, ""}:
        raise WrongInputError(f"Choose one of {', '.join(Standing)}.")
    standing = Standing(said) if said else None
    site = (given.get("site") or "").replace("\0", "") or None
    after = given.get("after")
    with visit.parts.store.reading() as connection:
        return visit.page(
            "appeals.html",
            found=appeals.page(connection, standing, site, after),
            standing=standing,
            standings=list(Standing),
            site=site,
            sites=choices(connection, boxes.c.site),
            first=after is None,
        )


def decide(visit: Visit) -> Response:
    """Keep a decision about an appeal to the violation that the address names."""
    path = visit.request.path_params
    appeal_id = visit.form.get("appeal", "")
    try:
        decision = Decision.read(visit.form.get("outcome", ""), visit.form.get("note", ""))
    except WrongInputError as error:
        return violations.one(visit, problem=str(error), status=422)
    now, actor = visit.parts.clock().utc, visit.actor
    with visit.parts.store.writing() as connection:
        about = appeals.one(connection, appeal_id)
        if any(about[name] != path[name] for name in ("site", "box", "violation_id")):
            raise NotFoundError("another violation's appeal")
        box = appeals.decide(connection, appeal_id, decision, actor.account, now)
        subject = Subject(appeal_id, box.site, box.box)
        visit.parts.trail.enter(
            connection,
            now,
            actor,
            Action.DECIDED,
            subject=subject,
            detail=decision.outcome.value,
        )
    return visit.go(visit.request.url.path, said="decided")
