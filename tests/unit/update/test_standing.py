"""How an update stands, by the updater's word and what runs: never two things at once."""

import json
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from cleandesk import durable
from cleandesk.contract.update_messages import UpdateState
from cleandesk.update import told
from cleandesk.update.standing import Fetched, Here, stands
from cleandesk.update.told import Lost, Step, Teller, Told

OLD, NEW = "0.1.200", "0.1.300"
BEFORE, NOW = "a" * 32, "b" * 32
VERSIONS = st.sampled_from([OLD, NEW])
LOSTS = st.builds(Lost, version=st.none() | VERSIONS, why=st.text(max_size=300), left=st.booleans())
TOLDS = st.builds(
    Told,
    step=st.sampled_from(Step),
    version=st.none() | VERSIONS,
    boot=st.sampled_from([BEFORE, NOW]),
    lost=st.none() | LOSTS,
    left=st.none() | LOSTS,
)
HERES = st.builds(
    Here,
    runs=VERSIONS,
    boot=st.just(NOW),
    trial=st.booleans(),
    handed=st.booleans(),
    sent=st.none() | VERSIONS,
    fetched=st.none() | st.builds(Fetched, VERSIONS, st.floats(0, 1)),
    refused=st.none() | st.text(max_size=300),
)


@given(here=HERES, said=st.none() | TOLDS)
def test_whatever_was_told_it_can_be_said_and_trial_is_what_the_slots_say(
    here: Here, said: Told | None
) -> None:
    found = stands(here, said)
    assert found.version == here.runs
    assert (found.fetched is not None) == (found.state is UpdateState.FETCHING)
    if here.fetched is None:
        assert (found.state is UpdateState.TRIAL) == here.trial
    type(found).model_validate_json(found.model_dump_json())


@given(step=st.sampled_from([Step.WAITING, Step.INSTALLING]), handed=st.booleans())
def test_what_a_power_cut_broke_off_waits_while_it_lies_there(step: Step, *, handed: bool) -> None:
    here = Here(runs=OLD, boot=NOW, trial=False, handed=handed, sent=NEW)
    found = stands(here, Told(step=step, version=NEW, boot=BEFORE))
    assert (found.state is UpdateState.WAITING) == handed
    assert found.given_up is None


def test_who_tried_one_and_came_back_says_so_and_who_stayed_does_not() -> None:
    said = Told(step=Step.INSTALLED, version=NEW, boot=BEFORE)
    back = stands(Here(runs=OLD, boot=NOW, trial=False), said)
    assert back.given_up == f"{NEW}: left: it did not start, or crashed"
    assert stands(Here(runs=NEW, boot=NOW, trial=False), said).given_up is None
    assert stands(Here(runs=NEW, boot=NOW, trial=True), said).given_up is None
    same = stands(Here(runs=OLD, boot=BEFORE, trial=False), said)
    assert (same.state, same.given_up) == (UpdateState.INSTALLED, None), "its start is to come"


def test_the_last_one_that_did_not_stay_is_told_until_another_one_did_not(tmp_path: Path) -> None:
    Teller(tmp_path, OLD, BEFORE).tell(Step.INSTALLED, NEW)
    crashed = Lost(version=NEW, why="it did not start, or crashed", left=True)
    for step in (Step.WAITING, Step.INSTALLING, Step.COMMITTED):
        Teller(tmp_path, OLD, NOW).tell(step, "0.1.400")
        said = _read(tmp_path)
        assert (said.lost, said.left) == (crashed, crashed)
    Teller(tmp_path, OLD, NOW).tell(Step.REFUSED, None, "x" * 1000)
    said = _read(tmp_path)
    assert str(said.lost).startswith("what was no bundle: refused: xxx")
    assert len(str(said.lost)) < 200
    assert said.left == crashed, "a refusal takes nobody's place"


def test_what_is_committed_at_last_did_not_fail_to_stay(tmp_path: Path) -> None:
    Teller(tmp_path, OLD, BEFORE).tell(Step.INSTALLED, NEW)
    Teller(tmp_path, OLD, NOW).tell(Step.INSTALLING, NEW)
    assert _read(tmp_path).left is not None
    Teller(tmp_path, NEW, NOW).tell(Step.COMMITTED, NEW)
    said = _read(tmp_path)
    assert (said.lost, said.left) == (None, None)


def test_what_a_newer_version_told_is_read_by_an_older_one_as_far_as_it_knows(
    tmp_path: Path,
) -> None:
    Teller(tmp_path, OLD, NOW).tell(Step.LEFT, NEW, "no camera")
    known = _read(tmp_path)
    more = known.model_dump(mode="json") | {"hour": 3}
    more["left"]["by"] = "somebody"
    durable.write(tmp_path / told.NAME, json.dumps(more).encode())
    assert _read(tmp_path) == known


def _read(folder: Path) -> Told:
    found = told.read(folder)
    assert found is not None
    return found


def test_where_nobody_can_tell_what_runs_nothing_is_taken_for_left(tmp_path: Path) -> None:
    Teller(tmp_path, None, BEFORE).tell(Step.INSTALLED, NEW)
    Teller(tmp_path, None, NOW).tell(Step.WAITING, NEW)
    assert _read(tmp_path).lost is None
