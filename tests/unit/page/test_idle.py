"""`/api/idle`: what the companion may tell, and who is the companion."""

import re

import pytest
from starlette.testclient import TestClient

from cleandesk.worker import protocol as p
from tests.unit.page.conftest import Page, send


def allowed(page: Page) -> tuple[TestClient, str]:
    """Return the worker's browser, and the token that it was shown."""
    worker = page.worker()
    shown = send(worker, "/settings/companion", page="/settings").text
    found = re.search(r'id="secret">([\w-]{40,})<', shown)
    assert found, shown
    return worker, found[1]


def tell(page: Page, token: str, body: object = None):  # type: ignore[no-untyped-def]  # noqa: ANN201
    return page.reader().post(
        "/api/idle",
        json={"input_age_s": 12.5} if body is None else body,
        headers={"Authorization": f"Bearer {token}"},
    )


def test_an_age_is_handed_to_the_box(page: Page) -> None:
    _, token = allowed(page)
    page.box.change(idle_on=True)
    assert tell(page, token).status_code == 204
    assert page.box.asked[-1] == p.TellIdle(input_age_s=12.5)


def test_where_the_site_does_not_ask_it_goes_nowhere(page: Page) -> None:
    _, token = allowed(page)
    refused = tell(page, token)
    assert (refused.status_code, refused.json()) == (409, {"error": "not_asked"})
    assert not [line for line in page.box.asked if isinstance(line, p.TellIdle)]


def test_the_token_is_shown_once_and_kept_nowhere(page: Page) -> None:
    worker, token = allowed(page)
    assert token not in worker.get("/settings").text
    assert page.box.asked[-1] == p.Note(kind="companion_allowed")
    assert page.store.companion != token


def test_a_revoked_token_is_worth_nothing(page: Page) -> None:
    worker, token = allowed(page)
    page.box.change(idle_on=True)
    done = send(worker, "/settings/companion/revoke", page="/settings")
    assert done.headers["location"] == "/settings?said=companion_revoked"
    assert page.box.asked[-1] == p.Note(kind="companion_revoked")
    assert tell(page, token).status_code == 401


def test_revoking_works_even_if_the_box_goes_meanwhile(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cleandesk.page.errors import BoxUnreachableError  # noqa: PLC0415

    worker, token = allowed(page)

    async def gone(_: object) -> None:
        raise BoxUnreachableError("gone")

    monkeypatch.setattr(type(page.parts.box), "tell", lambda _, request: gone(request))
    assert send(worker, "/settings/companion/revoke", page="/settings").status_code == 503
    assert not page.parts.entrance.is_companion(token)


def test_a_new_token_replaces_the_one_before(page: Page) -> None:
    _, first = allowed(page)
    _, second = allowed(page)
    page.box.change(idle_on=True)
    assert tell(page, first).status_code == 401
    assert tell(page, second).status_code == 204


def test_the_buttons_reset_ends_the_companion_too(page: Page) -> None:
    _, token = allowed(page)
    page.box.change(idle_on=True, pin_resets=1)
    assert tell(page, token).status_code == 401
    assert not [line for line in page.box.asked if isinstance(line, p.TellIdle)]


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Bearer x", "Basic eDp5", "bearer é"])
def test_without_the_token_nothing_is_taken(page: Page, header: str) -> None:
    allowed(page)
    refused = page.reader().post(
        "/api/idle", json={"input_age_s": 1}, headers={b"Authorization": header.encode("latin-1")}
    )
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"] == "Bearer"


def test_a_worker_who_is_signed_in_is_not_the_companion(page: Page) -> None:
    worker, _ = allowed(page)
    assert worker.post("/api/idle", json={"input_age_s": 1}).status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"input_age_s": -1},
        {"input_age_s": "5"},
        {"input_age_s": None},
        {"input_age_s": 5, "keys": "abc"},
        [],
        "x",
    ],
)
def test_anything_but_an_age_is_refused(page: Page, body: object) -> None:
    _, token = allowed(page)
    page.box.change(idle_on=True)
    assert tell(page, token, body).status_code == 422
    assert not [line for line in page.box.asked if isinstance(line, p.TellIdle)]


def test_a_box_that_is_away_is_told_as_such(page: Page) -> None:
    _, token = allowed(page)
    page.box.go_away()
    assert tell(page, token).status_code == 503
