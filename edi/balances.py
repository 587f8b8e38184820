"""Amounts held against each other: the three balances, the control totals, interest, and what stands there twice.

    line     SVC02 - its adjustments              = SVC03
    claim    CLP03 - all its adjustments          = CLP04
    payment  the claims' CLP04 - the PLB amounts  = BPR02

Amounts of AMT never count in a balance. The sum of a claim's SVC03 is held against its CLP04 only where no adjustment
is the claim's own.
"""

from typing import Any

import polars as pl

from edi.checks import Rows, problem_rows
from edi.columns import Frames
from edi.problems import Found
from edi.values import money_text

_ZERO, _TRUE = pl.Series([0], dtype=pl.Int64), pl.Series([True])


def balance(frames: Frames) -> tuple[Frames, list[Rows]]:
    """Fills the worked-out columns of lines, claims and payments; the problems are what does not agree."""
    frames = dict(frames)
    adjustments = frames["adjustments"]
    problems = []
    for name, key, code, element in (
        ("lines", "line", "LINE_UNBALANCED", "SVC03"),
        ("claims", "claim", "CLAIM_UNBALANCED", "CLP04"),
    ):
        rows = frames[name]
        adjusted = sum_by(adjustments, key, "amount_cents", rows.height)
        should, paid = rows["charge_cents"] - adjusted, rows["paid_cents"]
        balanced = _proven(should == paid, adjustments, key, "amount_cents")
        frames[name] = rows.with_columns(adjusted.alias("adjusted_cents"), balanced.alias("balanced"))
        if not balanced.all():
            wrong = frames[name].with_columns(should.alias("_should")).filter(~balanced & (should != paid))
            problems.append(_differs(wrong, code, element, "_should", "paid_cents"))
    frames["payments"], found = _balance_payments(frames)
    return frames, [*problems, *found, *_lines_against_claims(frames)]


def sum_by(rows: pl.DataFrame, key: str, what: str, height: int, none: int | None = 0) -> pl.Series:
    """The sums over rows that point at each row of another frame, which has this height; `none` where none does.

    Rows stand in the order of the file, so those of one key stand together: a running sum and its ends will do.
    """
    found = pl.Series(what, [none], pl.Int64).new_from_index(0, height)
    keys, values = rows[key], rows[what]
    if keys.null_count():
        there = keys.is_not_null()
        keys, values = keys.filter(there), values.filter(there)
    if keys.is_empty():
        return found
    last = pl.concat([keys[1:] != keys[:-1], _TRUE])
    running = (values.fill_null(0) if values.null_count() else values).cum_sum().filter(last)
    return found.scatter(keys.filter(last), running - pl.concat([_ZERO, running[:-1]]))


def _proven(balanced: pl.Series, rows: pl.DataFrame, key: str, what: str) -> pl.Series:
    """Not where an amount of the equation is missing: the sum of the others proves nothing."""
    balanced = balanced.fill_null(value=False)
    if not rows[what].null_count():
        return balanced
    return balanced.scatter(rows.filter(pl.col(what).is_null())[key].drop_nulls(), values=False)


def _sums_of_claims(claims: pl.DataFrame, height: int) -> dict[str, pl.Series]:
    """The control totals of each payment."""
    names = ("charge_cents", "paid_cents", "patient_cents")
    sums = claims.group_by("transaction").agg(pl.col(names).sum(), pl.len().cast(pl.Int64).alias("claim_count"))
    zeros = pl.Series([0], dtype=pl.Int64).new_from_index(0, height)
    at = sums["transaction"]
    return {name: zeros.clone().scatter(at, sums[name]).alias(name) for name in (*names, "claim_count")}


def _differs(rows: pl.DataFrame, code: str, element: str | None, should: str, found: str) -> Rows:
    return problem_rows(rows, code, element, should=money_text(pl.col(should)), found=money_text(pl.col(found)))


def _balance_payments(frames: Frames) -> tuple[pl.DataFrame, list[Rows]]:
    payments, claims, lines = frames["payments"], frames["claims"], frames["lines"]
    height = payments.height
    sums = _sums_of_claims(claims, height)
    provider = sum_by(frames["provider_adjustments"], "transaction", "amount_cents", height)
    should = sums["paid_cents"] - provider
    balanced = _proven(should == payments["amount_cents"], claims, "transaction", "paid_cents")
    balanced = _proven(balanced, frames["provider_adjustments"], "transaction", "amount_cents")
    off = [rows.filter(~rows["balanced"])["transaction"] for rows in (claims, lines)]
    within = ~payments["transaction"].is_in(pl.concat(off).drop_nulls().unique().implode())
    payments = payments.with_columns(
        *sums.values(),
        provider.alias("provider_cents"),
        balanced.alias("balanced"),
        (balanced & within).alias("balanced_throughout"),
    )
    if balanced.all():
        return payments, []
    wrong = payments.with_columns(should.alias("_should"), segment=pl.col("bpr_segment"))
    wrong = wrong.filter(~balanced & (should != payments["amount_cents"]))
    return payments, [_differs(wrong, "PAYMENT_UNBALANCED", "BPR02", "_should", "amount_cents")]


def _lines_against_claims(frames: Frames) -> list[Rows]:
    claims, adjustments = frames["claims"], frames["adjustments"].select("claim", "line", "amount_cents")
    together = sum_by(frames["lines"], "claim", "paid_cents", claims.height, none=None)
    own = sum_by(adjustments.filter(pl.col("line").is_null()), "claim", "amount_cents", claims.height, none=None)
    differs = ((together != claims["paid_cents"]) & own.is_null()).fill_null(value=False)
    if not differs.any():
        return []
    wrong = claims.with_columns(together.alias("_lines")).filter(differs)
    return [_differs(wrong, "LINES_DIFFER", "CLP04", "_lines", "paid_cents")]


def interest(frames: Frames) -> list[Rows]:
    """What the claims tell of, against PLB L6."""
    told = frames["amounts"].select("transaction", "kind", "amount_cents").filter(pl.col("kind") == "I")
    if told.is_empty():
        return []
    payments = frames["payments"]
    plb = frames["provider_adjustments"].filter(pl.col("reason") == "L6")
    paid = -sum_by(plb, "transaction", "amount_cents", payments.height)
    rows = payments.with_columns(
        sum_by(told, "transaction", "amount_cents", payments.height).alias("_told"), paid.alias("_paid")
    )
    telling = pl.col("transaction").is_in(told["transaction"].drop_nulls().implode())
    wrong = rows.filter(telling & (pl.col("_told") != pl.col("_paid")))
    return [_differs(wrong, "INTEREST_DIFFERS", None, "_told", "_paid")] if wrong.height else []


def provider_totals(frames: Frames) -> list[Rows]:
    """TS3 against the claims up to the next one."""
    totals = frames["provider_totals"]
    if totals.is_empty():
        return []
    claims = frames["claims"]
    at = [rows["file"].cast(pl.UInt64) * 2**32 + rows["segment"] for rows in (totals, claims)]
    under = at[0].search_sorted(at[1]).cast(pl.Int64) - 1  # the last TS3 before each claim, of any transaction
    own = pl.select(pl.when(under >= 0).then(under).cast(pl.UInt32).alias("total")).to_series()
    same = (totals["transaction"][own] == claims["transaction"]).fill_null(value=False)
    its = claims.select("charge_cents", own, one=pl.lit(1, pl.Int64)).filter(same)
    rows = totals.with_columns(
        sum_by(its, "total", "one", totals.height).alias("_count"),
        sum_by(its, "total", "charge_cents", totals.height).alias("_charge"),
    )
    checks = (("TS304", "claim_count", "_count"), ("TS305", "charge_cents", "_charge"))
    wrong = [(element, rows.filter(pl.col(said) != pl.col(found))) for element, said, found in checks]
    return [problem_rows(found, "TOTALS_DIFFER", element) for element, found in wrong if found.height]


def repeated_claims(claims: pl.DataFrame) -> list[Rows]:
    key = ["transaction", "control_number", "payer_claim_number", "status", "charge_cents", "paid_cents"]
    again = claims["control_number"].is_duplicated()
    if not again.any():
        return []
    same_number = claims.select("file", "claim", "segment", *key).filter(again)
    wrong = same_number.filter(~pl.struct(key).is_first_distinct())
    return [problem_rows(wrong, "CLAIM_REPEATED", "CLP01")] if wrong.height else []


def repeated_payments(payments: pl.DataFrame, seen: dict[tuple[Any, ...], tuple[Any, ...]]) -> list[Found]:
    """Trace numbers that the same payer used before in the file; `seen` carries them from piece to piece."""
    found = []
    key = ("file", "payer_name", "payer_id", "originator", "trace_number")
    content = ("amount_cents", "date", "claim_count", "charge_cents", "paid_cents", "provider_cents")
    for row in payments.select("transaction", "trn_segment", *key, *content).iter_rows(named=True):
        if row["trace_number"] is None:
            continue
        this, told = tuple(row[name] for name in key), tuple(row[name] for name in content)
        if this in seen:
            code = "PAYMENT_REPEATED" if seen[this] == told else "TRACE_REPEATED"
            found.append(Found(code, row["file"], row["trn_segment"], row["transaction"], "TRN02"))
        seen.setdefault(this, told)
    return found
