"""Metrics of charges, claims and payments. Numerators and denominators are in dollars."""

from datetime import datetime
from fractions import Fraction
from types import SimpleNamespace as Row

from tests.support.oracles.metrics.calendar import DAY
from tests.support.oracles.metrics.cases import Case
from tests.support.oracles.metrics.records import is_void
from tests.support.oracles.metrics.sessions import Sum, add_up


def to_dollars(cents: int) -> Fraction:
    return Fraction(cents, 100)


def list_charges(case: Case, at: datetime) -> list[Row]:
    """Return the entity's charges that exist at an instant and are not void then."""
    return [charge for charge in case.entity.charges if charge.created_at <= at and not is_void(charge, at)]


def sum_amounts(charges: list[Row]) -> int:
    return sum(charge.amount for charge in charges)


def sum_applied(case: Case, charges: list[Row], by: datetime) -> int:
    """Return the money applied to charges by an instant, less what was taken back."""
    return sum(
        application.amount
        for charge in charges
        for application in case.records.applications.get(charge.id, [])
        if application.posted_at <= by
    )


def sum_adjusted(case: Case, charges: list[Row], by: datetime, groups: tuple[str, ...] = ()) -> int:
    """Return the adjustments on charges by an instant, of all groups if none are named."""
    return sum(
        adjustment.amount
        for charge in charges
        for adjustment in case.records.adjustments.get(charge.id, [])
        if adjustment.posted_at <= by and (not groups or adjustment.group in groups)
    )


def sum_entry_lag(case: Case) -> Sum:
    """Sum the days from service to entry of each appointment's first charge and of the charges without one."""
    return add_up(
        [
            Fraction(max(0, (case.calendar.date_of(charge.created_at) - charge.service_date).days))
            for charge in case.entity.charges
            if charge.service_date in case.period
            and (
                not is_void(charge, case.as_of)
                if charge.appointment_id is None
                else case.records.first_charges[charge.appointment_id] is charge
            )
        ]
    )


def count_billed(case: Case) -> Sum:
    billed = {charge.appointment_id for charge in case.records.charges if not is_void(charge, case.as_of)}
    return sum(a.id in billed for a in case.completed_before_today), len(case.completed_before_today)


def count_accepted(case: Case) -> Sum:
    answered = [
        claim
        for claim in case.entity.claims
        if claim.submitted_at <= case.as_of
        and case.calendar.date_of(claim.submitted_at) in case.period
        and claim.first_response_at is not None
        and claim.first_response_at <= case.as_of
    ]
    return sum(claim.first_response == "ACCEPTED" for claim in answered), len(answered)


def count_denied(case: Case) -> Sum:
    adjudicated = [
        claim
        for claim in case.entity.claims
        if claim.adjudicated_at is not None
        and claim.adjudicated_at <= case.as_of
        and case.calendar.date_of(claim.adjudicated_at) in case.period
    ]
    return sum(claim.outcome == "DENIED" for claim in adjudicated), len(adjudicated)


def sum_reimbursement(case: Case) -> Sum:
    sessions = {a.id for a in case.completed}
    charges = [c for c in case.records.charges if c.appointment_id in sessions and not is_void(c, case.as_of)]
    return to_dollars(sum_applied(case, charges, case.as_of)), len(case.completed)


def count_matched(_case: Case) -> Sum:
    """Return zeros: a bundle brings no remittance files."""
    return 0, 0


def sum_receivables(case: Case) -> Sum:
    """Return the balance at t and the charges a day over the 90 days before, or since the first service."""
    charges = list_charges(case, case.t)
    balance = sum_amounts(charges) - sum_applied(case, charges, case.t) - sum_adjusted(case, charges, case.t)
    first = min((charge.service_date for charge in charges), default=case.day)
    days = min(90, (case.day - first).days + 1)
    recent = sum_amounts([c for c in charges if case.day - 90 * DAY < c.service_date <= case.day])
    return to_dollars(balance), to_dollars(recent) / days if days > 0 else 0


def sum_collected(case: Case) -> Sum:
    charges = [c for c in list_charges(case, case.as_of) if c.service_date in case.period]
    return to_dollars(sum_applied(case, charges, case.as_of)), to_dollars(sum_amounts(charges))


def sum_net_collected(case: Case) -> Sum:
    """Return what was paid by t of the charges whose 90th day lies in the period and is over, less contractual cuts."""
    charges = [
        charge
        for charge in list_charges(case, case.t)
        if charge.service_date + 90 * DAY in case.period and charge.service_date + 90 * DAY <= case.day
    ]
    allowed = sum_amounts(charges) - sum_adjusted(case, charges, case.t, ("CO",))
    return to_dollars(sum_applied(case, charges, case.t)), to_dollars(allowed)
