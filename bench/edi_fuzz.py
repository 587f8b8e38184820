"""Remittances damaged by chance: none makes the reader fail, hang or hold much; and how much of each kind it finds.

    python -m bench.edi_fuzz [NUMBER] [--seed SEED]

Files are read some hundreds at a time, which is how many of them go through in a minute; one in a hundred also alone
and in pieces, which has to give the same. A file that makes the reader raise is kept in the current folder.
"""

import argparse
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from random import Random

import edi
from bench.edi import most_memory
from edi import synthetic
from edi.synthetic.mutations import ALWAYS_FOUND, DAMAGES, damaged

BATCH = 400
ALONE = 100


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("number", type=int, nargs="?", default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    chance = Random(asked.seed)
    made, found, unsound = Counter[str](), Counter[str](), Counter[str]()
    slowest, began = 0.0, time.perf_counter()
    good = [
        synthetic.make_up(
            synthetic.Plan(claims=3, payments=number % 2 + 1, delimiters=("*:~", "|>\n")[number % 5 == 4]), number
        )
        for number in range(200)
    ]
    while made.total() < asked.number:
        kinds = [chance.choice(DAMAGES) for _ in range(min(BATCH, asked.number - made.total()))]
        files = [damaged(kind, chance.choice(good), chance) for kind in kinds]
        start = time.perf_counter()
        with_problems, with_unsound = read_all(files)
        slowest = max(slowest, time.perf_counter() - start)
        for number, kind in enumerate(kinds):
            made[kind] += 1
            found[kind] += number in with_problems
            unsound[kind] += number in with_unsound
        for number in chance.sample(range(len(files)), len(files) // ALONE):
            compare(files[number], found=number in with_problems)
    seconds = time.perf_counter() - began
    print(f"{made.total():,} damaged files, 0 failures, in {seconds:,.0f} s and {most_memory()} MB")
    print(f"  the slowest {BATCH} of them took {slowest:.2f} s")
    print(f"  {'damage':28} {'files':>8} {'found':>8} {'not sound':>10}")
    for kind in DAMAGES:
        if made[kind]:
            shares = f"{found[kind] / made[kind]:>8.2%} {unsound[kind] / made[kind]:>10.2%}"
            print(f"  {kind:28} {made[kind]:>8,} {shares}{'  always' if kind in ALWAYS_FOUND else ''}")
            assert kind not in ALWAYS_FOUND or found[kind] == made[kind], f"{kind} was missed"


def read_all(files: list[bytes]) -> tuple[set[int], set[int]]:
    """Which of them have problems, and which are refused or not sound."""
    try:
        together = edi.read_many(("", data) for data in files)
    except Exception:
        if len(files) == 1:
            Path("failed.835").write_bytes(files[0])
            raise
        read_all(files[: len(files) // 2])
        read_all(files[len(files) // 2 :])
        raise
    refused = together.files.filter(together.files["refused"])["file"]
    unsound = together.payments.filter(~together.payments["sound"])["file"]
    return set(together.problems["file"]), {*refused, *unsound}


def compare(data: bytes, *, found: bool) -> None:
    """Alone and in pieces it is the same; and what was read can be written."""
    alone = edi.read(data)
    assert found == (not alone.problems.is_empty())
    told = [code for piece in edi.stream(data, piece_bytes=700) for code in piece.problems["code"]]
    assert sorted(told) == sorted(alone.problems["code"])
    with suppress(edi.CannotWrite):  # what stands outside interchanges may hold the usual delimiters
        edi.write(alone)


if __name__ == "__main__":
    main()
