"""The generator is deterministic and covers every feature, and the published files are up to date."""

from pathlib import Path

import polars as pl
import pytest

import edi
from edi import synthetic
from edi.synthetic.published import build_published_files

FOLDER = Path(__file__).parents[2] / "docs" / "remittances"


def test_the_same_seed_gives_the_same_file() -> None:
    plan = synthetic.Plan(claims=20, payments=2)
    assert synthetic.generate(plan, 5).data == synthetic.generate(plan, 5).data
    assert synthetic.generate(plan, 5).data != synthetic.generate(plan, 6).data


def test_generated_files_cover_every_feature() -> None:
    read = edi.read(synthetic.generate(synthetic.Plan(claims=20, payments=40), 1).data)
    assert set(read.claims["status"]) == {"1", "2", "3", "4", "22"}
    assert {"CO", "PR", "OA", "PI"} <= set(read.adjustments["group"])
    assert {"24", "23", "45", "253", "1", "2", "3"} <= set(read.adjustments["reason"])
    assert read.adjustments["line"].null_count() > 0
    assert read.adjustments["position"].max() == 6
    assert {"I", "B6"} <= set(read.amounts["kind"])
    assert set(synthetic.generator.PROVIDER_REASONS) <= set(read.provider_adjustments["reason"])
    assert read.provider_adjustments["reference"].null_count() > 0
    assert {"LQ", "MIA", "MOA"} <= set(read.remarks["source"])
    assert {"QC", "IL", "74", "82"} <= set(read.names["entity"])
    assert {"HC", "N4"} <= set(read.lines["procedure_kind"])
    assert read.lines["submitted_procedure"].null_count() < read.lines.height
    assert not read.provider_totals.is_empty()


@pytest.mark.parametrize("kind", synthetic.KINDS)
def test_each_kind_balances_on_its_own(kind: str) -> None:
    read = edi.read(synthetic.generate(synthetic.Plan(claims=10, kinds=(kind,)), 2).data)
    assert read.problems.is_empty()
    assert read.payments["balanced_throughout"].all()
    assert (read.payments["amount_cents"] >= 0).all()


def test_the_published_files_are_up_to_date() -> None:
    files = build_published_files()
    assert {file.name for file in FOLDER.glob("*.835")} == set(files)
    for name, data in files.items():
        assert (FOLDER / name).read_bytes() == data, f"{name}: run `make sample-remittances`"


def test_the_published_files_balance_and_are_described() -> None:
    page = (FOLDER / "README.md").read_text()
    for name, data in build_published_files().items():
        read = edi.read(data)
        assert read.problems.is_empty(), name
        assert read.payments["balanced_throughout"].all()
        assert f"`{name}`" in page


def test_the_published_files_close_every_balance_they_open() -> None:
    read = edi.read_many(build_published_files().items())
    carried = (
        read.provider_adjustments.filter(pl.col("reason") == "FB")
        .group_by("reference")
        .agg(pl.col("amount_cents").sum())
    )
    assert carried["amount_cents"].to_list() == [0] * carried.height
    assert carried.height > 0
    reversed_claims = read.claims.filter(pl.col("status") == "22")
    assert set(reversed_claims["control_number"]) <= set(read.claims.filter(pl.col("status") == "1")["control_number"])
