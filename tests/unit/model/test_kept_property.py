"""Whatever comes in whatever order: what is gone back to has worked, or is the shipped model."""

import json
from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cleandesk.contract.model_messages import ModelState
from cleandesk.model.kept import Fetched, Kept

#: What a box does with a model on trial alone, and with any.
ON_TRIAL: dict[str, Callable[[Kept], Kept]] = {
    "begin": lambda kept: kept.begun("b" * 32),
    "end": Kept.ended,
    "commit": Kept.committed,
}
ANYWAY: dict[str, Callable[[Kept], Kept]] = {
    "crash": lambda kept: kept.fallen_back("it crashed"),
    "back": Kept.rolled_back,
    "note": Kept.noted,
    "supersede": Kept.superseded,
}
STEPS = st.sampled_from(["update", *ON_TRIAL, *ANYWAY])


def step(kept: Kept, name: str, number: int) -> Kept:
    if name == "update":
        digest, version = f"{number:064x}", f"1.{number}"
        return kept.updated(Fetched(name="m", version=version, artefact=digest, manifest=digest))
    if name in ON_TRIAL:
        return ON_TRIAL[name](kept) if kept.trial else kept
    return ANYWAY[name](kept)


@given(st.lists(STEPS, max_size=40))
def test_what_is_gone_back_to_has_worked(steps: list[str]) -> None:
    kept = Kept()
    worked: set[Fetched | None] = {None}
    for number, name in enumerate(steps):
        before, kept = kept, step(kept, name, number)
        if name == "commit":
            worked.add(kept.present)
        assert kept.previous in worked
        assert kept.trial is None or kept.present is not None
        assert kept.state is ModelState.TRIAL or kept.present in worked
        assert kept.previous is None or kept.previous != kept.present
        assert kept.proven in worked
        if kept.given_up is not None:
            assert kept.given_up.model != kept.present
        if name == "crash" and before.present is not None:
            assert kept.given_up is not None
            assert (kept.given_up.model, kept.present) == (before.present, before.previous)
        assert Kept.model_validate_json(kept.model_dump_json()) == kept
        newer = with_more(kept.model_dump(mode="json"))
        assert Kept.model_validate_json(json.dumps(newer)) == kept, "an update on trial wrote it"


def with_more(data: Any) -> Any:
    """Return what newer software would have written, which keeps more of everything."""
    if not isinstance(data, dict):
        return data
    return {name: with_more(one) for name, one in data.items()} | {"hour": 3}
