"""Receivables of a bundle at an instant, computed from its CSV files alone."""

import csv
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo


@dataclass
class ImportedReceivables:
    """What is open, by age and party, which are external ids. For clinicians it does not matter who owes it."""

    by_age: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    by_payer: dict[str, dict[str, Decimal]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(Decimal)))
    by_client: dict[str, dict[str, Decimal]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(Decimal)))
    by_clinician: dict[str, dict[str, Decimal]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(Decimal))
    )
    charges: dict[str, dict[str, Decimal]] = field(default_factory=dict)


def read_rows(folder: Path, name: str) -> list[dict[str, str]]:
    file = folder / f"{name}.csv"
    if not file.exists():
        return []
    with file.open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def parse(instant: str) -> datetime:
    return datetime.fromisoformat(instant).astimezone(UTC)


def compute_receivables(folder: Path, as_of: datetime) -> ImportedReceivables:
    [practice] = read_rows(folder, "practice")
    today = (as_of - timedelta(microseconds=1)).astimezone(ZoneInfo(practice["time_zone"])).date()
    coverages = {row["id"]: row for row in read_rows(folder, "coverages")}
    self_pay = {row["id"] for row in read_rows(folder, "clients") if row["self_pay"] == "true"}
    claims: dict[str, list[dict[str, str]]] = defaultdict(list)
    for claim in read_rows(folder, "claims"):
        for charge_id in claim["charge_ids"].split("|"):
            claims[charge_id].append(claim)
    posted: dict[str, dict[str, Decimal]] = {"applied": defaultdict(Decimal), "adjusted": defaultdict(Decimal)}
    for name, file in (("applied", "payment_applications"), ("adjusted", "adjustments")):
        for row in read_rows(folder, file):
            if parse(row["posted_at"]) <= as_of:
                posted[name][row["charge_id"]] += Decimal(row["amount"])
    result = ImportedReceivables()
    for charge in read_rows(folder, "charges"):
        is_void = charge["voided_at"] and parse(charge["voided_at"]) <= as_of
        if parse(charge["created_at"]) > as_of or is_void:
            continue
        applied, adjusted = (posted[name][charge["id"]] for name in ("applied", "adjusted"))
        open_amount = Decimal(charge["amount"]) - applied - adjusted
        payer = find_payer(charge, claims[charge["id"]], coverages, self_pay)
        is_paid = any(
            claim["outcome"] == "PAID" and parse(claim["adjudicated_at"]) <= as_of for claim in claims[charge["id"]]
        )
        owed_by_client = payer is None or is_paid
        age = name_age((today - date.fromisoformat(charge["service_date"])).days)
        result.by_age[age] += open_amount
        result.by_clinician[charge["clinician_id"]][age] += open_amount
        if payer is None or is_paid:
            result.by_client[charge["client_id"]][age] += open_amount
        else:
            result.by_payer[payer][age] += open_amount
        result.charges[charge["id"]] = {
            "amount": Decimal(charge["amount"]),
            "applied": applied,
            "adjusted": adjusted,
            "payer": Decimal(0) if owed_by_client else open_amount,
            "client": open_amount if owed_by_client else Decimal(0),
        }
    return result


def find_payer(
    charge: dict[str, str],
    claims: list[dict[str, str]],
    coverages: dict[str, dict[str, str]],
    self_pay: set[str],
) -> str | None:
    """Return whose the charge was at first: by its first claim, else by the coverage then in force, else nobody's."""
    if claims:
        first = min(claims, key=lambda claim: parse(claim["submitted_at"]))
        return coverages[first["coverage_id"]]["payer_id"]
    if charge["client_id"] in self_pay:
        return None
    in_force = [
        coverage
        for coverage in coverages.values()
        if coverage["client_id"] == charge["client_id"]
        and coverage["effective_on"] <= charge["service_date"]
        and (not coverage["ends_on"] or coverage["ends_on"] >= charge["service_date"])
    ]
    if not in_force:
        return None
    return min(in_force, key=lambda coverage: (int(coverage["rank"]), coverage["id"]))["payer_id"]


def name_age(days: int) -> str:
    for last, name in ((30, "0-30"), (60, "31-60"), (90, "61-90"), (120, "91-120")):
        if days <= last:
            return name
    return "over_120"
