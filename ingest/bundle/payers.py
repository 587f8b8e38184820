"""Whose the charges of a bundle are: the payer of the first claim, or of the coverage at the time, or the client; and
what is spent of its payments."""

import polars as pl

Frames = dict[str, pl.DataFrame]


def assign_payers(frames: Frames) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the charges with their coverage and payer, and the adjustments with the payer whose part they lower.

    What is adjusted after the claim was paid lowers the client's part, with whom the rest of the charge is by then.
    """
    claims = frames["claims"].explode("charge_ids")
    coverages = frames["coverages"].select("payer_id", coverage_id="row")
    claimed = claims.sort("submitted_at", "row").unique("charge_ids", keep="first")
    claimed = claimed.select("coverage_id", row="charge_ids")
    charges = (
        frames["charges"]
        .join(claimed, on="row", how="left", maintain_order="left")
        .join(find_primary_coverages(frames), on="row", how="left", maintain_order="left")
        .with_columns(pl.coalesce("coverage_id", "primary_coverage_id").alias("coverage_id"))
        .join(coverages, on="coverage_id", how="left", maintain_order="left")
    )
    paid = claims.filter(pl.col("outcome").cast(pl.String) == "PAID").group_by(charge_id="charge_ids")
    adjustments = (
        frames["adjustments"]
        .join(paid.agg(paid_at=pl.col("adjudicated_at").min()), on="charge_id", how="left", maintain_order="left")
        .join(charges.select("payer_id", charge_id="row"), on="charge_id", how="left", maintain_order="left")
        .with_columns(
            payer_id=pl.when((pl.col("posted_at") > pl.col("paid_at")).fill_null(False))
            .then(None)
            .otherwise("payer_id")
        )
    )
    return charges, adjustments


def find_primary_coverages(frames: Frames) -> pl.DataFrame:
    """Return the coverage with the lowest rank that was in force on each charge's date, of clients with insurance."""
    insured = frames["clients"].filter(~pl.col("self_pay")).select(client_id="row")
    charges = frames["charges"].select("row", "client_id", "service_date").join(insured, on="client_id")
    coverages = frames["coverages"].select(
        "client_id", "rank", "effective_on", "ends_on", "id", primary_coverage_id="row"
    )
    in_force = (pl.col("effective_on") <= pl.col("service_date")) & (
        pl.col("ends_on").is_null() | (pl.col("ends_on") >= pl.col("service_date"))
    )
    return (
        charges.join(coverages, on="client_id")
        .filter(in_force)
        .sort("rank", "id")
        .unique("row", keep="first")
        .select("row", "primary_coverage_id")
    )


def sum_payments(frames: Frames) -> pl.DataFrame:
    """Return the payments with what is applied, refunded and kept by the payer of each."""
    payments = frames["payments"]
    for name, table in (("applied_cents", "payment_applications"), ("refunded_cents", "refunds")):
        sums = frames[table].group_by(row="payment_id").agg(pl.col("amount").sum().alias(name))
        payments = payments.join(sums, on="row", how="left", maintain_order="left")
    return payments.with_columns(
        pl.col("applied_cents", "refunded_cents").fill_null(0),
        provider_cents=pl.col("provider_adjustments").fill_null(0),
    )
