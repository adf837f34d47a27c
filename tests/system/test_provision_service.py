"""Enrolment by the real service: who is given a certificate, who is not, and who is put out."""

import ssl
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509

from cleandesk_fleet.provision import pki
from cleandesk_fleet.provision.authorities import Issuer
from tests.eventually import eventually
from tests.mosquitto import needs_mosquitto
from tests.system.broker_rig import Member
from tests.system.provision_rig import Site, request

pytestmark = [pytest.mark.system, needs_mosquitto]

V1 = "cleandesk/v1"


def alarms(site: Site) -> list[tuple[str, str]]:
    return [(row["did"], row["subject"]) for row in site.run("list", "alarms")["alarms"]]


def test_a_box_enrols_and_the_broker_takes_it(site: Site) -> None:
    box = site.enrol("s1/enrols")
    with box.connect() as client:
        assert client.say(f"{V1}/s1/enrols/status") in (0, 16)
    states = {row["box"]: row["state"] for row in site.run("list")["boxes"]}
    assert states["enrols"] == "enrolled"


def test_the_same_token_with_the_same_key_gets_the_same_certificate(site: Site) -> None:
    card, key = site.new_box("s1/again"), pki.new_key()
    answers = [site.ask("/v1/claim", card.claim(key)) for _ in range(2)]
    site.stop_service()
    site.start_service()
    answers.append(site.ask("/v1/claim", card.claim(key)))
    assert answers[0][0] == 200
    assert answers[0] == answers[1] == answers[2]


def test_another_key_is_refused_and_alarmed_and_the_first_goes_on(site: Site) -> None:
    card, key = site.new_box("s1/copied"), pki.new_key()
    status, said = site.ask("/v1/claim", card.claim(key))
    assert status == 200
    refused = site.ask("/v1/claim", card.claim(pki.new_key()))
    unknown = site.ask("/v1/claim", card.claim(key) | {"token": "x" * 32})
    assert refused == unknown
    assert refused[0] == 403
    assert ("token shown with another key", "s1/copied") in alarms(site)
    with site.keep("s1/copied", key, said).connect() as client:
        assert client.up
    assert site.ask("/v1/claim", card.claim(key)) == (status, said)


def test_of_many_boxes_with_one_card_one_enrols(site: Site) -> None:
    card, keys = site.new_box("s1/many"), [pki.new_key() for _ in range(6)]
    with ThreadPoolExecutor(len(keys)) as pool:
        answers = list(pool.map(lambda key: site.ask("/v1/claim", card.claim(key)), keys))
        assert sorted(status for status, _ in answers) == [200, *[403] * (len(keys) - 1)]
        winner = keys[[status for status, _ in answers].index(200)]
        again = pool.map(lambda _: site.ask("/v1/claim", card.claim(winner)), keys)
        assert {said["certificate"] for _, said in again} == {
            said["certificate"] for status, said in answers if status == 200
        }


def test_a_box_cannot_be_another_one(site: Site) -> None:
    card, key = site.new_box("s1/honest"), pki.new_key()
    status, said = site.ask("/v1/claim", card.claim(key, "s1/other"))
    assert (status, said["error"]) == (400, "request")
    assert site.ask("/v1/claim", card.claim(key))[0] == 200
    second = site.new_box("s1/second")
    status, said = site.ask("/v1/claim", second.claim(key))
    assert (status, said["error"]) == (400, "request")
    assert ("a key of another box", "s1/second") in alarms(site)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"\xff\xfe", 400),
        (b"[" * 10_000, 400),
        ({"token": "x" * 32}, 400),
        ({"token": "x" * 32, "request": "x", "more": 1}, 400),
        ({"token": 7, "request": None}, 400),
        (b" " * 20_000, 413),
        ({"token": "x" * 32, "request": "-----BEGIN CERTIFICATE REQUEST-----\nx"}, 400),
    ],
)
def test_what_is_no_claim_is_answered_and_harms_nothing(
    site: Site, body: object, status: int
) -> None:
    answered, said = site.ask("/v1/claim", body)
    assert answered == status
    assert set(said) == {"error", "reason", "fix"}


def test_the_service_is_known_by_the_certificate_on_the_card(site: Site) -> None:
    root = ssl.create_default_context(cafile=site.home / "ca" / "root.pem")
    with pytest.raises(ssl.SSLCertVerificationError):
        site.ask("/v1/claim", {}, root)


def test_renewal_is_by_the_present_certificate(site: Site) -> None:
    box, key = site.enrol("s1/renews"), pki.new_key()
    body = {"request": request(key, "s1/renews")}
    assert site.ask("/v1/renew", body)[0] == 401
    answers = [site.ask("/v1/renew", body, site.context(box.files)) for _ in range(2)]
    assert answers[0] == answers[1]
    status, said = answers[0]
    assert status == 200
    assert said["certificate"] != box.certificate
    renewed = site.keep("s1/renews", key, said)
    with renewed.connect() as client:
        assert client.up
    other = {"request": request(pki.new_key(), "s1/somebody")}
    assert site.ask("/v1/renew", other, site.context(box.files))[0] == 400


def test_a_box_that_shall_rotate_must_bring_a_new_key(site: Site) -> None:
    card, key = site.new_box("s1/rotates"), pki.new_key()
    box = site.keep("s1/rotates", key, site.ask("/v1/claim", card.claim(key))[1])
    assert "offline" in site.run("rotate", "s1/rotates", code=9)["error"]
    old = {"request": request(key, "s1/rotates")}
    status, said = site.ask("/v1/renew", old, site.context(box.files))
    assert (status, said["error"], "new key" in said["reason"]) == (400, "new_key", True)
    new = {"request": request(pki.new_key(), "s1/rotates")}
    assert site.ask("/v1/renew", new, site.context(box.files))[0] == 200


def test_a_revoked_box_is_out_and_stays_out_and_the_others_stay(site: Site) -> None:
    box, other = site.enrol("s1/revoked"), site.enrol("s1/stays")
    site.stop_service()  # it would do it, too
    with box.connect() as client, other.connect() as bystander:
        said = site.run("revoke", "s1/revoked", "--reason", "stolen")
        eventually(lambda: not client.up, "the end of the revoked connection")
        assert len(said["revoked"]) == 1
        assert said["put_out"] == ["s1/revoked"]
        tries = site.broker.log.read_text().count("certificate verify failed")
        eventually(
            lambda: site.broker.log.read_text().count("certificate verify failed") > tries,
            "one more try",
        )
        assert client.connects == 1
        assert site.run("revoke", "s1/revoked")["revoked"] == []
        assert bystander.say(f"{V1}/s1/stays/status") in (0, 16)
        assert bystander.disconnects == 0
    site.start_service()
    body = {"request": request(pki.new_key(), "s1/revoked")}
    status, said = site.ask("/v1/renew", body, site.context(box.files))
    assert (status, said["error"]) == (400, "request")


def test_a_new_card_ends_the_old_identity(site: Site) -> None:
    box = site.enrol("s1/reborn")
    with box.connect() as client:
        fresh = site.enrol("s1/reborn", "--again")
        eventually(lambda: not client.up, "the end of the old identity")
        with fresh.connect() as again:
            assert again.up


def test_an_expired_box_is_put_out_by_the_service(site: Site) -> None:
    box = site.short_lived("s1/expires", timedelta(seconds=6))
    ends = x509.load_pem_x509_certificate(box.certificate.encode()).not_valid_after_utc
    with box.connect() as client:
        eventually(lambda: not client.up, "the end of the expired connection")
        assert datetime.now(UTC) >= ends


def test_an_operator_is_added_and_revoked(site: Site) -> None:
    out = site.home / "people"
    new = ("operator", "add", "anna", "--role", "ops", "--site", "s1", "--out", out)
    assert site.run(*new)["issued"]
    again = site.run(*new)
    assert (again["added"], again["issued"]) == (False, False)
    files = site.enrol("s1/seen").files.model_copy(
        update={"cert": out / "anna.pem", "key": out / "anna.key"}
    )
    topic = f"{V1}/s1/seen/status"
    anna = Member(site.broker, Issuer.PEOPLE, files, "anna", filters=[topic])
    with anna, site.enrol("s1/seen-too").connect():
        site.run("revoke", "anna")
        eventually(lambda: not anna.up, "the end of the revoked connection")
    assert "anna" not in (site.home / "broker" / "people.acl").read_text()


def test_a_decommissioned_box_leaves_nothing_retained(site: Site) -> None:
    box = site.enrol("s1/leaves")
    with box.connect() as client:
        kept = [f"{V1}/s1/leaves/{name}" for name in ("status", "health", "privacy")]
        kept += [f"{V1}/s1/leaves/active/{number:032x}" for number in range(150)]
        for topic in kept:
            client.say(topic, b"kept", retain=True)
        said = site.run("decommission", "s1/leaves")
        eventually(lambda: not client.up, "the end of the connection")
    assert set(kept) <= set(said["cleared"])
    assert site.run("decommission", "s1/leaves")["cleared"] == []
    assert "decommissioned" in site.run("box", "new", "s1/leaves", "--again", code=4)["error"]


def test_a_service_ends_slow_requests_and_says_when_it_is_asked_too_often(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    limits = {"requests_per_minute": 1000, "refusals_per_hour": 3, "longest_s": 2}
    with Site(tmp_path_factory.mktemp("limited"), enrolment=limits) as limited:
        for begun in (
            b"",
            b"POST /v1/cla",
            b"POST /v1/claim HTTP/1.1\r\ncontent-length: 9\r\n\r\n{",
        ):
            limited.hang(begun)
        card, key = limited.new_box("s1/b1"), pki.new_key()
        wrong = card.claim(key) | {"token": "x" * 32}
        assert [limited.ask("/v1/claim", wrong)[0] for _ in range(4)] == [403, 403, 403, 429]
        assert limited.ask("/v1/claim", card.claim(key))[0] == 429
        limited.broker.stop()
        assert "do it again" in limited.run("crl", code=7)["error"]
