"""Metrics of appointments and their notes: productivity, documentation, schedule and front desk."""

from datetime import timedelta
from fractions import Fraction
from types import SimpleNamespace as Row

from tests.support.oracles.metrics.calendar import DAY, find_period
from tests.support.oracles.metrics.cases import Case
from tests.support.oracles.metrics.hours import minutes_of

Sum = tuple[Fraction | int, Fraction | int | None]  # numerator and denominator


def add_up(values: list[Fraction]) -> Sum:
    """Return the parts of a mean: the sum and the count."""
    return sum(values, Fraction(0)), len(values)


def count_kept(case: Case) -> Sum:
    return len(case.completed), len(case.resolved)


def count_missed(case: Case) -> Sum:
    return sum(a.status_now == "NO_SHOW" for a in case.resolved), len(case.resolved)


def count_cancelled(case: Case) -> Sum:
    return sum(a.status_now == "CANCELLED" for a in case.resolved), len(case.resolved)


def is_rebooked(case: Case, appointment: Row) -> bool:
    return any(
        other.status_now not in ("CANCELLED", "RESCHEDULED")
        and appointment.starts_at < other.starts_at <= appointment.starts_at + timedelta(hours=30 * 24)
        for other in case.records.client_appointments[appointment.client_id]
    )


def count_rebooked(case: Case) -> Sum:
    return sum(is_rebooked(case, a) for a in case.completed), len(case.completed)


def count_sessions(case: Case) -> Sum:
    """Count each group session once, and the days of each clinician."""
    sessions = {(a.group_id is not None, a.group_id or a.id) for a in case.completed}
    return len(sessions), len({(a.clinician_id, a.date) for a in case.scheduled})


def count_signed_the_same_day(case: Case) -> Sum:
    past = case.completed_before_today
    return sum(a.signed_now is not None and case.calendar.date_of(a.signed_now) == a.date for a in past), len(past)


def sum_documentation_hours(case: Case) -> Sum:
    return add_up([max(Fraction(0), minutes_of(a.signed_now - a.ends_at) / 60) for a in case.completed if a.signed_now])


def count_unsigned(case: Case) -> Sum:
    return len(case.unsigned), None


def count_signed_in_time(case: Case) -> Sum:
    late = timedelta(hours=24 * case.get_setting("note_alert_days", 7))
    due = [a for a in case.completed if a.ends_at + late <= case.as_of]
    return sum(a.signed_now is not None and a.signed_now <= a.ends_at + late for a in due), len(due)


def count_signed_before_deadline(case: Case) -> Sum:
    due = [
        (a, deadline)
        for a in case.completed
        if (deadline := case.calendar.start_of(find_period("week", a.date).start + 8 * DAY)) <= case.as_of
    ]
    return sum(a.signed_now is not None and a.signed_now < deadline for a, deadline in due), len(due)


def count_crises(case: Case) -> Sum:
    crises = [
        a
        for a in case.completed
        if any(
            note.type == "CRISIS_INTERVENTION" and note.created_at <= case.as_of
            for note in case.records.notes.get(a.id, [])
        )
    ]
    return len(crises), len(case.completed)


def sum_hours(case: Case, *, prime: bool) -> Sum:
    """Return booked and available minutes over all dates of the period, past and future."""
    measures = [
        case.entity.hours.measure(staff_id, day, prime) for staff_id in case.entity.members for day in case.period.days
    ]
    return sum((booked for booked, _ in measures), Fraction(0)), sum((free for _, free in measures), Fraction(0))


def sum_booked(case: Case) -> Sum:
    return sum_hours(case, prime=False)


def sum_booked_prime_time(case: Case) -> Sum:
    return sum_hours(case, prime=True)


def sum_lead_days(case: Case) -> Sum:
    return add_up(
        [Fraction(max(0, (a.date - case.calendar.date_of(a.created_at)).days)) for a in case.scheduled],
    )


def sum_session_minutes(case: Case) -> Sum:
    return add_up(
        [
            minutes_of(a.ends_at - a.starts_at) if a.actual_minutes is None else Fraction(a.actual_minutes)
            for a in case.completed
        ]
    )


def count_booked_online(case: Case) -> Sum:
    return sum(a.booked_via == "PORTAL" for a in case.scheduled), len(case.scheduled)


def sum_check_in_minutes(case: Case) -> Sum:
    return add_up(
        [
            minutes_of(a.ready_at - a.arrived_at)
            for a in case.scheduled
            if a.arrived_at and a.ready_at and max(a.arrived_at, a.ready_at) <= case.as_of
        ]
    )


def count_insurance_verified(case: Case) -> Sum:
    due = [a for a in case.scheduled if a.status_now != "CANCELLED"]
    verified = [
        a
        for a in due
        if case.records.clients[a.client_id].self_pay
        or (a.eligibility_verified_at is not None and a.eligibility_verified_at <= a.starts_at)
    ]
    return len(verified), len(due)
