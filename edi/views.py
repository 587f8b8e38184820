"""One payment or one claim as plain objects, read off the frames: for a page, a test, a person.

For many claims at once the frames are the better choice; that is why they are there.
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
    group: str | None
    reason: str | None
    amount_cents: int | None
    quantity: Decimal | None


@dataclass(frozen=True)
class Person:
    last: str | None
    first: str | None
    id_kind: str | None
    id: str | None


@dataclass(frozen=True)
class Line:
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
    def reversal(self) -> bool:
        return self.status == REVERSAL


@dataclass(frozen=True)
class ProviderAdjustment:
    provider: str | None
    fiscal_date: date | None
    reason: str | None
    reference: str | None
    amount_cents: int | None


@dataclass(frozen=True)
class Payment:
    """A transaction: `head` is its row of `payments`."""

    head: dict[str, Any]
    provider_adjustments: list[ProviderAdjustment]
    claims: list[Claim]


Rows = dict[Any, list[dict[str, Any]]]
_OF_CLAIM = ("lines", "adjustments", "names", "references", "dates", "amounts", "remarks")


def payments(remittance: Remittance) -> Iterator[Payment]:
    """Every payment with all its claims, in the order of the files."""
    rows = {name: _by("claim", getattr(remittance, name).iter_rows(named=True)) for name in _OF_CLAIM}
    claims = _by("transaction", remittance.claims.iter_rows(named=True))
    provider = _by("transaction", remittance.provider_adjustments.iter_rows(named=True))
    for head in remittance.payments.iter_rows(named=True):
        number = head["transaction"]
        yield Payment(
            head,
            [_picked(ProviderAdjustment, row) for row in provider[number]],
            [_claim(row, rows) for row in claims[number]],
        )


def claim(remittance: Remittance, number: int) -> Claim:
    """The claim in this row of `claims`."""
    its = pl.col("claim") == number
    rows = {name: _by("claim", getattr(remittance, name).filter(its).iter_rows(named=True)) for name in _OF_CLAIM}
    return _claim(remittance.claims.row(number, named=True), rows)


def _by(key: str, rows: Iterable[dict[str, Any]]) -> Rows:
    found: Rows = defaultdict(list)
    for row in rows:
        found[row[key]].append(row)
    return found


def _picked(kind: Any, row: dict[str, Any], **more: Any) -> Any:
    names = kind.__dataclass_fields__
    return kind(**{name: more[name] if name in more else row[name] for name in names})


def _claim(row: dict[str, Any], rows: dict[str, Rows]) -> Claim:
    its = {name: rows[name][row["claim"]] for name in _OF_CLAIM}
    of_lines = {name: _by("line", its[name]) for name in ("adjustments", "references", "dates", "remarks")}
    lines = [_line(line, of_lines) for line in its["lines"]]
    dates = {one["kind"]: one["date"] for one in reversed(its["dates"]) if one["line"] is None}
    served = sorted(day for one in its["dates"] if one["line"] is not None and (day := one["date"]))
    people = {one["entity"]: _picked(Person, one) for one in reversed(its["names"])}
    return _picked(
        Claim,
        row,
        patient=people.get("QC"),
        insured=people.get("IL"),
        corrected=people.get("74"),
        rendering=people.get("82"),
        service_from=dates.get("232") or (served[0] if served else None),
        service_to=dates.get("233") or (served[-1] if served else None),
        adjustments=[_picked(Adjustment, one) for one in its["adjustments"] if one["line"] is None],
        remarks=[one["code"] for one in its["remarks"] if one["line"] is None],
        lines=lines,
        references=[(one["kind"], one["value"]) for one in its["references"] if one["line"] is None],
        amounts=[(one["kind"], one["amount_cents"]) for one in its["amounts"] if one["line"] is None],
    )


def _line(row: dict[str, Any], of_lines: dict[str, Rows]) -> Line:
    its = {name: rows[row["line"]] for name, rows in of_lines.items()}
    dates = {one["kind"]: one["date"] for one in reversed(its["dates"])}
    return _picked(
        Line,
        row,
        modifiers=[one for one in row["modifiers"] or [] if one],
        date=dates.get("472") or dates.get("150"),
        control=next((one["value"] for one in its["references"] if one["kind"] == "6R"), None),
        adjustments=[_picked(Adjustment, one) for one in its["adjustments"]],
        remarks=[one["code"] for one in its["remarks"]],
    )
