"""Payments and claims as plain objects built from the frames: for a page, a test, a person.

For work on many claims use the frames instead, which are much faster.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl

from edi.remittance import Remittance

REVERSAL = "22"


@dataclass(frozen=True)
class Adjustment:
    """A triplet of a CAS."""

    group: str | None
    reason: str | None
    amount_cents: int | None
    quantity: Decimal | None


@dataclass(frozen=True)
class Person:
    """An NM1 of a claim."""

    last: str | None
    first: str | None
    id_kind: str | None
    id: str | None


@dataclass(frozen=True)
class Line:
    """An SVC with its adjustments and remark codes."""

    procedure_kind: str | None
    procedure: str | None
    modifiers: list[str]
    submitted_procedure: str | None
    charge_cents: int | None
    paid_cents: int | None
    revenue_code: str | None
    units: Decimal | None
    date: date | None
    control: str | None
    balanced: bool
    adjustments: list[Adjustment]
    remarks: list[str]
    segment: int


@dataclass(frozen=True)
class Claim:
    """A CLP with its people, dates, adjustments and lines."""

    control_number: str | None
    status: str | None
    charge_cents: int | None
    paid_cents: int | None
    patient_cents: int | None
    filing: str | None
    payer_claim_number: str | None
    patient: Person | None
    insured: Person | None
    corrected: Person | None
    rendering: Person | None
    service_from: date | None
    service_to: date | None
    balanced: bool
    adjustments: list[Adjustment]
    remarks: list[str]
    lines: list[Line]
    references: list[tuple[str | None, str | None]]
    amounts: list[tuple[str | None, int | None]]
    segment: int

    @property
    def is_reversal(self) -> bool:
        return self.status == REVERSAL


@dataclass(frozen=True)
class ProviderAdjustment:
    """A pair of a PLB."""

    provider: str | None
    fiscal_date: date | None
    reason: str | None
    reference: str | None
    amount_cents: int | None


@dataclass(frozen=True)
class Payment:
    """A transaction; `header` is its row of `payments`."""

    header: dict[str, Any]
    provider_adjustments: list[ProviderAdjustment]
    claims: list[Claim]


GroupedRows = dict[Any, list[dict[str, Any]]]
_CLAIM_FRAMES = ("lines", "adjustments", "names", "references", "dates", "amounts", "remarks")


def iterate_payments(remittance: Remittance) -> Iterator[Payment]:
    """Yield every payment with all its claims, in the order of the files."""
    rows = {name: _group_by("claim", getattr(remittance, name).iter_rows(named=True)) for name in _CLAIM_FRAMES}
    claims = _group_by("transaction", remittance.claims.iter_rows(named=True))
    provider_adjustments = _group_by("transaction", remittance.provider_adjustments.iter_rows(named=True))
    for header in remittance.payments.iter_rows(named=True):
        number = header["transaction"]
        yield Payment(
            header,
            [_build(ProviderAdjustment, row) for row in provider_adjustments[number]],
            [_build_claim(row, rows) for row in claims[number]],
        )


def get_claim(remittance: Remittance, number: int) -> Claim:
    """Return the claim in this row of `claims`."""
    is_own = pl.col("claim") == number
    rows = {
        name: _group_by("claim", getattr(remittance, name).filter(is_own).iter_rows(named=True))
        for name in _CLAIM_FRAMES
    }
    return _build_claim(remittance.claims.row(number, named=True), rows)


def _group_by(key: str, rows: Iterable[dict[str, Any]]) -> GroupedRows:
    groups: GroupedRows = defaultdict(list)
    for row in rows:
        groups[row[key]].append(row)
    return groups


def _build(kind: Any, row: dict[str, Any], **values: Any) -> Any:
    """Return an object of this dataclass from the values, and from the row where a value is not given."""
    names = kind.__dataclass_fields__
    return kind(**{name: values[name] if name in values else row[name] for name in names})


def _build_claim(row: dict[str, Any], rows: dict[str, GroupedRows]) -> Claim:
    own = {name: rows[name][row["claim"]] for name in _CLAIM_FRAMES}
    line_rows = {name: _group_by("line", own[name]) for name in ("adjustments", "references", "dates", "remarks")}
    lines = [_build_line(line, line_rows) for line in own["lines"]]
    # rows are reversed where the first one of a kind counts
    dates = {row["kind"]: row["date"] for row in reversed(own["dates"]) if row["line"] is None}
    line_dates = sorted(day for row in own["dates"] if row["line"] is not None and (day := row["date"]))
    people = {row["entity"]: _build(Person, row) for row in reversed(own["names"])}
    return _build(
        Claim,
        row,
        patient=people.get("QC"),
        insured=people.get("IL"),
        corrected=people.get("74"),
        rendering=people.get("82"),
        service_from=dates.get("232") or (line_dates[0] if line_dates else None),
        service_to=dates.get("233") or (line_dates[-1] if line_dates else None),
        adjustments=[_build(Adjustment, row) for row in own["adjustments"] if row["line"] is None],
        remarks=[row["code"] for row in own["remarks"] if row["line"] is None],
        lines=lines,
        references=[(row["kind"], row["value"]) for row in own["references"] if row["line"] is None],
        amounts=[(row["kind"], row["amount_cents"]) for row in own["amounts"] if row["line"] is None],
    )


def _build_line(row: dict[str, Any], line_rows: dict[str, GroupedRows]) -> Line:
    own = {name: rows[row["line"]] for name, rows in line_rows.items()}
    dates = {row["kind"]: row["date"] for row in reversed(own["dates"])}
    return _build(
        Line,
        row,
        modifiers=[modifier for modifier in row["modifiers"] or [] if modifier],
        date=dates.get("472") or dates.get("150"),
        control=next((row["value"] for row in own["references"] if row["kind"] == "6R"), None),
        adjustments=[_build(Adjustment, row) for row in own["adjustments"]],
        remarks=[row["code"] for row in own["remarks"]],
    )
