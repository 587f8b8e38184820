"""Chains and cycles of references, against following them one by one."""

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from ingest.bundle.self_references import find_cycles, measure_chains

chains = st.integers(0, 40).flatmap(
    lambda n: st.lists(st.none() | st.integers(0, max(n - 1, 0)), min_size=n, max_size=n)
)


def follow(references: list[int | None], row: int) -> int | None:
    length = 0
    target: int | None = row
    while (target := references[target] if target is not None else None) is not None:
        length += 1
        if length > len(references):
            return None
    return length


@given(chains)
def test_lengths_match_following_one_by_one(references: list[int | None]) -> None:
    result = measure_chains(pl.Series(references, dtype=pl.UInt32)).to_list()
    assert result == [follow(references, row) for row in range(len(references))]


@given(chains)
def test_cycles_are_the_rows_that_lead_back_to_themselves(references: list[int | None]) -> None:
    result = find_cycles(pl.Series(references, dtype=pl.UInt32)).to_list()
    assert result == [row for row in range(len(references)) if is_in_cycle(references, row)]


def is_in_cycle(references: list[int | None], row: int) -> bool:
    target = references[row]
    for _ in references:
        if target is None or target == row:
            break
        target = references[target]
    return target == row


def test_a_very_long_chain_is_followed_to_its_end() -> None:
    references = pl.Series([*range(1, 100_000), None], dtype=pl.UInt32)
    assert measure_chains(references).to_list() == list(range(99_999, -1, -1))
