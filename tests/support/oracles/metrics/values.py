"""The value of each metric for each entity and period: sums, rounding, benchmarks and status."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from math import floor
from typing import Any, NamedTuple

from tests.support.oracles.metrics import clients, money, sessions, staff
from tests.support.oracles.metrics.calendar import Period
from tests.support.oracles.metrics.cases import Case, Entity
from tests.support.oracles.metrics.hours import Hours
from tests.support.oracles.metrics.records import Records, Setting, Tables
from tests.support.oracles.metrics.sessions import Sum


class Key(NamedTuple):
    metric_key: str
    entity_kind: str
    entity_id: str
    period_kind: str
    period_start: date


class Value(NamedTuple):
    numerator: Fraction
    denominator: Fraction | None
    value: Decimal | None
    status: str


@dataclass(frozen=True)
class Metric:
    """How a metric is computed, and the defaults of its benchmark and its alert threshold."""

    compute: Callable[[Case], Sum]
    bounds: dict[str, int] = field(default_factory=dict)
    unit: str = "percent"  # or "quotient", or "numerator": the numerator is the value
    digits: int = 2
    entities: tuple[str, ...] = ("practice", "clinician", "team")
    periods: tuple[str, ...] = ("day", "week", "month", "quarter")


def reach(target: int, alert: int | None) -> dict[str, int]:
    """Return the bounds of a metric that should be high."""
    return {"target_at_least": target} | ({} if alert is None else {"alert_below": alert})


def stay_within(target: int, alert: int) -> dict[str, int]:
    """Return the bounds of a metric that should be low, and may be at its benchmark."""
    return {"target_at_most": target, "alert_above": alert}


def stay_below(target: int, alert: int) -> dict[str, int]:
    return {"target_below": target, "alert_above": alert}


def stay_between(low: int, high: int, alert_low: int, alert_high: int) -> dict[str, int]:
    return {"target_at_least": low, "target_at_most": high, "alert_below": alert_low, "alert_above": alert_high}


PRACTICE: dict[str, Any] = {"entities": ("practice",)}
LONG: dict[str, Any] = {"periods": ("month", "quarter")}
MEAN: dict[str, Any] = {"unit": "quotient"}
METRICS = {
    "kept_visit_rate": Metric(sessions.count_kept, reach(85, 80)),
    "no_show_rate": Metric(sessions.count_missed, stay_within(10, 15)),
    "cancellation_rate": Metric(sessions.count_cancelled, stay_within(15, 20)),
    "rebook_rate": Metric(sessions.count_rebooked, reach(75, 65)),
    "sessions_per_day": Metric(sessions.count_sessions, stay_between(5, 7, 4, 8), **MEAN),
    "same_day_documentation_rate": Metric(sessions.count_signed_the_same_day, reach(90, 80)),
    "avg_documentation_hours": Metric(sessions.sum_documentation_hours, stay_below(24, 48), **MEAN),
    "treatment_plan_currency": Metric(clients.count_reviewed_plans, reach(100, 95)),
    "unsigned_note_backlog": Metric(sessions.count_unsigned, stay_within(0, 5), unit="numerator"),
    "notes_signed_within_7_days_rate": Metric(sessions.count_signed_in_time, reach(100, 95)),
    "weekly_deadline_rate": Metric(sessions.count_signed_before_deadline, reach(100, 90)),
    "client_retention_90d": Metric(clients.count_retained, reach(70, 60)),
    "crisis_intervention_rate": Metric(sessions.count_crises, stay_below(5, 10)),
    "safety_plan_compliance": Metric(clients.count_safe, reach(100, 100)),
    "charge_entry_lag_days": Metric(money.sum_entry_lag, stay_below(1, 3), **MEAN),
    "billing_compliance_rate": Metric(money.count_billed, reach(100, 95)),
    "claim_acceptance_rate": Metric(money.count_accepted, reach(95, 90)),
    "denial_rate": Metric(money.count_denied, stay_within(2, 10)),
    "avg_reimbursement_per_session": Metric(money.sum_reimbursement, **MEAN),
    "era_auto_match_rate": Metric(money.count_matched, reach(85, 85), **PRACTICE),
    "schedule_fill_rate": Metric(sessions.sum_booked, reach(85, 75)),
    "prime_time_utilization": Metric(sessions.sum_booked_prime_time, reach(90, 80)),
    "avg_lead_time_days": Metric(sessions.sum_lead_days, stay_between(7, 14, 5, 21), **MEAN),
    "avg_session_minutes": Metric(sessions.sum_session_minutes, **MEAN),
    "supervision_hours": Metric(staff.sum_supervision_hours, unit="numerator", entities=("clinician",), **LONG),
    "supervision_met_rate": Metric(staff.count_supervised, reach(100, 100), entities=("practice", "team"), **LONG),
    "supervision_note_timeliness": Metric(staff.count_timely_supervision_notes, reach(100, 100), **LONG),
    "portal_adoption_rate": Metric(clients.count_with_portal, reach(60, 50)),
    "online_booking_rate": Metric(sessions.count_booked_online, reach(40, 30)),
    "check_in_minutes": Metric(sessions.sum_check_in_minutes, stay_below(5, 10), **MEAN),
    "insurance_verification_rate": Metric(sessions.count_insurance_verified, reach(100, 95)),
    "interdisciplinary_rate": Metric(clients.count_interdisciplinary, reach(20, 10)),
    "informed_consent_currency": Metric(clients.count_informed, reach(100, 100)),
    "minor_consent_compliance": Metric(clients.count_minors_with_consent, reach(100, 100)),
    "telehealth_consent_compliance": Metric(clients.count_telehealth_consents, reach(100, 100)),
    "complete_demographics_rate": Metric(clients.count_complete, reach(100, 95)),
    "insurance_accuracy_rate": Metric(clients.count_verified_coverages, reach(100, 95)),
    "hipaa_training_current": Metric(staff.count_trained, reach(100, 100)),
    "breach_response_hours": Metric(staff.sum_response_hours, stay_below(1, 2), **MEAN, **PRACTICE),
    "daily_active_clinicians": Metric(staff.count_signed_in, reach(90, None), **PRACTICE),
    "days_in_ar": Metric(money.sum_receivables, stay_below(30, 45), **MEAN, digits=1),
    "collection_rate": Metric(money.sum_collected, reach(95, 90)),
    "net_collection_rate": Metric(money.sum_net_collected, reach(95, 90)),
}


def compute_values(
    tables: Tables, as_of: datetime, periods: list[Period], settings: list[Setting]
) -> Iterator[tuple[Key, Value]]:
    """Yield the values of all metrics as of an instant, in the given periods that have begun."""
    records = Records(tables, as_of, settings)
    entities = list_entities(records)
    for period in periods:
        if records.calendar.start_of(period.start) >= as_of:
            continue
        for entity in entities:
            if not entity.exists_in(period):
                continue
            case = Case(entity, period)
            for key, metric in METRICS.items():
                if entity.kind in metric.entities and period.kind in metric.periods:
                    value = compute_value(key, metric, case)
                    yield Key(key, entity.kind, entity.id, period.kind, period.start), value


def list_entities(records: Records) -> list[Entity]:
    """Return the practice, everybody with the role of a clinician, and the team of everybody who supervises."""
    hours = Hours(records)
    clinicians = sorted(person.id for person in records.staff.values() if "clinician" in person.roles)
    supervisors = sorted({person.supervisor_id for person in records.staff.values() if person.supervisor_id})
    return [
        Entity(records, hours, "practice"),
        *(Entity(records, hours, "clinician", staff_id) for staff_id in clinicians),
        *(Entity(records, hours, "team", staff_id) for staff_id in supervisors),
    ]


def compute_value(key: str, metric: Metric, case: Case) -> Value:
    numerator, denominator = metric.compute(case)
    exact: Fraction | None = Fraction(numerator)
    if metric.unit != "numerator":
        assert denominator is not None
        scale = 100 if metric.unit == "percent" else 1
        exact = scale * Fraction(numerator) / denominator if denominator > 0 else None
    rounded = None if exact is None else round_half_away(exact, metric.digits)
    status = find_status(key, metric, case, exact, rounded, denominator)
    return Value(Fraction(numerator), None if denominator is None else Fraction(denominator), rounded, status)


def round_half_away(exact: Fraction, digits: int) -> Decimal:
    """Return a number rounded half away from zero."""
    scaled = floor(abs(exact) * 10**digits + Fraction(1, 2))
    return Decimal(scaled if exact >= 0 else -scaled).scaleb(-digits)


def find_status(
    key: str, metric: Metric, case: Case, exact: Fraction | None, rounded: Decimal | None, denominator: Any
) -> str:
    """Return the status of a value."""
    if exact is None or rounded is None:
        return "no_data"
    if key == "avg_reimbursement_per_session":
        return compare_to_target(case, exact)
    if key == "supervision_hours":
        if denominator is None or case.as_of < case.end:
            return "info"
        return "on_target" if exact >= denominator else "alert"
    if key == "supervision_met_rate" and case.as_of < case.end:
        return "info"
    bounds = {bound: case.get_setting(f"{key}_{bound}", default) for bound, default in metric.bounds.items()}
    if not bounds:
        return "info"
    if crosses_alert(key, bounds, case, rounded):
        return "alert"
    misses = (
        ("target_at_least" in bounds and rounded < bounds["target_at_least"])
        or ("target_at_most" in bounds and rounded > bounds["target_at_most"])
        or ("target_below" in bounds and rounded >= bounds["target_below"])
    )
    return "below_target" if misses else "on_target"


def crosses_alert(key: str, bounds: dict[str, int], case: Case, rounded: Decimal) -> bool:
    if key == "unsigned_note_backlog":  # a team's and the practice's by clinician
        late = [appointment.clinician_id for appointment in case.unsigned]
        clinicians = [person.id for person in case.entity.staff if "clinician" in person.roles]
        return any(late.count(clinician_id) > bounds["alert_above"] for clinician_id in clinicians)
    if "alert_below" in bounds and rounded < bounds["alert_below"]:
        return True
    return "alert_above" in bounds and rounded > bounds["alert_above"]


def compare_to_target(case: Case, exact: Fraction) -> str:
    """Return the status of the reimbursement: an alert if it is more than 10 % off the practice's target."""
    target = Fraction(case.get_setting("average_reimbursement_target_cents", 0), 100)
    if target == 0:
        return "info"
    return "alert" if abs(exact - target) > target / 10 else "on_target"
