"""Signing in: who comes in, what a session is worth, and that guessing keeps nobody else out."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from cleandesk_fleet.web import accounts, entrance, passwords, sessions
from cleandesk_fleet.web.roles import Role
from cleandesk_fleet.web.tables import audit
from tests.eventually import eventually
from tests.unit.web.conftest import PASSWORD, Site, send

WRONG = "wrong horse battery"


def test_without_a_session_there_is_only_the_entrance(file_site: Site) -> None:
    reader = file_site.reader()
    for path in (
        "/",
        "/violations",
        "/violations.csv",
        "/rates",
        "/appeals",
        "/audit",
        "/accounts",
    ):
        answer = reader.get(path)
        assert answer.status_code == 303, path
        assert answer.headers["location"].startswith("/sign-in?to="), path


def test_a_reader_comes_in_and_goes_on_where_they_wanted_to(file_site: Site) -> None:
    file_site.account("ann", Role.VIEWER)
    reader = file_site.reader()
    entrance = reader.get("/violations?class=phone").headers["location"]
    done = send(
        reader,
        "/sign-in",
        page=entrance,
        name=" Ann ",
        password=PASSWORD,
        to="/violations?class=phone",
    )
    assert done.headers["location"] == "/violations?class=phone"
    assert reader.get("/violations?class=phone").status_code == 200


@pytest.mark.parametrize(
    "to", ["https://evil.example", "//evil.example", "/\\evil.example", "evil", "/a\r\nX: y"]
)
def test_nobody_is_sent_to_another_site(file_site: Site, to: str) -> None:
    file_site.account("ann", Role.VIEWER)
    done = send(file_site.reader(), "/sign-in", name="ann", password=PASSWORD, to=to)
    assert done.headers["location"] == "/"


def test_cookies_are_for_this_host_over_https_and_for_no_script(file_site: Site) -> None:
    file_site.account("ann", Role.VIEWER)
    done = send(file_site.reader(), "/sign-in", name="ann", password=PASSWORD)
    cookies = done.headers.get_list("set-cookie")
    assert len(cookies) == 2
    for cookie in cookies:
        assert cookie.startswith("__Host-")
        for flag in ("HttpOnly", "Secure", "SameSite=strict", "Path=/"):
            assert flag in cookie, cookie


def test_wrong_names_and_wrong_passwords_get_the_same_answer(file_site: Site) -> None:
    file_site.account("ann", Role.VIEWER)
    answers = {
        send(file_site.reader(), "/sign-in", name=name, password=WRONG).text.replace(name, "")
        for name in ("ann", "bob")
    }
    bodies = {text.split('role="alert"')[1].split("</p>")[0] for text in answers}
    assert len(bodies) == 1
    assert "do not fit" in bodies.pop()


def test_a_disabled_account_does_not_come_in_and_its_sessions_end(file_site: Site) -> None:
    file_site.account("boss", Role.ADMIN)
    reader = file_site.as_(Role.VIEWER)
    with file_site.parts.store.writing() as connection:
        accounts.set_disabled(connection, "viewer", disabled=True)
    assert reader.get("/").status_code == 303
    done = send(file_site.reader(), "/sign-in", name="viewer", password=PASSWORD)
    assert done.status_code == 403


def test_a_session_ends_when_it_is_not_used_and_in_any_case(file_site: Site) -> None:
    idle = file_site.as_(Role.VIEWER)
    file_site.clock.sleep(sessions.IDLE.total_seconds() + 1)
    assert idle.get("/").status_code == 303
    busy = file_site.as_(Role.VIEWER)
    for _ in range(7):
        file_site.clock.sleep(timedelta(minutes=100).total_seconds())
        assert busy.get("/").status_code == 200
    file_site.clock.sleep(timedelta(minutes=100).total_seconds())
    assert busy.get("/").status_code == 303


def test_signing_out_ends_the_session_and_not_only_the_cookie(file_site: Site) -> None:
    reader = file_site.as_(Role.VIEWER)
    kept = dict(reader.cookies)
    assert send(reader, "/sign-out", page="/").status_code == 303
    thief = file_site.reader()
    thief.cookies.update(kept)
    assert thief.get("/").status_code == 303


def test_a_form_without_its_token_is_refused(file_site: Site) -> None:
    file_site.account("ann", Role.VIEWER)
    reader = file_site.reader()
    for fields in ({}, {"token": "x" * 43}, {"token": ""}):
        answer = reader.post("/sign-in", data=fields | {"name": "ann", "password": PASSWORD})
        assert answer.status_code == 403
    other = file_site.reader().get("/sign-in").text.split('name="token" value="')[1][:43]
    reader.get("/sign-in")
    answer = reader.post("/sign-in", data={"token": other, "name": "ann", "password": PASSWORD})
    assert answer.status_code == 403


def test_who_guesses_waits_and_nobody_else(file_site: Site) -> None:
    file_site.account("ann", Role.VIEWER)
    guesser = file_site.reader(address="203.0.113.9")
    said = [send(guesser, "/sign-in", name="ann", password=WRONG).status_code for _ in range(7)]
    assert said == [403] * 5 + [429] * 2
    refused = send(guesser, "/sign-in", name="ann", password=PASSWORD)
    assert refused.status_code == 429
    assert "Try again in" in refused.text
    owner = file_site.reader(address="192.0.2.7")
    assert send(owner, "/sign-in", name="ann", password=PASSWORD).status_code == 303


def test_on_a_known_device_nobody_waits_for_a_guesser_in_the_same_network(file_site: Site) -> None:
    file_site.account("ann", Role.VIEWER)
    owner = file_site.reader(address="203.0.113.9")
    send(owner, "/sign-in", name="ann", password=PASSWORD)
    send(owner, "/sign-out", page="/")
    guesser = file_site.reader(address="203.0.113.9")
    for _ in range(30):
        last = send(guesser, "/sign-in", name="ann", password=WRONG)
    assert last.status_code == 429
    assert send(owner, "/sign-in", name="ann", password=PASSWORD).status_code == 303


def test_a_network_may_not_try_many_names(file_site: Site) -> None:
    guesser = file_site.reader(address="2001:db8::1")
    said = [
        send(guesser, "/sign-in", name=f"n{number}", password=WRONG).status_code
        for number in range(25)
    ]
    assert said[:20] == [403] * 20
    assert said[-1] == 429


def test_wrong_passwords_of_an_account_are_in_the_trail_and_made_up_names_are_not(
    file_site: Site,
) -> None:
    file_site.account("ann", Role.VIEWER)
    for name in ("ann", "nobody"):
        send(file_site.reader(), "/sign-in", name=name, password=WRONG)
    send(file_site.reader(), "/sign-in", name="ann", password=PASSWORD)
    assert [(row["account"], row["action"], row["address"]) for row in file_site.rows(audit)] == [
        ("ann", "sign_in_failed", "192.0.2.7"),
        ("ann", "signed_in", "192.0.2.7"),
    ]


def test_wrong_passwords_are_in_the_trail_also_for_a_disabled_account_and_within_a_session(
    file_site: Site,
) -> None:
    file_site.account("boss", Role.ADMIN)
    reader = file_site.as_(Role.VIEWER)
    send(reader, "/password", old=WRONG, new="another fine one", again="another fine one")
    with file_site.parts.store.writing() as connection:
        accounts.set_disabled(connection, "viewer", disabled=True)
    send(file_site.reader(), "/sign-in", name="viewer", password=PASSWORD)
    failed = [row for row in file_site.rows(audit) if row["action"] == "sign_in_failed"]
    assert [row["account"] for row in failed] == ["viewer", "viewer"]


def test_many_strangers_at_once_do_not_take_the_threads_that_readers_need(
    file_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader, looked, go_on = file_site.as_(Role.VIEWER), threading.Event(), threading.Event()

    def slow(_password: str, _known: str | None) -> bool:
        looked.set()
        return not go_on.wait(60)

    monkeypatch.setattr(passwords, "fits", slow)
    # Nobody who waits may give up before the last one has come, however slow this machine is.
    monkeypatch.setattr(entrance, "_TURN_S", 60)
    strangers = [file_site.reader(address=f"198.51.100.{number}") for number in range(20)]
    turned_away = len(strangers) - 6
    with ThreadPoolExecutor(len(strangers)) as pool:
        one = pool.submit(send, strangers[0], "/sign-in", name="a", password=WRONG)
        looked.wait()
        rest = [
            pool.submit(send, stranger, "/sign-in", name="a", password=WRONG)
            for stranger in strangers[1:]
        ]
        eventually(lambda: sum(each.done() for each in rest) == turned_away, "that all have come")
        assert reader.get("/").status_code == 200
        go_on.set()
    said = [each.result().status_code for each in [one, *rest]]
    assert said.count(429) == turned_away


def test_the_database_hears_nothing_of_who_has_no_session(
    file_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    stranger = file_site.reader()
    monkeypatch.setattr(file_site.parts.store, "reading", None)
    monkeypatch.setattr(file_site.parts.store, "writing", None)
    assert stranger.get("/sign-in").status_code == 200
    assert stranger.get("/").status_code == 303


def test_one_changes_ones_own_password_and_other_sessions_end(file_site: Site) -> None:
    reader, other = file_site.as_(Role.VIEWER), file_site.as_(Role.VIEWER)
    new = "another fine password"
    for old, first, again, status in (
        (WRONG, new, new, 403),
        (PASSWORD, new, new + "!", 422),
        (PASSWORD, "short", "short", 422),
        (PASSWORD, "viewer viewer viewer", "viewer viewer viewer", 422),
        (PASSWORD, PASSWORD, PASSWORD, 422),
        (PASSWORD, new, new, 303),
    ):
        done = send(reader, "/password", old=old, new=first, again=again)
        assert done.status_code == status, (old, first)
    assert reader.get("/").status_code == 200
    assert other.get("/").status_code == 303
    assert send(file_site.reader(), "/sign-in", name="viewer", password=PASSWORD).status_code == 403
    assert send(file_site.reader(), "/sign-in", name="viewer", password=new).status_code == 303


def test_only_digests_of_tokens_and_hashes_of_passwords_are_kept(file_site: Site) -> None:
    reader = file_site.as_(Role.VIEWER)
    tokens = [value for name, value in reader.cookies.items() if "form" not in name]
    file_site.parts.store.close()
    kept = b"".join(path.read_bytes() for path in file_site.folder.glob("log.db*"))
    assert tokens
    for secret in [*tokens, PASSWORD]:
        assert secret.encode() not in kept
