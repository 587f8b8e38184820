"""Random damage in a short run; `make fuzz-edi` does the long one."""

from contextlib import suppress
from random import Random

import pytest

import edi
from edi import synthetic
from edi.synthetic.mutations import ALWAYS_DETECTED, DAMAGE_KINDS, damage

FILES = [synthetic.generate(synthetic.Plan(claims=3, payments=seed % 2 + 1), seed) for seed in range(20)]
COUNT = 100


@pytest.mark.parametrize("kind", DAMAGE_KINDS)
def test_damage_never_raises_and_is_detected_where_it_must_be(kind: str) -> None:
    random = Random(DAMAGE_KINDS.index(kind))  # noqa: S311
    files = [damage(kind, random.choice(FILES), random) for _ in range(COUNT)]
    together = edi.read_many(("", data) for data in files)
    detected = set(together.problems["file"])
    assert detected
    if kind in ALWAYS_DETECTED:
        assert detected == set(range(COUNT))
    for number in (0, COUNT // 2):
        alone = edi.read(files[number])
        problems = together.problems.filter(together.problems["file"] == number)
        columns = ["segment", "offset", "code", "element", "message"]
        assert alone.problems.select(columns).equals(problems.select(columns))
        with suppress(edi.CannotWrite):  # text outside interchanges may contain the default delimiters
            edi.write(alone)


def test_a_valid_file_has_no_problems_among_damaged_ones() -> None:
    random = Random(1)  # noqa: S311
    files = [damage(kind, FILES[0], random) for kind in DAMAGE_KINDS]
    mixed = [data for damaged in files for data in (damaged, FILES[1].data)]
    problems = edi.read_many(("", data) for data in mixed).problems
    assert [file for file in problems["file"].unique() if file % 2] == []
