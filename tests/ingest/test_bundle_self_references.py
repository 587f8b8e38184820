"""How far references lead is what somebody finds who follows them one by one."""

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from ingest.bundle.self_references import circles, lengths

chains = st.integers(0, 40).flatmap(
    lambda n: st.lists(st.none() | st.integers(0, max(n - 1, 0)), min_size=n, max_size=n)
)


def followed(to: list[int | None], row: int) -> int | None:
    seen = 0
    place: int | None = row
    while (place := to[place] if place is not None else None) is not None:
        seen += 1
        if seen > len(to):
            return None
    return seen


@given(chains)
def test_lengths_are_those_of_following_one_by_one(to: list[int | None]) -> None:
    found = lengths(pl.Series(to, dtype=pl.UInt32)).to_list()
    assert found == [followed(to, row) for row in range(len(to))]


@given(chains)
def test_circles_are_the_rows_that_come_back_to_themselves(to: list[int | None]) -> None:
    found = circles(pl.Series(to, dtype=pl.UInt32)).to_list()
    assert found == [row for row in range(len(to)) if comes_back(to, row)]


def comes_back(to: list[int | None], row: int) -> bool:
    place = to[row]
    for _ in to:
        if place is None or place == row:
            break
        place = to[place]
    return place == row


def test_a_very_long_chain_is_followed_to_its_end() -> None:
    to = pl.Series([*range(1, 100_000), None], dtype=pl.UInt32)
    assert lengths(to).to_list() == list(range(99_999, -1, -1))
