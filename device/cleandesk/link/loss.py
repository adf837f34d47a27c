"""What was lost, by ranges of `seq`: few, durable, and never too narrow."""

import logging
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Literal

from cleandesk.contract.health import LostRange

log = logging.getLogger(__name__)

MAX_RANGES = 64  # the contract's limit in `health`
Reason = Literal["full", "disk", "corrupt"]
Losses = tuple[LostRange, ...]
Run = tuple[int, int]


def add(losses: Losses, epoch: str, runs: Iterable[Run], reason: Reason) -> Losses:
    """Return the ranges with some more events of an epoch in them, at most `MAX_RANGES`.

    Neighbours grow together. Where that is not enough, the two of one epoch that are nearest
    become one: a range that is too wide is safe, because subscribers count only what they have
    not logged of it.
    """
    more = [LostRange(epoch=epoch, first=first, last=last, reason=reason) for first, last in runs]
    return _bounded(_coalesced([*losses, *more]))


def runs_of(seqs: Iterable[int]) -> list[Run]:
    """Return the numbers as ranges of neighbours, in order."""
    runs: list[Run] = []
    for seq in sorted(set(seqs)):
        if runs and seq == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], seq)
        else:
            runs.append((seq, seq))
    return runs


def gaps(first: int, last: int, there: Iterable[int]) -> list[Run]:
    """Return what is missing of `first` to `last`, both included."""
    missing: list[Run] = []
    for seq in sorted(seq for seq in set(there) if first <= seq <= last):
        if seq > first:
            missing.append((first, seq - 1))
        first = seq + 1
    return [*missing, (first, last)] if first <= last else missing


def count(losses: Losses) -> int:
    """Return how many events the ranges span."""
    return sum(one.last - one.first + 1 for one in losses)


def merge(losses: Losses, more: Losses) -> Losses:
    """Return both in one."""
    return _bounded(_coalesced([*losses, *more]))


def _coalesced(ranges: Sequence[LostRange]) -> list[LostRange]:
    """Merge what touches within an epoch; epochs stay in the order in which they came."""
    epochs = list(dict.fromkeys(one.epoch for one in ranges))
    merged: list[LostRange] = []
    for epoch in epochs:
        own = sorted((r for r in ranges if r.epoch == epoch), key=lambda r: (r.first, r.last))
        done: list[LostRange] = []
        for one in own:
            touches = bool(done) and one.first <= done[-1].last + 1
            same = bool(done) and one.reason == done[-1].reason
            if touches and (same or one.last <= done[-1].last):
                done[-1] = _hull(done[-1], one)
            else:
                done.append(one)
        merged += done
    return merged


def _bounded(ranges: list[LostRange]) -> Losses:
    while len(ranges) > MAX_RANGES:
        gaps = [
            (after.first - before.last, at)
            for at, (before, after) in enumerate(pairwise(ranges))
            if before.epoch == after.epoch
        ]
        if not gaps:
            log.error("too many outbox files were lost to list: the oldest is left out")
            ranges = ranges[1:]
            continue
        _, at = min(gaps)
        ranges[at : at + 2] = [_hull(ranges[at], ranges[at + 1])]
    return tuple(ranges)


def _hull(one: LostRange, other: LostRange) -> LostRange:
    return LostRange(
        epoch=one.epoch,
        first=min(one.first, other.first),
        last=max(one.last, other.last),
        reason=one.reason,
    )
