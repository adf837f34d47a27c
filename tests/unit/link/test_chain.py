"""The ledger's chain: what is computed, and what it finds."""

import hashlib
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from cleandesk.link.chain import FIRST, START, Anchor, Draft, Entry, Gap, Walk

TEXT = st.text(max_size=8)
DRAFTS = st.builds(
    Draft,
    at=TEXT,
    clock_synced=st.booleans(),
    kind=TEXT,
    topic=TEXT,
    message_id=TEXT,
    payload=st.binary(max_size=8),
)


def chained(drafts: list[Draft], first: Anchor = FIRST) -> list[Entry]:
    entries: list[Entry] = []
    last = first
    for draft in drafts:
        entries.append(draft.entered(last.number + 1, last.chain))
        last = Anchor(entries[-1].number, entries[-1].chain)
    return entries


def some(count: int) -> list[Entry]:
    at = "2026-03-01T09:00:00.000Z"
    return chained([Draft(at, True, "note", "", "n", str(i).encode()) for i in range(count)])


def walked(entries: list[Entry], gaps: tuple[Gap, ...] = (), anchor: Anchor = FIRST) -> int | None:
    walk = Walk(anchor, gaps)
    walk.follow(entries)
    return walk.verdict().wrong


def test_the_hash_is_what_the_documentation_says() -> None:
    draft = Draft("2026-03-01T09:00:00.000Z", True, "idle", "a/b", "id", b"{}")
    fields = [START, b"1", b"2026-03-01T09:00:00.000Z", b"1", b"idle", b"a/b", b"id", b"{}"]
    whole = b"".join(len(one).to_bytes(8, "big") + one for one in fields)
    assert draft.entered(1, START).chain == hashlib.sha256(whole).digest()


@given(one=DRAFTS, other=DRAFTS)
def test_two_entries_that_differ_have_two_hashes(one: Draft, other: Draft) -> None:
    assert (one == other) == (one.entered(1, START).chain == other.entered(1, START).chain)


@given(drafts=st.lists(DRAFTS, min_size=1, max_size=6), data=st.data())
def test_the_first_entry_that_does_not_fit_is_named(
    drafts: list[Draft], data: st.DataObject
) -> None:
    entries = chained(drafts)
    assert walked(entries) is None
    at = data.draw(st.integers(0, len(entries) - 1))
    changed = replace(entries[at], payload=entries[at].payload + b"!")
    assert walked([*entries[:at], changed, *entries[at + 1 :]]) == at + 1


def test_an_entry_that_was_taken_out_is_missed() -> None:
    entries = some(6)
    assert walked([*entries[:2], *entries[3:]]) == 4
    assert walked(entries[1:]) == 2


def test_entries_that_changed_places_do_not_fit() -> None:
    first, second, third = some(3)
    assert walked([first, third, second]) == 3
    swapped = [replace(second, number=1), replace(first, number=2), third]
    assert walked(swapped) == 1


def test_a_chain_goes_on_from_its_anchor() -> None:
    entries = some(6)
    anchor = Anchor(3, entries[2].chain)
    assert walked(entries[3:], anchor=anchor) is None
    assert walked(entries[3:], anchor=Anchor(3, START)) == 4


def test_a_gap_is_passed_only_if_a_note_tells_of_it() -> None:
    entries = some(8)
    rest = [*entries[:2], *entries[4:]]
    assert walked(rest, gaps=(Gap(3, 4),)) is None
    assert walked(rest, gaps=(Gap(3, 3),)) == 5
    forged = replace(entries[6], payload=b"other")
    assert walked([*entries[:2], *entries[4:6], forged], gaps=(Gap(3, 4),)) == 7
