"""Each address, and who may have it."""

import pytest

from cleandesk_fleet.web.roles import Role
from cleandesk_fleet.web.tables import decisions
from tests.unit.subscriber.make import BOX, status
from tests.unit.web.conftest import Site, token
from tests.unit.web.make import appeal, opened, path_of, picture, picture_path

BOX_PAGE = f"/boxes/{BOX.site}/{BOX.box}"
STILL = picture_path(1)
PAGES = {
    Role.VIEWER: [
        "/",
        BOX_PAGE,
        "/violations",
        "/violations.csv",
        path_of(1),
        "/rates",
        "/password",
    ],
    Role.REVIEWER: ["/appeals", STILL],
    Role.ADMIN: ["/accounts", "/audit"],
}


@pytest.fixture
def filled(file_site: Site) -> Site:
    file_site.log.commit([status(), opened(1), picture(1), appeal(1)], file_site.clock())
    return file_site


@pytest.mark.parametrize("role", Role)
def test_a_role_has_its_pages_and_no_others(filled: Site, role: Role) -> None:
    reader = filled.as_(role)
    for needed, paths in PAGES.items():
        for path in paths:
            assert reader.get(path).status_code == (200 if role.may(needed) else 403), path


@pytest.mark.parametrize("role", Role)
def test_the_menu_shows_what_a_role_may_see(filled: Site, role: Role) -> None:
    menu = filled.as_(role).get("/").text
    for path, needed in (("/appeals", Role.REVIEWER), ("/audit", Role.ADMIN)):
        assert (f'href="{path}"' in menu) == role.may(needed)


def test_a_viewer_decides_about_nothing_and_sees_no_way_to(filled: Site) -> None:
    reader = filled.as_(Role.VIEWER)
    shown = reader.get(path_of(1)).text
    assert "Keep the decision" not in shown
    assert STILL not in shown
    form = {"token": token(shown), "outcome": "upheld", "note": "x"}
    assert reader.post(path_of(1), data=form).status_code == 403
    assert filled.rows(decisions) == []


def test_a_reviewer_changes_no_account(filled: Site) -> None:
    filled.account("ann", Role.VIEWER)
    reader = filled.as_(Role.REVIEWER)
    form = {"token": token(reader.get("/").text), "account": "ann", "do": "role", "role": "admin"}
    assert reader.post("/accounts", data=form).status_code == 403


def test_the_order_of_roles_holds_for_every_pair() -> None:
    assert [[has.may(needed) for needed in Role] for has in Role] == [
        [True, False, False],
        [True, True, False],
        [True, True, True],
    ]


def test_every_route_says_who_may_use_it(filled: Site) -> None:
    """A route that was forgotten would let strangers in: each but the entrance sends them away."""
    stranger = filled.reader()
    for paths in PAGES.values():
        for path in paths:
            assert stranger.get(path).status_code == 303, path
    for path in ("/accounts", "/password", path_of(1)):
        assert stranger.post(path, data={}).status_code == 303, path
