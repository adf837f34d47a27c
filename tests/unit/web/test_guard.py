"""What stands before every page."""

import pytest

from cleandesk_fleet.web.guard import MAX_BODY
from cleandesk_fleet.web.roles import Role
from cleandesk_fleet.web.tables import audit
from tests.unit.web.conftest import URL, Site, token

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def test_every_answer_says_what_browsers_must_not_do(file_site: Site) -> None:
    reader = file_site.as_(Role.VIEWER)
    for path in ("/", "/nowhere", "/static/ops.css", "/violations.csv", "/violations?since=x"):
        headers = reader.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src" not in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert headers["strict-transport-security"]


@pytest.mark.parametrize("host", ["evil.example", "192.0.2.1", "ops.example.org:444", ""])
def test_it_answers_by_its_own_name_alone(file_site: Site, host: str) -> None:
    assert file_site.reader(host=host).get("/sign-in").status_code == 421


def test_its_name_may_be_written_in_any_case(file_site: Site) -> None:
    assert file_site.reader(host="OPS.Example.org").get("/sign-in").status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://ops.example.org"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Origin": URL},
    ],
)
def test_a_form_of_another_page_is_refused(file_site: Site, headers: dict[str, str]) -> None:
    reader = file_site.as_(Role.VIEWER)
    form = {"token": token(reader.get("/").text)}
    assert reader.post("/sign-out", data=form, headers=headers).status_code == 403
    assert reader.get("/").status_code == 200


@pytest.mark.parametrize("path", ["/violations.csv", "/stills/" + "0" * 32])
def test_no_other_page_has_something_written_down_in_a_readers_name(
    file_site: Site, path: str
) -> None:
    reader = file_site.as_(Role.REVIEWER)
    before = file_site.rows(audit)
    for site in ("cross-site", "same-site"):
        answer = reader.get(path, headers={"Sec-Fetch-Site": site})
        assert answer.status_code == 403
    assert file_site.rows(audit) == before
    for site in ("same-origin", "none"):
        assert reader.get(path, headers={"Sec-Fetch-Site": site}).status_code in {200, 404}


def test_a_form_of_its_own_is_taken(file_site: Site) -> None:
    reader = file_site.as_(Role.VIEWER)
    form = {"token": token(reader.get("/").text)}
    own = {"Origin": URL, "Sec-Fetch-Site": "same-origin"}
    assert reader.post("/sign-out", data=form, headers=own).status_code == 303


def test_long_bodies_and_addresses_are_refused(file_site: Site) -> None:
    reader = file_site.reader()
    long = b"a" * (MAX_BODY + 1)
    assert reader.post("/sign-in", content=long, headers=FORM).status_code == 413
    said = reader.post("/sign-in", content=iter([long]), headers=FORM)
    assert said.status_code == 413
    assert reader.get("/sign-in?to=" + "a" * 5000).status_code == 414


def test_what_is_not_there_says_so_on_a_page(file_site: Site) -> None:
    answer = file_site.as_(Role.VIEWER).get("/nowhere")
    assert answer.status_code == 404
    assert "<h1>There is nothing here</h1>" in answer.text
    assert file_site.as_(Role.VIEWER).post("/rates").status_code == 405
