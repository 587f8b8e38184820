"""Checks of amounts: the three balances, the control totals, interest, and repeated claims and payments.

    line     SVC02 - its adjustments              = SVC03
    claim    CLP03 - all its adjustments          = CLP04
    payment  the claims' CLP04 - the PLB amounts  = BPR02

Amounts of AMT are never part of a balance. The sum of a claim's SVC03 is compared with its CLP04 only if the claim has
no claim-level adjustment.
"""

from typing import Any

import polars as pl

from edi.checks import ProblemRows, build_problems
from edi.columns import Frames
from edi.problems import ProblemRecord
from edi.values import format_money

_ZERO, _TRUE = pl.Series([0], dtype=pl.Int64), pl.Series([True])


def add_balances(frames: Frames) -> tuple[Frames, list[ProblemRows]]:
    """Return the frames with the computed columns of lines, claims and payments, and a problem for each difference."""
    frames = dict(frames)
    adjustments = frames["adjustments"]
    problems = []
    for name, key, code, element in (
        ("lines", "line", "LINE_UNBALANCED", "SVC03"),
        ("claims", "claim", "CLAIM_UNBALANCED", "CLP04"),
    ):
        rows = frames[name]
        adjusted = sum_by(adjustments[key], adjustments["amount_cents"], rows.height)
        expected, paid = rows["charge_cents"] - adjusted, rows["paid_cents"]
        balanced = _reject_missing(expected == paid, adjustments[key], adjustments["amount_cents"])
        frames[name] = rows.with_columns_seq(adjusted.alias("adjusted_cents"), balanced.alias("balanced"))
        if not balanced.all():
            unbalanced = frames[name].with_columns(expected.alias("_expected")).filter(~balanced & (expected != paid))
            problems.append(_build_differences(unbalanced, code, element, "_expected", "paid_cents"))
    frames["payments"], payment_problems = _balance_payments(frames)
    return frames, [*problems, *payment_problems, *_compare_lines_with_claims(frames)]


def sum_by(keys: pl.Series, values: pl.Series, height: int, default: int | None = 0) -> pl.Series:
    """Return the sum of the values for each row number in `keys`, and `default` for the rows without any.

    Rows are in the order of the file, and transactions, claims and lines are numbered as they begin. So equal keys are
    adjacent, with at most null keys between, and the sums are differences of a running sum at the last row of each key.
    """
    sums = pl.Series([default], dtype=pl.Int64).new_from_index(0, height)
    if keys.null_count():
        present = keys.is_not_null()
        keys, values = keys.filter(present), values.filter(present)
    if keys.is_empty():
        return sums
    is_last = pl.concat([keys[1:] != keys[:-1], _TRUE])
    running = (values.fill_null(0) if values.null_count() else values).cum_sum().filter(is_last)
    return sums.scatter(keys.filter(is_last), running - pl.concat([_ZERO, running[:-1]]))


def _reject_missing(equal: pl.Series, keys: pl.Series, values: pl.Series) -> pl.Series:
    """Return `equal`, false where an amount of the equation is missing: the sum of the others proves nothing."""
    equal = equal.fill_null(value=False) if equal.null_count() else equal
    if not values.null_count():
        return equal
    return equal.scatter(keys.filter(values.is_null()).drop_nulls(), values=False)


def _sum_claims(claims: pl.DataFrame, height: int) -> dict[str, pl.Series]:
    """Return the control totals of each payment."""
    names = ("charge_cents", "paid_cents", "patient_cents")
    sums = claims.group_by("transaction").agg(pl.col(names).sum(), pl.len().cast(pl.Int64).alias("claim_count"))
    zeros = pl.Series([0], dtype=pl.Int64).new_from_index(0, height)
    index = sums["transaction"]
    return {name: zeros.clone().scatter(index, sums[name]).alias(name) for name in (*names, "claim_count")}


def _build_differences(rows: pl.DataFrame, code: str, element: str | None, expected: str, actual: str) -> ProblemRows:
    amounts = {"expected": format_money(pl.col(expected)), "actual": format_money(pl.col(actual))}
    return build_problems(rows, code, element, **amounts)


def _balance_payments(frames: Frames) -> tuple[pl.DataFrame, list[ProblemRows]]:
    payments, claims, lines = frames["payments"], frames["claims"], frames["lines"]
    height = payments.height
    sums = _sum_claims(claims, height)
    plb = frames["provider_adjustments"]
    provider = sum_by(plb["transaction"], plb["amount_cents"], height)
    expected = sums["paid_cents"] - provider
    balanced = _reject_missing(expected == payments["amount_cents"], claims["transaction"], claims["paid_cents"])
    balanced = _reject_missing(balanced, plb["transaction"], plb["amount_cents"])
    unbalanced = pl.concat([rows["transaction"].filter(~rows["balanced"]) for rows in (claims, lines)]).unique()
    throughout = ~payments["transaction"].is_in(unbalanced.implode()) if unbalanced.len() else _TRUE
    payments = payments.with_columns_seq(
        *sums.values(),
        provider.alias("provider_cents"),
        balanced.alias("balanced"),
        (balanced & throughout).alias("balanced_throughout"),
    )
    if balanced.all():
        return payments, []
    different = payments.with_columns(expected.alias("_expected"), segment=pl.col("bpr_segment"))
    different = different.filter(~balanced & (expected != payments["amount_cents"]))
    return payments, [_build_differences(different, "PAYMENT_UNBALANCED", "BPR02", "_expected", "amount_cents")]


def _compare_lines_with_claims(frames: Frames) -> list[ProblemRows]:
    claims, lines, adjustments = frames["claims"], frames["lines"], frames["adjustments"]
    line_sums = sum_by(lines["claim"], lines["paid_cents"], claims.height, default=None)
    is_claim_level = adjustments["line"].is_null()
    claim_level_sums = sum_by(
        adjustments["claim"].filter(is_claim_level),
        adjustments["amount_cents"].filter(is_claim_level),
        claims.height,
        default=None,
    )
    differs = ((line_sums != claims["paid_cents"]) & claim_level_sums.is_null()).fill_null(value=False)
    if not differs.any():
        return []
    different = claims.with_columns(line_sums.alias("_lines")).filter(differs)
    return [_build_differences(different, "LINES_DIFFER", "CLP04", "_lines", "paid_cents")]


def find_interest_differences(frames: Frames) -> list[ProblemRows]:
    """Compare the interest that claims report (AMT*I) with PLB L6."""
    payments, amounts, plb = frames["payments"], frames["amounts"], frames["provider_adjustments"]
    is_interest = amounts["kind"] == "I"
    transactions, cents = amounts["transaction"].filter(is_interest), amounts["amount_cents"].filter(is_interest)
    reported = sum_by(transactions, cents, payments.height, default=None)
    is_interest = plb["reason"] == "L6"
    paid = -sum_by(plb["transaction"].filter(is_interest), plb["amount_cents"].filter(is_interest), payments.height)
    differs = reported != paid  # null where no claim reports interest
    if not differs.any():
        return []
    different = payments.with_columns(reported.alias("_reported"), paid.alias("_paid")).filter(differs)
    return [_build_differences(different, "INTEREST_DIFFERS", None, "_reported", "_paid")]


def find_total_differences(frames: Frames) -> list[ProblemRows]:
    """Compare each TS3 with the claims up to the next one."""
    totals = frames["provider_totals"]
    if totals.is_empty():
        return []
    claims = frames["claims"]
    positions = [rows["file"].cast(pl.UInt64) * 2**32 + rows["segment"] for rows in (totals, claims)]
    starts = positions[1].search_sorted(positions[0])  # row of the first claim below each TS3
    ends = claims["transaction"].search_sorted(totals["transaction"], side="right")
    next_starts = pl.concat([starts[1:], pl.Series([claims.height], dtype=starts.dtype)])
    ends = ends.zip_with(ends < next_starts, next_starts)
    running = pl.concat([_ZERO, claims["charge_cents"].fill_null(0).cum_sum()])
    problems = []
    for element, declared, actual in (
        ("TS304", totals["claim_count"], ends - starts),
        ("TS305", totals["charge_cents"], running[ends] - running[starts]),
    ):
        differs = declared != actual
        if differs.any():
            problems.append(build_problems(totals.filter(differs), "TOTALS_DIFFER", element))
    return problems


def find_repeated_claims(claims: pl.DataFrame) -> list[ProblemRows]:
    key = ["transaction", "control_number", "payer_claim_number", "status", "charge_cents", "paid_cents"]
    is_duplicated = claims["control_number"].is_duplicated()
    if not is_duplicated.any():
        return []
    same_number = claims.select("file", "claim", "segment", *key).filter(is_duplicated)
    repeated = same_number.filter(~pl.struct(key).is_first_distinct())
    return [build_problems(repeated, "CLAIM_REPEATED", "CLP01")] if repeated.height else []


def find_repeated_payments(payments: pl.DataFrame, seen: dict[tuple[Any, ...], tuple[Any, ...]]) -> list[ProblemRecord]:
    """Return trace numbers that the same payer used before in the file; `seen` carries them from piece to piece."""
    problems = []
    key_names = ("file", "payer_name", "payer_id", "originator", "trace_number")
    content_names = ("amount_cents", "date", "claim_count", "charge_cents", "paid_cents", "provider_cents")
    for row in payments[["transaction", "trn_segment", *key_names, *content_names]].iter_rows(named=True):
        if row["trace_number"] is None:
            continue
        key, content = tuple(row[name] for name in key_names), tuple(row[name] for name in content_names)
        if key in seen:
            code = "PAYMENT_REPEATED" if seen[key] == content else "TRACE_REPEATED"
            problems.append(ProblemRecord(code, row["file"], row["trn_segment"], row["transaction"], "TRN02"))
        seen.setdefault(key, content)
    return problems
