"""Charges, claims, payments and adjustments of an edge practice."""

from collections import defaultdict
from datetime import date, datetime
from typing import Any

from tests.support.builders.edge_practices.draft import HOUR, TICK, Draft, format_cents
from tests.support.builders.edge_practices.people import CLINICIANS
from tests.support.oracles.metrics.calendar import DAY

LATE = (HOUR, DAY, 3 * DAY, 5 * DAY, 20 * DAY, 40 * DAY)


def add_money(draft: Draft, client_ids: list[str]) -> None:
    """Add charges with and without appointment, and what became of them."""
    for visit in draft.rows["appointments"]:
        if visit["status"] == "COMPLETED" and draft.flip(0.9):
            add_visit_charges(draft, visit)
    for _ in range(len(draft.days) // 2):
        day = draft.choose_edge_date() - draft.choose(0, 0, 0, 90, 91) * DAY
        created_at = draft.calendar.start_of(day + draft.choose(-1, 0, 1, 1, 3, 4) * DAY) + draft.choose(
            -TICK, 0 * TICK, HOUR
        )
        add_charge(draft, draft.rng.choice(client_ids), draft.choose(*CLINICIANS), day, created_at)
    for charge in list(draft.rows["charges"]):
        add_payments(draft, charge)
        if draft.flip(0.4):
            add_adjustment(draft, charge)
    add_claims(draft)


def add_visit_charges(draft: Draft, visit: dict[str, Any]) -> None:
    """Add one or two charges for a visit: a second one at the same instant, or after the first was voided."""
    day = draft.calendar.date_of(visit["starts_at"]) + draft.choose(0, 0, 0, 0, -1, 1) * DAY
    clinician_id = visit["clinician_id"] if draft.flip(0.95) else draft.choose(*CLINICIANS)
    midnight = draft.calendar.start_of(day + draft.choose(1, 1, 2, 3, 4) * DAY)
    created_at = draft.choose(draft.choose_after(visit["ends_at"], *LATE[:4]), midnight, midnight - TICK)
    charge = add_charge(draft, visit["client_id"], clinician_id, day, created_at, visit["id"])
    if draft.flip(0.15):
        add_charge(draft, visit["client_id"], draft.choose(*CLINICIANS), day + DAY, charge["created_at"], visit["id"])
    elif charge["voided_at"] and draft.flip(0.6):
        add_charge(draft, visit["client_id"], clinician_id, day, charge["voided_at"], visit["id"])


def add_charge(
    draft: Draft, client_id: str, clinician_id: str, day: date, created_at: datetime, appointment_id: str = ""
) -> dict[str, Any]:
    voided_at = draft.choose_after(created_at, *LATE) if draft.flip(0.15) else None
    charge = {
        "id": draft.number("charges", "H"),
        "client_id": client_id,
        "clinician_id": clinician_id,
        "appointment_id": appointment_id,
        "service_date": day,
        "cpt_code": "90834",
        "units": 1,
        "amount": format_cents(draft.choose(10000, 10000, 12050, 333, 0)),
        "diagnoses": ["F41.1"],
        "created_at": created_at,
        "voided_at": voided_at,
    }
    draft.add("charges", **charge)
    return charge


def to_cents(amount: str) -> int:
    return int(amount.replace(".", ""))


def add_payments(draft: Draft, charge: dict[str, Any]) -> None:
    """Add payments of parts of a charge. Some are taken back, and some leave a rest that is refunded."""
    left = to_cents(charge["amount"])
    for _ in range(draft.choose(0, 1, 1, 1, 2)):
        amount = draft.rng.choice([left, left, left // 2, left // 3, 1])
        if not 0 < amount <= left:
            return
        left -= amount
        posted_at = draft.choose_after(charge["created_at"], *LATE)
        rest = draft.choose(0, 0, 0, 500)
        payment_id = draft.number("payments", "Y")
        draft.add(
            "payments",
            id=payment_id,
            payer="CLIENT",
            client_id=charge["client_id"],
            method="CASH",
            amount=format_cents(amount + rest),
            received_on=draft.calendar.date_of(posted_at),
            posted_at=posted_at,
        )
        add_application(draft, payment_id, charge["id"], amount, posted_at)
        if rest:
            refunded_at = draft.choose_after(posted_at, *LATE)
            number = draft.number("refunds", "Z")
            cells = {"amount": format_cents(rest), "method": "CASH", "refunded_at": refunded_at}
            draft.add("refunds", id=number, payment_id=payment_id, **cells)
        if draft.flip(0.15):
            taken_back = draft.choose(amount, amount // 2 + 1)
            add_application(draft, payment_id, charge["id"], -taken_back, draft.choose_after(posted_at, *LATE))


def add_application(draft: Draft, payment_id: str, charge_id: str, cents: int, posted_at: datetime) -> None:
    draft.add(
        "payment_applications",
        id=draft.number("payment_applications", "P"),
        payment_id=payment_id,
        charge_id=charge_id,
        amount=format_cents(cents),
        posted_at=posted_at,
    )


def add_adjustment(draft: Draft, charge: dict[str, Any]) -> None:
    cents = draft.choose(1000, 2500, 1, -500)
    draft.add(
        "adjustments",
        id=draft.number("adjustments", "J"),
        charge_id=charge["id"],
        group=draft.choose("CO", "CO", "CO", "PR", "OA", "PI", "CR", "WO"),
        reason="45",
        amount=format_cents(cents),
        posted_at=draft.choose_after(charge["created_at"], *LATE),
    )


def add_claims(draft: Draft) -> None:
    """Add claims of one or several charges, answered late, at an edge, or not at all."""
    coverages = {coverage["client_id"]: coverage["id"] for coverage in draft.rows["coverages"]}
    charges = defaultdict(list)
    for charge in draft.rows["charges"]:
        if charge["client_id"] in coverages and not charge["voided_at"]:
            charges[charge["client_id"]].append(charge)
    for client_id, of_client in charges.items():
        draft.rng.shuffle(of_client)
        while of_client and draft.flip(0.93):
            claimed = [of_client.pop() for _ in range(min(len(of_client), draft.choose(1, 1, 2)))]
            add_claim(draft, client_id, coverages[client_id], claimed)


def add_claim(draft: Draft, client_id: str, coverage_id: str, charges: list[dict[str, Any]]) -> None:
    submitted_at = draft.choose_after(max(charge["created_at"] for charge in charges), HOUR, DAY, 2 * DAY)
    has_response, is_adjudicated = draft.flip(0.85), draft.flip(0.75)
    number = draft.number("claims", "B")
    draft.add(
        "claims",
        id=number,
        control_number=f"PCN{number}",
        client_id=client_id,
        coverage_id=coverage_id,
        charge_ids=[charge["id"] for charge in charges],
        submitted_at=submitted_at,
        first_response_at=draft.choose_after(submitted_at, HOUR, DAY, 5 * DAY) if has_response else None,
        first_response=draft.choose("ACCEPTED", "ACCEPTED", "ACCEPTED", "REJECTED") if has_response else None,
        adjudicated_at=draft.choose_after(submitted_at, DAY, 9 * DAY, 30 * DAY) if is_adjudicated else None,
        outcome=draft.choose("PAID", "PARTIAL", "DENIED") if is_adjudicated else None,
    )
