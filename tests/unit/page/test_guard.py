"""What stands before every page: host, peer, origin, form token, size, rate and headers."""

import pytest
from starlette.testclient import TestClient

from cleandesk.http.bounds import MAX_BODY
from cleandesk.page.app import make
from cleandesk.page.guard import BURST
from tests.unit.page.conftest import ADDRESS, LABEL, OWN, Page, send, token


@pytest.mark.parametrize(
    "host",
    ["cleandesk-desk-1.local", "CLEANDESK-desk-1.local:8443", "192.168.1.7", "[fe80::1]:443"],
)
def test_it_answers_to_its_name_and_to_addresses(page: Page, host: str) -> None:
    assert page.reader().get("/sign-in", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "cleandesk-desk-1.local.evil.example", "desk-1.local", "", "[::1"]
)
def test_a_name_that_was_bound_to_its_address_gets_nothing(page: Page, host: str) -> None:
    refused = page.reader().get("/sign-in", headers={"host": host})
    assert refused.status_code == 421
    assert "PIN" not in refused.text


@pytest.mark.parametrize("peer", ["8.8.8.8", "2a00:1450:4001::1", "::ffff:8.8.8.8", "nobody"])
def test_who_is_not_at_home_gets_nothing(page: Page, peer: str) -> None:
    stranger = TestClient(make(page.parts), base_url=ADDRESS, client=(peer, 1))
    assert stranger.get("/sign-in").status_code == 403


@pytest.mark.parametrize("peer", ["127.0.0.1", "10.0.0.9", "fe80::2", "::ffff:192.168.1.4"])
def test_who_is_at_home_is_answered(page: Page, peer: str) -> None:
    reader = TestClient(make(page.parts), base_url=ADDRESS, client=(peer, 1))
    assert reader.get("/sign-in").status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://cleandesk-desk-1.local"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_a_form_on_another_page_changes_nothing(page: Page, headers: dict[str, str]) -> None:
    worker = page.worker()
    data = {"token": token(worker.get("/").text), "reason": "rest"}
    asked = len(page.box.asked)
    assert worker.post("/break", data=data, headers=headers).status_code == 403
    assert len(page.box.asked) == asked


@pytest.mark.parametrize("wrong", ["", "x", "ñ"])
def test_a_form_without_its_token_changes_nothing(page: Page, wrong: str) -> None:
    worker = page.worker()
    asked = len(page.box.asked)
    refused = worker.post("/break", data={"token": wrong, "reason": "rest"})
    assert refused.status_code == 403
    assert "Nothing was done" in refused.text
    assert len(page.box.asked) == asked


def test_the_token_of_another_reader_does_not_do(page: Page) -> None:
    first, second = page.worker(), page.worker()
    data = {"token": token(first.get("/").text), "reason": "rest"}
    assert second.post("/break", data=data).status_code == 403
    assert first.post("/break", data=data).status_code == 303


def test_signing_in_needs_a_token_too(page: Page) -> None:
    assert page.reader().post("/sign-in", data={"pin": LABEL}).status_code == 403
    assert page.store.failures == 0


def test_what_is_no_form_is_refused(page: Page) -> None:
    worker = page.worker()
    assert worker.post("/break", json={"reason": "rest"}).status_code == 403
    many = "&".join(f"a{i}=1" for i in range(50))
    kind = {"content-type": "application/x-www-form-urlencoded"}
    assert worker.post("/break", content=many, headers=kind).status_code == 403
    assert worker.post("/break", content=b"token=%ff%fe", headers=kind).status_code == 403


def test_a_long_body_is_refused_whether_its_length_is_said_or_not(page: Page) -> None:
    reader = page.reader()
    kind = {"content-type": "application/x-www-form-urlencoded"}
    said = reader.post("/sign-in", content=b"a" * (MAX_BODY + 1), headers=kind)
    unsaid = reader.post("/sign-in", content=iter([b"a" * 5000, b"b" * 5000]), headers=kind)
    assert (said.status_code, unsaid.status_code) == (413, 413)


def test_too_many_requests_wait_and_others_do_not(page: Page) -> None:
    app = make(page.parts)
    busy = TestClient(app, base_url=ADDRESS, client=("192.168.1.66", 1))
    other = TestClient(app, base_url=ADDRESS, client=("192.168.1.67", 1))
    codes = [busy.get("/certificate").status_code for _ in range(int(BURST) + 1)]
    assert codes == [200] * int(BURST) + [429]
    assert busy.get("/certificate").headers["retry-after"] == "1"
    assert other.get("/certificate").status_code == 200
    page.clock.pass_(1)
    assert busy.get("/certificate").status_code == 200


@pytest.mark.parametrize("path", ["/sign-in", "/", "/nowhere", "/static/page.js", "/api/idle"])
def test_every_answer_carries_the_headers(page: Page, path: str) -> None:
    headers = page.reader().get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    # It would take the way past the browser's warning away.
    assert "strict-transport-security" not in headers
    assert "server" not in headers


def test_no_page_has_script_or_style_of_its_own(page: Page) -> None:
    worker = page.worker()
    for path in ("/", "/violations", "/sent", "/privacy", "/settings", "/aim", "/certificate"):
        html = worker.get(path).text
        assert html.count("<script") == 1, path
        assert "<script src=" in html
        assert "style=" not in html
        assert " on" + "click" not in html


def test_what_is_not_there_is_told_in_the_readers_language(page: Page) -> None:
    spanish = page.reader(**{"accept-language": "es-MX,es;q=0.9,en;q=0.1"})
    answer = spanish.get("/nowhere")
    assert answer.status_code == 404
    assert "Esa página no existe." in answer.text
    assert '<html lang="es">' in answer.text
    assert spanish.post("/", data={}).status_code == 405


def test_a_fault_of_the_page_tells_no_details(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    worker = page.worker()

    async def broken() -> None:
        raise RuntimeError("the secret inside")

    monkeypatch.setattr(page.parts.box, "state", broken)
    answer = worker.get("/")
    assert answer.status_code == 500
    assert "The page has a fault" in answer.text
    assert "secret inside" not in answer.text


def test_pages_escape_what_the_box_says(page: Page) -> None:
    worker = page.worker()
    page.box.change(
        privacy=page.box.state.privacy.model_copy(update={"reason": "<script>alert(1)</script>"})
    )
    assert "<script>alert" not in worker.get("/").text
    assert send(worker, "/sign-out", pin=OWN).status_code == 303
