"""Decisions about appeals: who, when, why; they can be added to, and never changed."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Table, text
from sqlalchemy.exc import DatabaseError

from cleandesk_fleet.subscriber.tables import appeals
from cleandesk_fleet.web.audit import Action, Actor, delete_due
from cleandesk_fleet.web.queries.appeals import LONGEST_NOTE
from cleandesk_fleet.web.roles import Role
from cleandesk_fleet.web.tables import audit, decisions
from tests.unit.subscriber.make import hex_id
from tests.unit.web.conftest import Site, send
from tests.unit.web.make import appeal, opened, path_of


@pytest.fixture
def filled(site: Site) -> Site:
    site.log.commit([opened(1), opened(2), appeal(1, note="my <cup>"), appeal(2)], site.clock())
    return site


def decide(site: Site, number: int = 1, **changes: Any) -> Any:
    form: dict[str, str] = {
        "appeal": hex_id("appeal", number),
        "outcome": "upheld",
        "note": "It is a cup.",
    }
    return send(site.as_(Role.REVIEWER), path_of(number), **form | changes)


def test_a_decision_is_kept_with_who_when_and_why(filled: Site) -> None:
    done = decide(filled)
    assert (done.status_code, done.headers["location"]) == (303, f"{path_of(1)}?said=decided")
    (row,) = filled.rows(decisions)
    assert (row["outcome"], row["note"], row["account"], row["at"]) == (
        "upheld",
        "It is a cup.",
        "reviewer",
        filled.clock().utc,
    )
    line = filled.rows(audit)[-1]
    assert (line["action"], line["subject"], line["detail"]) == (
        "decided",
        hex_id("appeal", 1),
        "upheld",
    )


def test_appeals_wait_until_they_are_decided(filled: Site) -> None:
    reader = filled.as_(Role.REVIEWER)
    waiting = reader.get("/appeals").text
    assert path_of(1) in waiting
    assert "my &lt;cup&gt;" in waiting
    decide(filled)
    assert path_of(1) not in reader.get("/appeals").text
    assert path_of(1) in reader.get("/appeals?standing=decided").text
    both = reader.get("/appeals?standing=&site=s1").text
    assert path_of(1) in both
    assert path_of(2) in both


def test_one_can_be_decided_anew_and_the_older_decision_stays(filled: Site) -> None:
    decide(filled)
    decide(filled, outcome="rejected", note="It was a phone after all.")
    text_ = filled.as_(Role.VIEWER).get(path_of(1)).text
    assert text_.index("It is a cup.") < text_.index("It was a phone after all.")
    assert "decided anew since" in text_
    shown = filled.as_(Role.REVIEWER).get("/appeals?standing=decided").text
    assert "rejected" in shown


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"note": "  "}, "Write a note"),
        ({"note": "x" * 1001}, "too long"),
        ({"outcome": ""}, "Choose whether"),
        ({"outcome": "perhaps"}, "Choose whether"),
    ],
)
def test_a_decision_without_outcome_or_note_is_asked_for_again(
    filled: Site, changes: dict[str, Any], words: str
) -> None:
    done = decide(filled, **changes)
    assert done.status_code == 422
    assert words in done.text
    assert changes.get("note", "It is a cup.").strip() in done.text
    assert filled.rows(decisions) == []


@pytest.mark.parametrize("letter", ["x", "\n", "书", "😀"])  # one byte, two as forms send it, 3, 4
def test_a_note_of_the_full_length_is_kept_in_any_script(file_site: Site, letter: str) -> None:
    file_site.log.commit([opened(1), appeal(1)], file_site.clock())
    note = f"a{letter * (LONGEST_NOTE - 2)}b"
    assert decide(file_site, note=note.replace("\n", "\r\n")).status_code == 303
    assert [row["note"] for row in file_site.rows(decisions)] == [note]
    longer = decide(file_site, note=f"{note}b".replace("\n", "\r\n"))
    assert longer.status_code == 422
    assert "The note is too long" in longer.text


def test_an_appeal_is_decided_at_its_own_violation(filled: Site) -> None:
    other = decide(filled, 1, appeal=hex_id("appeal", 2))
    assert other.status_code == 404
    assert decide(filled, appeal="nonsense").status_code == 404
    assert filled.rows(decisions) == []


def at_present(site: Site) -> None:
    """Set the test's clock by the database's, which judges what had its time."""
    site.clock.sleep((datetime.now(UTC) - site.clock().utc).total_seconds())


@pytest.mark.parametrize("table", [decisions, audit], ids=str)
@pytest.mark.parametrize("verb", ["UPDATE {} SET account = 'x'", "DELETE FROM {}"])
def test_the_database_lets_nobody_change_what_was_done(
    filled: Site, table: Table, verb: str
) -> None:
    at_present(filled)
    decide(filled)
    before = filled.rows(table)
    assert before
    with pytest.raises(DatabaseError, match="only grows"), filled.parts.store.writing() as log:
        log.execute(text(verb.format(table.name)))
    assert filled.rows(table) == before


def test_a_decision_goes_with_its_appeal(filled: Site) -> None:
    decide(filled)
    decide(filled, 2)
    with filled.parts.store.writing() as log:
        log.execute(appeals.delete().where(appeals.c.appeal_id == hex_id("appeal", 1)))
    assert [row["appeal_id"] for row in filled.rows(decisions)] == [hex_id("appeal", 2)]


def test_the_trail_goes_after_its_time(filled: Site) -> None:
    at_present(filled)
    decide(filled)
    kept = filled.rows(audit)
    now, trail = filled.clock().utc, filled.parts.trail
    with filled.parts.store.writing() as log:
        trail.enter(log, now - timedelta(days=366), Actor("ann", "local"), Action.SIGNED_OUT)
    with filled.parts.store.writing() as log:
        assert delete_due(log, now) == 1
    assert filled.rows(audit) == kept
