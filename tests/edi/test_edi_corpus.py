"""Remittances that others wrote, where CASELOAD_GOLDEN names a folder beside them: what they say, by a plain split."""

import json
import os
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

import edi

GOLDEN = Path(os.environ.get("CASELOAD_GOLDEN", "nowhere"))
CORPUS = GOLDEN.parent / "corpus"
FILES = [*sorted(CORPUS.glob("*.835")), *sorted(CORPUS.glob("*.txt")), *sorted(GOLDEN.glob("practice_a_eras/*.835"))]

# read by eye, each of them: what is wrong, at which segment, in which element
FOUND = {
    "blue_cross_nc_sample.txt": {
        ("NO_INTERCHANGE", 1, None),
        ("MISSING_ELEMENT", 28, "SVC02"),
        ("MISSING_ELEMENT", 28, "SVC03"),
        ("EXTRA_ELEMENT", 28, None),
        ("COUNT_DIFFERS", 32, "SE01"),
    },
    "lfh_cob-contractural-adjustment.835": {("MISSING_ELEMENT", 4, "BPR16"), ("MISSING_ELEMENT", 21, "SVC01-2")},
    "lfh_managed-care.835": {("BAD_DATE", 4, "BPR16")},
    "lfh_secondary-payment.835": {
        ("MISSING_ELEMENT", 4, "BPR16"),
        ("MISSING_ELEMENT", 29, "SVC01-2"),
        ("MISSING_ELEMENT", 34, "SVC01-2"),
    },
    "lfh_tertiary-payment.835": {
        ("MISSING_ELEMENT", 4, "BPR16"),
        ("LINES_DIFFER", 16, "CLP04"),
        ("LINE_UNBALANCED", 20, "SVC03"),
        ("MISSING_ELEMENT", 20, "SVC01-2"),
    },
    "x12testdata_835id.txt": {("PAYMENT_UNBALANCED", 4, "BPR02")},
    "x12testdata_mult_isa.txt": {
        *(("NOT_835", segment, "ST01") for segment in (3, 6, 9, 14, 33, 36, 39, 44)),
        *(("MISSING_SEGMENT", segment, None) for segment in (19, 23, 27, 49)),
    },
    "x12testdata_multiple_trn.txt": {
        *(("NOT_835", segment, "ST01") for segment in (3, 6, 9, 14)),
        ("MISSING_SEGMENT", 19, None),
    },
}

needs_files = pytest.mark.skipif(not FILES, reason="CASELOAD_GOLDEN names no folder with a corpus beside it")


def plain(data: bytes) -> dict[str, Decimal | int]:
    """Counts and sums, by nothing but splitting; values that are none count for nothing."""
    text = data.decode()
    element, terminator = (text[3], text[105]) if text.startswith("ISA") else ("*", "~")
    sums: dict[str, Decimal | int] = dict.fromkeys(("claims", "lines", "CLP03", "CLP04", "SVC02", "SVC03", "CAS"), 0)
    for segment in text.split(terminator):
        parts = [*segment.strip().split(element), *[""] * 20]
        if parts[0] == "CLP":
            sums["claims"] += 1
        if parts[0] == "SVC":
            sums["lines"] += 1
        for name, at in (("CLP", 3), ("CLP", 4), ("SVC", 2), ("SVC", 3)):
            if parts[0] == name and parts[at]:
                sums[f"{name}{at:02}"] += Decimal(parts[at])
        if parts[0] == "CAS":
            sums["CAS"] += sum(Decimal(parts[at]) for at in (3, 6, 9, 12, 15, 18) if parts[at])
    return sums


@needs_files
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_claims_lines_and_sums_are_those_of_a_plain_split(file: Path) -> None:
    read = edi.read(file.read_bytes(), file.name)

    def cents(frame: pl.DataFrame, name: str) -> Decimal:
        return Decimal(frame[name].sum()) / 100

    assert plain(file.read_bytes()) == {
        "claims": read.claims.height,
        "lines": read.lines.height,
        "CLP03": cents(read.claims, "charge_cents"),
        "CLP04": cents(read.claims, "paid_cents"),
        "SVC02": cents(read.lines, "charge_cents"),
        "SVC03": cents(read.lines, "paid_cents"),
        "CAS": cents(read.adjustments, "amount_cents"),
    }


@needs_files
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_finding_is_located_and_true(file: Path) -> None:
    problems = edi.read(file.read_bytes()).problems
    assert set(problems.select("code", "segment", "element").rows()) == FOUND.get(file.name, set())


@needs_files
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_written_again_it_says_the_same(file: Path) -> None:
    read = edi.read(file.read_bytes())
    if "NOT_835" not in read.problems["code"]:  # those are not kept
        assert edi.read(edi.write(read)) == read


@needs_files
def test_all_at_once_is_what_each_is_alone() -> None:
    together = edi.read_files(FILES)
    alone = [edi.read_files([file]) for file in FILES]
    for name in ("claims", "lines", "adjustments", "payments", "problems"):
        own = ["file", "transaction", "claim", "line", "interchange", "group"]
        whole = pl.concat([getattr(one, name) for one in alone]).drop(own, strict=False)
        assert getattr(together, name).drop(own, strict=False).equals(whole)


@needs_files
def test_the_messy_remittances_hold_the_claims_that_the_truth_lists() -> None:
    truth = json.loads((GOLDEN / "practice_a_eras" / "truth.json").read_text())
    assert len(truth) > 10
    for told in truth:
        read = edi.read((GOLDEN / "practice_a_eras" / told["file"]).read_bytes())
        assert read.payments["sound"].all()
        assert read.claims["control_number"].to_list() == [row["pcn"] for row in told["rows"]]
