"""Rows of billing as its services will write them: charges, claims, payments, adjustments, each with its moment."""

from typing import Any
from uuid import UUID

from sqlalchemy import text

from practice.billing.models.charges import Adjustment, Charge, Claim, ClaimCharge
from practice.billing.models.payments import Payment, PaymentApplication
from practice.store.ids import new_id
from tests.support.simulation.practice import DAY, MINUTE, NothingToDo, SimulatedPractice, service

OPEN_CHARGES = "select * from charges where voided_at is null and created_at > :now - interval '200 days' order by id"

UNTOUCHED_CHARGES = """
    select * from charges as h where voided_at is null and created_at > :now - interval '200 days'
        and not exists (select from payment_applications as a where a.charge_id = h.id)
        and not exists (select from adjustments as a where a.charge_id = h.id)
    order by id
"""


def put(sim: SimulatedPractice, *records: Any) -> None:
    with sim.work() as work:
        for record in records:
            record.tenant_id = sim.tenant_id
            work.db.add(record)
            work.db.flush()


def pick_charge(sim: SimulatedPractice, charge_id: UUID | None) -> Any:
    """Return this charge, or a random one. Nothing is posted on a void one."""
    if charge_id is None:
        return sim.pick(OPEN_CHARGES)
    return sim.pick("select * from charges where id = :id and voided_at is null", id=charge_id)


@service("add a charge", 0.15)
def add_charge(sim: SimulatedPractice, appointment_id: UUID | None = None) -> None:
    charge = Charge(id=new_id(), cpt_code="90834", units=1, amount_cents=sim.random.randint(60, 200) * 100)
    charge.created_at = sim.now
    if appointment_id:
        visit = sim.pick("select * from appointments where id = :id and status = 'COMPLETED'", id=appointment_id)
        charge.client_id, charge.clinician_id, charge.appointment_id = visit.client_id, visit.clinician_id, visit.id
        charge.service_date = visit.starts_at.astimezone(sim.zone).date()
    else:
        charge.client_id, charge.clinician_id = sim.pick_client().id, sim.pick_clinician().id
        charge.service_date = sim.choose_day(-100, 0) if sim.happens(0.3) else sim.choose_day(-6, 0)
    charge_id, client_id = charge.id, charge.client_id
    put(sim, charge)
    coverages = sim.rows("select id from coverages where client_id = :id and voided_at is null", id=client_id)
    if coverages and sim.happens(0.7):
        sim.later(sim.now + sim.choose_span(MINUTE, 5 * DAY), "submit a claim", charge_id, coverages[0].id)
    elif sim.happens(0.8):
        sim.later(sim.now + sim.choose_span(MINUTE, 60 * DAY), "apply a payment", charge_id)


@service("void a charge", 0.2)
def void_charge(sim: SimulatedPractice) -> None:
    charge = sim.pick(UNTOUCHED_CHARGES)
    with sim.work() as work:
        record = work.db.get_one(Charge, (sim.tenant_id, charge.id))
        work.void(record, "Entered twice.")


@service("submit a claim")
def submit_claim(sim: SimulatedPractice, charge_id: UUID, coverage_id: UUID) -> None:
    charge = sim.pick("select * from charges where id = :id and voided_at is null", id=charge_id)
    claim = Claim(id=new_id(), control_number=new_id().hex, client_id=charge.client_id, coverage_id=coverage_id)
    claim.submitted_at = sim.now
    claim_id = claim.id
    put(sim, claim, ClaimCharge(claim_id=claim_id, position=1, charge_id=charge_id))
    sim.later(sim.now + sim.choose_span(MINUTE, 9 * DAY), "accept or reject a claim", claim_id, charge_id)


@service("accept or reject a claim")
def respond_to_claim(sim: SimulatedPractice, claim_id: UUID, charge_id: UUID) -> None:
    response = "ACCEPTED" if sim.happens(0.9) else "REJECTED"
    change_claim(sim, claim_id, first_response_at=sim.now, first_response=response)
    if response == "ACCEPTED":
        sim.later(sim.now + sim.choose_span(DAY, 40 * DAY), "adjudicate a claim", claim_id, charge_id)


@service("adjudicate a claim")
def adjudicate(sim: SimulatedPractice, claim_id: UUID, charge_id: UUID) -> None:
    outcome = sim.choose("PAID", "PAID", "PAID", "PARTIAL", "DENIED")
    change_claim(sim, claim_id, adjudicated_at=sim.now, outcome=outcome)
    if outcome != "DENIED":
        sim.later(sim.now + MINUTE, "apply a payment", charge_id)
        sim.later(sim.now + 2 * MINUTE, "adjust a charge", charge_id)


def change_claim(sim: SimulatedPractice, claim_id: UUID, **values: Any) -> None:
    with sim.work() as work:
        claim = work.db.get_one(Claim, (sim.tenant_id, claim_id))
        for name, value in values.items():
            setattr(claim, name, value)


@service("apply a payment", 0.2)
def apply_payment(sim: SimulatedPractice, charge_id: UUID | None = None) -> None:
    charge = (
        sim.pick("select * from charges where id = :id and voided_at is null", id=charge_id)
        if charge_id
        else sim.pick(OPEN_CHARGES)
    )
    cents = round(charge.amount_cents * sim.random.uniform(0.2, 0.9))
    payment = Payment(id=new_id(), payer="CLIENT", client_id=charge.client_id, method="CASH", amount_cents=cents)
    payment.received_on, payment.posted_at = sim.today, sim.now
    application = PaymentApplication(id=new_id(), payment_id=payment.id, charge_id=charge.id, amount_cents=cents)
    application.posted_at = sim.now
    put(sim, payment, application)


@service("reverse a payment", 0.1)
def reverse_payment(sim: SimulatedPractice) -> None:
    applied = sim.pick("select * from payment_applications where amount_cents > 0 order by id")
    reversal = PaymentApplication(id=new_id(), payment_id=applied.payment_id, charge_id=applied.charge_id)
    reversal.amount_cents, reversal.posted_at = -applied.amount_cents, sim.now
    with sim.work() as work:
        reversed_already = work.db.scalar(
            text("select 1 from payment_applications where payment_id = :id and amount_cents < 0"),
            {"id": applied.payment_id},
        )
    if reversed_already:
        raise NothingToDo
    put(sim, reversal)


@service("adjust a charge", 0.1)
def adjust(sim: SimulatedPractice, charge_id: UUID | None = None) -> None:
    charge = (
        sim.pick("select * from charges where id = :id and voided_at is null", id=charge_id)
        if charge_id
        else sim.pick(OPEN_CHARGES)
    )
    adjustment = Adjustment(id=new_id(), charge_id=charge.id, group_code=sim.choose("CO", "CO", "PR"), reason="45")
    adjustment.amount_cents, adjustment.posted_at = sim.random.randint(1, 30) * 100, sim.now
    put(sim, adjustment)
