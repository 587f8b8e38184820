"""Fuzzing with random damage: no file makes the reader fail, hang or use much memory. Prints the detection rates.

    python -m bench.edi_fuzz [NUMBER] [--seed SEED]

Files are read in batches of some hundreds, for speed; one in a hundred is also read alone and in pieces, which has to
give the same result. A file that makes the reader raise is stored in the current folder.
"""

import argparse
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from random import Random

import edi
from bench.edi import read_peak_memory
from edi import synthetic
from edi.synthetic.mutations import ALWAYS_DETECTED, DAMAGE_KINDS, damage

BATCH = 400
SAMPLE = 100  # one in so many is compared alone


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("number", type=int, nargs="?", default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    random = Random(arguments.seed)
    total, detected, unsound = Counter[str](), Counter[str](), Counter[str]()
    slowest, start = 0.0, time.perf_counter()
    valid = [
        synthetic.generate(
            synthetic.Plan(claims=3, payments=number % 2 + 1, delimiters=("*:~", "|>\n")[number % 5 == 4]), number
        )
        for number in range(200)
    ]
    while total.total() < arguments.number:
        kinds = [random.choice(DAMAGE_KINDS) for _ in range(min(BATCH, arguments.number - total.total()))]
        files = [damage(kind, random.choice(valid), random) for kind in kinds]
        batch_start = time.perf_counter()
        with_problems, with_unsound = read_batch(files)
        slowest = max(slowest, time.perf_counter() - batch_start)
        for number, kind in enumerate(kinds):
            total[kind] += 1
            detected[kind] += number in with_problems
            unsound[kind] += number in with_unsound
        for number in random.sample(range(len(files)), len(files) // SAMPLE):
            compare(files[number], has_problems=number in with_problems)
    seconds = time.perf_counter() - start
    print(f"{total.total():,} damaged files, 0 failures, in {seconds:,.0f} s and {read_peak_memory()} MB")
    print(f"  the slowest {BATCH} of them took {slowest:.2f} s")
    print(f"  {'damage':28} {'files':>8} {'detected':>8} {'unsound':>10}")
    for kind in DAMAGE_KINDS:
        if total[kind]:
            shares = f"{detected[kind] / total[kind]:>8.2%} {unsound[kind] / total[kind]:>10.2%}"
            print(f"  {kind:28} {total[kind]:>8,} {shares}{'  always' if kind in ALWAYS_DETECTED else ''}")
            assert kind not in ALWAYS_DETECTED or detected[kind] == total[kind], f"{kind} was missed"


def read_batch(files: list[bytes]) -> tuple[set[int], set[int]]:
    """Return the numbers of the files with problems, and of those that are refused or unsound."""
    try:
        together = edi.read_many(("", data) for data in files)
    except Exception:
        if len(files) == 1:
            Path("failed.835").write_bytes(files[0])
            raise
        read_batch(files[: len(files) // 2])
        read_batch(files[len(files) // 2 :])
        raise
    refused = together.files.filter(together.files["refused"])["file"]
    unsound = together.payments.filter(~together.payments["sound"])["file"]
    return set(together.problems["file"]), {*refused, *unsound}


def compare(data: bytes, *, has_problems: bool) -> None:
    """Check that reading alone and in pieces gives the same, and that the result can be written."""
    alone = edi.read(data)
    assert has_problems == (not alone.problems.is_empty())
    codes = [code for piece in edi.stream(data, piece_bytes=700) for code in piece.problems["code"]]
    assert sorted(codes) == sorted(alone.problems["code"])
    with suppress(edi.CannotWrite):  # text outside interchanges may contain the default delimiters
        edi.write(alone)


if __name__ == "__main__":
    main()
