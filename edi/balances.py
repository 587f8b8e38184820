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
        adjusted = sum_by(adjustments[key], adjustments["amount_cents"], rows.height)
        should, paid = rows["charge_cents"] - adjusted, rows["paid_cents"]
        balanced = _proven(should == paid, adjustments[key], adjustments["amount_cents"])
        frames[name] = rows.with_columns_seq(adjusted.alias("adjusted_cents"), balanced.alias("balanced"))
        if not balanced.all():
            wrong = frames[name].with_columns(should.alias("_should")).filter(~balanced & (should != paid))
            problems.append(_differs(wrong, code, element, "_should", "paid_cents"))
    frames["payments"], found = _balance_payments(frames)
    return frames, [*problems, *found, *_lines_against_claims(frames)]


def sum_by(keys: pl.Series, values: pl.Series, height: int, none: int | None = 0) -> pl.Series:
    """The sums over values that point at each row of another frame, which has this height; `none` where none does.

    Rows stand in the order of the file, and transactions, claims and lines are counted as they begin and never come
    back, so those of one key stand together, with at most null ones between: a running sum and its ends will do.
    """
    found = pl.Series([none], dtype=pl.Int64).new_from_index(0, height)
    if keys.null_count():
        there = keys.is_not_null()
        keys, values = keys.filter(there), values.filter(there)
    if keys.is_empty():
        return found
    last = pl.concat([keys[1:] != keys[:-1], _TRUE])
    running = (values.fill_null(0) if values.null_count() else values).cum_sum().filter(last)
    return found.scatter(keys.filter(last), running - pl.concat([_ZERO, running[:-1]]))


def _proven(same: pl.Series, keys: pl.Series, values: pl.Series) -> pl.Series:
    """Not where an amount of the equation is missing: the sum of the others proves nothing."""
    same = same.fill_null(value=False) if same.null_count() else same
    if not values.null_count():
        return same
    return same.scatter(keys.filter(values.is_null()).drop_nulls(), values=False)


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
    plb = frames["provider_adjustments"]
    provider = sum_by(plb["transaction"], plb["amount_cents"], height)
    should = sums["paid_cents"] - provider
    balanced = _proven(should == payments["amount_cents"], claims["transaction"], claims["paid_cents"])
    balanced = _proven(balanced, plb["transaction"], plb["amount_cents"])
    off = pl.concat([rows["transaction"].filter(~rows["balanced"]) for rows in (claims, lines)]).unique()
    within = ~payments["transaction"].is_in(off.implode()) if off.len() else _TRUE
    payments = payments.with_columns_seq(
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
    claims, lines, adjustments = frames["claims"], frames["lines"], frames["adjustments"]
    together = sum_by(lines["claim"], lines["paid_cents"], claims.height, none=None)
    of_claim = adjustments["line"].is_null()
    own = sum_by(
        adjustments["claim"].filter(of_claim), adjustments["amount_cents"].filter(of_claim), claims.height, none=None
    )
    differs = ((together != claims["paid_cents"]) & own.is_null()).fill_null(value=False)
    if not differs.any():
        return []
    wrong = claims.with_columns(together.alias("_lines")).filter(differs)
    return [_differs(wrong, "LINES_DIFFER", "CLP04", "_lines", "paid_cents")]


def interest(frames: Frames) -> list[Rows]:
    """What the claims tell of, against PLB L6."""
    payments, amounts, plb = frames["payments"], frames["amounts"], frames["provider_adjustments"]
    of = amounts["kind"] == "I"
    told = sum_by(amounts["transaction"].filter(of), amounts["amount_cents"].filter(of), payments.height, none=None)
    of = plb["reason"] == "L6"
    paid = -sum_by(plb["transaction"].filter(of), plb["amount_cents"].filter(of), payments.height)
    differs = told != paid  # null where nothing is told of
    if not differs.any():
        return []
    wrong = payments.with_columns(told.alias("_told"), paid.alias("_paid")).filter(differs)
    return [_differs(wrong, "INTEREST_DIFFERS", None, "_told", "_paid")]


def provider_totals(frames: Frames) -> list[Rows]:
    """TS3 against the claims up to the next one."""
    totals = frames["provider_totals"]
    if totals.is_empty():
        return []
    claims = frames["claims"]
    at = [rows["file"].cast(pl.UInt64) * 2**32 + rows["segment"] for rows in (totals, claims)]
    first = at[1].search_sorted(at[0])  # of the claims below each TS3; the last is the transaction's, or the next TS3's
    ends = claims["transaction"].search_sorted(totals["transaction"], side="right")
    following = pl.concat([first[1:], pl.Series([claims.height], dtype=first.dtype)])
    ends = ends.zip_with(ends < following, following)
    running = pl.concat([_ZERO, claims["charge_cents"].fill_null(0).cum_sum()])
    found = []
    for element, said, have in (
        ("TS304", totals["claim_count"], ends - first),
        ("TS305", totals["charge_cents"], running[ends] - running[first]),
    ):
        differs = said != have
        if differs.any():
            found.append(problem_rows(totals.filter(differs), "TOTALS_DIFFER", element))
    return found


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
    for row in payments[["transaction", "trn_segment", *key, *content]].iter_rows(named=True):
        if row["trace_number"] is None:
            continue
        this, told = tuple(row[name] for name in key), tuple(row[name] for name in content)
        if this in seen:
            code = "PAYMENT_REPEATED" if seen[this] == told else "TRACE_REPEATED"
            found.append(Found(code, row["file"], row["trn_segment"], row["transaction"], "TRN02"))
        seen.setdefault(this, told)
    return found
