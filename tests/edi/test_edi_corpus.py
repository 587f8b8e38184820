"""Third-party remittances, compared with a plain split. Needs CASELOAD_GOLDEN, a folder next to the corpus."""

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

# verified by hand: code, segment and element of every problem
EXPECTED_PROBLEMS = {
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

needs_files = pytest.mark.skipif(not FILES, reason="CASELOAD_GOLDEN is not set to a folder next to a corpus")


def sum_plainly(data: bytes) -> dict[str, Decimal | int]:
    """Return counts and sums computed by splitting alone; empty values count as nothing."""
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
def test_claims_lines_and_sums_agree_with_a_plain_split(file: Path) -> None:
    read = edi.read(file.read_bytes(), file.name)

    def sum_dollars(frame: pl.DataFrame, name: str) -> Decimal:
        return Decimal(frame[name].sum()) / 100

    assert sum_plainly(file.read_bytes()) == {
        "claims": read.claims.height,
        "lines": read.lines.height,
        "CLP03": sum_dollars(read.claims, "charge_cents"),
        "CLP04": sum_dollars(read.claims, "paid_cents"),
        "SVC02": sum_dollars(read.lines, "charge_cents"),
        "SVC03": sum_dollars(read.lines, "paid_cents"),
        "CAS": sum_dollars(read.adjustments, "amount_cents"),
    }


@needs_files
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_problem_is_correct_and_located(file: Path) -> None:
    problems = edi.read(file.read_bytes()).problems
    assert set(problems.select("code", "segment", "element").rows()) == EXPECTED_PROBLEMS.get(file.name, set())


@needs_files
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_file_reads_the_same_after_it_is_written(file: Path) -> None:
    read = edi.read(file.read_bytes())
    if "NOT_835" not in read.problems["code"]:  # those are not stored
        assert edi.read(edi.write(read)) == read


@needs_files
def test_files_read_together_equal_files_read_one_by_one() -> None:
    together = edi.read_files(FILES)
    alone = [edi.read_files([file]) for file in FILES]
    for name in ("claims", "lines", "adjustments", "payments", "problems"):
        numbers = ["file", "transaction", "claim", "line", "interchange", "group"]
        expected = pl.concat([getattr(remittance, name) for remittance in alone]).drop(numbers, strict=False)
        assert getattr(together, name).drop(numbers, strict=False).equals(expected)


@needs_files
def test_the_messy_remittances_contain_the_claims_of_the_truth_file() -> None:
    truth = json.loads((GOLDEN / "practice_a_eras" / "truth.json").read_text())
    assert len(truth) > 10
    for entry in truth:
        read = edi.read((GOLDEN / "practice_a_eras" / entry["file"]).read_bytes())
        assert read.payments["sound"].all()
        assert read.claims["control_number"].to_list() == [row["pcn"] for row in entry["rows"]]
