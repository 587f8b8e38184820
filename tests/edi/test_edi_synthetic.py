"""The generator: the same seed, the same file; every feature in it; the published files are what it makes."""

from pathlib import Path

import polars as pl
import pytest

import edi
from edi import synthetic
from edi.synthetic.published import published

FOLDER = Path(__file__).parents[2] / "docs" / "remittances"


def test_the_same_seed_gives_the_same_file() -> None:
    plan = synthetic.Plan(claims=20, payments=2)
    assert synthetic.make_up(plan, 5).data == synthetic.make_up(plan, 5).data
    assert synthetic.make_up(plan, 5).data != synthetic.make_up(plan, 6).data


def test_every_feature_is_in_it() -> None:
    read = edi.read(synthetic.make_up(synthetic.Plan(claims=20, payments=40), 1).data)
    assert set(read.claims["status"]) == {"1", "2", "3", "4", "22"}
    assert {"CO", "PR", "OA", "PI"} <= set(read.adjustments["group"])
    assert {"24", "23", "45", "253", "1", "2", "3"} <= set(read.adjustments["reason"])
    assert read.adjustments["line"].null_count() > 0
    assert read.adjustments["position"].max() == 6
    assert {"I", "B6"} <= set(read.amounts["kind"])
    assert set(synthetic.generator.PROVIDER) <= set(read.provider_adjustments["reason"])
    assert read.provider_adjustments["reference"].null_count() > 0
    assert {"LQ", "MIA", "MOA"} <= set(read.remarks["source"])
    assert {"QC", "IL", "74", "82"} <= set(read.names["entity"])
    assert {"HC", "N4"} <= set(read.lines["procedure_kind"])
    assert read.lines["submitted_procedure"].null_count() < read.lines.height
    assert not read.provider_totals.is_empty()


@pytest.mark.parametrize("kind", synthetic.KINDS)
def test_each_kind_alone_balances(kind: str) -> None:
    read = edi.read(synthetic.make_up(synthetic.Plan(claims=10, kinds=(kind,)), 2).data)
    assert read.problems.is_empty()
    assert read.payments["balanced_throughout"].all()
    assert (read.payments["amount_cents"] >= 0).all()


def test_the_published_files_are_what_the_generator_makes() -> None:
    made = published()
    assert {file.name for file in FOLDER.glob("*.835")} == set(made)
    for name, data in made.items():
        assert (FOLDER / name).read_bytes() == data, f"{name}: run `make sample-remittances`"


def test_the_published_files_balance_and_are_described() -> None:
    page = (FOLDER / "README.md").read_text()
    for name, data in published().items():
        read = edi.read(data)
        assert read.problems.is_empty(), name
        assert read.payments["balanced_throughout"].all()
        assert f"`{name}`" in page


def test_what_one_published_remittance_opens_another_closes() -> None:
    read = edi.read_many(published().items())
    carried = (
        read.provider_adjustments.filter(pl.col("reason") == "FB")
        .group_by("reference")
        .agg(pl.col("amount_cents").sum())
    )
    assert carried["amount_cents"].to_list() == [0] * carried.height
    assert carried.height > 0
    reversed_claims = read.claims.filter(pl.col("status") == "22")
    assert set(reversed_claims["control_number"]) <= set(read.claims.filter(pl.col("status") == "1")["control_number"])
