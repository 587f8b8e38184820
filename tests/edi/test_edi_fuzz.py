"""Damage by chance, in short; `make fuzz-edi` does it at length."""

from contextlib import suppress
from random import Random

import pytest

import edi
from edi import synthetic
from edi.synthetic.mutations import ALWAYS_FOUND, DAMAGES, damaged

GOOD = [synthetic.make_up(synthetic.Plan(claims=3, payments=seed % 2 + 1), seed) for seed in range(20)]
MANY = 100


@pytest.mark.parametrize("kind", DAMAGES)
def test_nothing_makes_it_fail_and_what_must_be_found_is(kind: str) -> None:
    chance = Random(DAMAGES.index(kind))  # noqa: S311
    files = [damaged(kind, chance.choice(GOOD), chance) for _ in range(MANY)]
    together = edi.read_many(("", data) for data in files)
    found = set(together.problems["file"])
    assert found
    if kind in ALWAYS_FOUND:
        assert found == set(range(MANY))
    for number in (0, MANY // 2):
        alone = edi.read(files[number])
        its = together.problems.filter(together.problems["file"] == number)
        own = ["segment", "offset", "code", "element", "message"]
        assert alone.problems.select(own).equals(its.select(own))
        with suppress(edi.CannotWrite):  # what stands outside interchanges may hold the usual delimiters
            edi.write(alone)


def test_a_file_that_was_not_damaged_has_no_problem_beside_damaged_ones() -> None:
    chance = Random(1)  # noqa: S311
    files = [damaged(kind, GOOD[0], chance) for kind in DAMAGES]
    mixed = [data for other in files for data in (other, GOOD[1].data)]
    problems = edi.read_many(("", data) for data in mixed).problems
    assert [file for file in problems["file"].unique() if file % 2] == []
