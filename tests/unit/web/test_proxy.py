"""A proxy that signs people in: believed when it is the proxy, and nobody else."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from cleandesk_fleet.subscriber.tables import appeals
from cleandesk_fleet.web.errors import WebError
from cleandesk_fleet.web.proxy import Proxy
from cleandesk_fleet.web.settings import ProxySettings
from cleandesk_fleet.web.tables import audit
from tests.unit.subscriber.make import HandClock
from tests.unit.web.conftest import URL, Site, site_on, token
from tests.unit.web.make import appeal, opened, path_of, picture, picture_path

SECRET = "s" * 64
ROLES = {"viewer": ["ops"], "reviewer": ["desk-review"], "admin": ["desk-admin"]}
ANN = {"X-Forwarded-Email": "ann@example.org", "X-Forwarded-Groups": "staff,ops"}
BOB = {"X-Forwarded-Email": "bob@example.org", "X-Forwarded-Groups": "desk-review"}


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "proxy-secret"
    path.touch(mode=0o600)
    path.write_text(SECRET + "\n", encoding="ascii")
    return path


@pytest.fixture
def proxied(file_place: Path, tmp_path: Path, secret: Path, clock: HandClock) -> Iterator[Site]:
    proxy = {"addresses": ["10.0.0.7"], "secret": str(secret), "roles": ROLES}
    with site_on(file_place, tmp_path, clock, proxy=proxy) as made:
        yield made


def by_proxy(site: Site, person: dict[str, str], *, address: str = "10.0.0.7") -> TestClient:
    return site.reader(address=address, **{"X-Cleandesk-Proxy": SECRET} | person)


def test_who_the_proxy_names_has_the_role_of_their_groups(proxied: Site) -> None:
    reader = by_proxy(proxied, ANN)
    page = reader.get("/")
    assert page.status_code == 200
    assert "ann@example.org" in page.text
    assert reader.get("/appeals").status_code == 403
    both = ANN | {"X-Forwarded-Groups": "ops, desk-admin"}
    assert by_proxy(proxied, both).get("/audit").status_code == 200


def test_who_has_no_group_of_ours_is_told_so(proxied: Site) -> None:
    page = by_proxy(proxied, ANN | {"X-Forwarded-Groups": "staff"}).get("/")
    assert page.status_code == 403
    assert "none of your groups has a role here" in page.text


@pytest.mark.parametrize(
    ("address", "said"),
    [("10.0.0.8", SECRET), ("10.0.0.7", "x" * 64), ("10.0.0.7", ""), ("10.0.0.7", SECRET + "s")],
)
def test_nobody_else_is_believed(proxied: Site, address: str, said: str) -> None:
    reader = proxied.reader(address=address, **ANN | {"X-Cleandesk-Proxy": said})
    page = reader.get("/")
    assert page.status_code == 401
    assert "ann@example.org" not in page.text


def test_an_address_alone_is_not_enough_nor_is_a_secret_twice(proxied: Site) -> None:
    assert proxied.reader(address="10.0.0.7", **ANN).get("/").status_code == 401
    twice = [("X-Cleandesk-Proxy", SECRET), ("X-Cleandesk-Proxy", SECRET), *ANN.items()]
    assert proxied.reader(address="10.0.0.7").get("/", headers=twice).status_code == 401


@pytest.mark.parametrize("names", [[], ["a", "b"], [""], ["a" * 201], ["a\tb"]])
def test_one_name_and_a_plain_one_is_a_person(proxied: Site, names: list[str]) -> None:
    headers = [("X-Forwarded-Email", name) for name in names]
    groups = {"X-Forwarded-Groups": "ops"}
    assert by_proxy(proxied, groups).get("/", headers=headers).status_code == 401


def test_there_is_no_other_way_in(proxied: Site) -> None:
    reader = by_proxy(proxied, ANN)
    for path in ("/sign-in", "/password"):
        assert reader.get(path).status_code == 404
    form = {"token": str(reader.cookies["__Host-cleandesk-ops-form"])}
    assert reader.post("/sign-in", data=form).status_code == 404


def test_a_decision_and_a_look_bear_the_persons_name_and_address(proxied: Site) -> None:
    proxied.log.commit([opened(1), appeal(1), picture(1)], proxied.clock())
    reader = by_proxy(proxied, BOB | {"X-Forwarded-For": "evil, 198.51.100.4"})
    assert reader.get(picture_path(1)).status_code == 200
    form = {"token": token(reader.get(path_of(1)).text), "appeal": _appeal_id(proxied)}
    done = reader.post(path_of(1), data=form | {"outcome": "upheld", "note": "a cup"})
    assert done.status_code == 303
    assert {(row["account"], row["via"], row["address"]) for row in proxied.rows(audit)} == {
        ("bob@example.org", "proxy", "198.51.100.4")
    }


def _appeal_id(site: Site) -> str:
    return str(site.rows(appeals)[0]["appeal_id"])


def test_a_form_needs_its_token_here_too(proxied: Site) -> None:
    proxied.log.commit([opened(1), appeal(1)], proxied.clock())
    reader = by_proxy(proxied, BOB)
    form = {"token": "x" * 43, "appeal": _appeal_id(proxied), "outcome": "upheld", "note": "x"}
    assert reader.post(path_of(1), data=form, headers={"Origin": URL}).status_code == 403


@pytest.mark.parametrize(
    ("mode", "text", "words"),
    [(0o640, SECRET, "others may read"), (0o600, "short", "too short"), (0o600, None, "No such")],
)
def test_a_secret_that_is_none_stops_the_start(
    tmp_path: Path, mode: int, text: str | None, words: str
) -> None:
    path = tmp_path / "secret"
    if text is not None:
        path.write_text(text, encoding="ascii")
        path.chmod(mode)
    settings = ProxySettings.model_validate(
        {"addresses": ["10.0.0.7"], "secret": path, "roles": ROLES}
    )
    with pytest.raises(WebError, match=words):
        Proxy(settings)
