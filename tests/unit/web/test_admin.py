"""Administrators: accounts and the trail."""

import pytest

from cleandesk_fleet.web.roles import Role
from cleandesk_fleet.web.tables import audit
from tests.unit.web.conftest import Site, send


def change(file_site: Site, account: str, do: str, **more: str) -> int:
    fields = {"account": account, "do": do} | more
    return send(file_site.as_(Role.ADMIN), "/accounts", **fields).status_code


def test_another_role_counts_from_the_next_request_and_is_in_the_trail(file_site: Site) -> None:
    reader = file_site.as_(Role.VIEWER)
    assert reader.get("/appeals").status_code == 403
    assert change(file_site, "viewer", "role", role="reviewer") == 303
    assert reader.get("/appeals").status_code == 200
    line = file_site.rows(audit)[-1]
    assert (line["account"], line["action"], line["subject"], line["detail"]) == (
        "admin",
        "role_changed",
        "viewer",
        "reviewer",
    )


def test_an_account_that_is_disabled_is_out_at_once_and_can_be_let_in_again(
    file_site: Site,
) -> None:
    reader = file_site.as_(Role.VIEWER)
    assert change(file_site, "viewer", "disabled") == 303
    assert reader.get("/").status_code == 303
    assert change(file_site, "viewer", "enabled") == 303
    assert file_site.as_(Role.VIEWER).get("/").status_code == 200


@pytest.mark.parametrize(
    ("account", "do", "role"),
    [
        ("admin", "disabled", ""),
        ("admin", "role", "viewer"),
        ("nobody", "disabled", ""),
        ("viewer", "role", "owner"),
        ("viewer", "remove", ""),
    ],
)
def test_what_cannot_be_is_said_and_not_done(
    file_site: Site, account: str, do: str, role: str
) -> None:
    file_site.account("viewer", Role.VIEWER)
    assert change(file_site, account, do, role=role) == 422
    assert file_site.as_(Role.ADMIN).get("/accounts").status_code == 200


def test_the_trail_can_be_searched(file_site: Site) -> None:
    file_site.as_(Role.VIEWER)
    reader = file_site.as_(Role.ADMIN)
    reader.get("/violations.csv?class=phone")
    every = reader.get("/audit").text
    lines = every.split("<tbody")[1]
    assert lines.index("exported") < lines.index("signed in")
    assert "192.0.2.7" in every
    cells = 'data-label="Did"'
    assert reader.get("/audit?account=viewer").text.count(cells) == 1
    assert reader.get("/audit?action=exported").text.count(cells) == 1
    assert "Nothing fits these filters." in reader.get("/audit?account=bob").text
    assert reader.get("/audit?action=odd").status_code == 422
