"""Metrics of the staff and of risk: supervision, trainings, incidents and sign-ins."""

from datetime import timedelta
from fractions import Fraction
from types import SimpleNamespace as Row

from tests.support.oracles.metrics.cases import Case
from tests.support.oracles.metrics.hours import minutes_of
from tests.support.oracles.metrics.records import is_staff
from tests.support.oracles.metrics.sessions import Sum, add_up

REQUIRED_HOURS = {"LPC": 2, "APC": 2, "LMSW": 4}


def measure_required_hours(case: Case, person: Row) -> int:
    """Return the hours that somebody's license requires over the months in which they are employed on every day."""
    if person.license_type not in REQUIRED_HOURS:
        return 0
    default = REQUIRED_HOURS[person.license_type]
    a_month = case.get_setting(f"supervision_hours_{person.license_type.lower()}", default)
    return a_month * sum(all(is_staff(person, day) for day in month.days) for month in case.period.months)


def measure_hours(case: Case, person: Row) -> Fraction:
    return sum(
        (
            Fraction(session.hours)
            for session in case.records.rows["supervision"]
            if session.supervisee_id == person.id
            and session.held_at <= case.as_of
            and case.calendar.date_of(session.held_at) in case.period
        ),
        Fraction(0),
    )


def sum_supervision_hours(case: Case) -> Sum:
    person = case.records.staff[case.entity.id]
    return measure_hours(case, person), measure_required_hours(case, person) or None


def count_supervised(case: Case) -> Sum:
    concerned = [
        person
        for person in case.entity.staff
        if "clinician" in person.roles and measure_required_hours(case, person) > 0
    ]
    met = [person for person in concerned if measure_hours(case, person) >= measure_required_hours(case, person)]
    return len(met), len(concerned)


def count_timely_supervision_notes(case: Case) -> Sum:
    late = timedelta(hours=7 * 24)
    due = [
        session
        for session in case.entity.supervision
        if case.calendar.date_of(session.held_at) in case.period and session.held_at + late <= case.as_of
    ]
    timely = [s for s in due if s.note_signed_at is not None and s.note_signed_at <= s.held_at + late]
    return len(timely), len(due)


def count_trained(case: Case) -> Sum:
    days = case.get_setting("hipaa_training_days", 365)
    trained = {
        training.staff_id
        for training in case.records.rows["trainings"]
        if training.kind == "HIPAA"
        and training.completed_on <= case.day
        and (case.day - training.completed_on).days <= days
    }
    active = [person for person in case.entity.staff if is_staff(person, case.day)]
    return sum(person.id in trained for person in active), len(active)


def sum_response_hours(case: Case) -> Sum:
    hours = []
    for incident in case.records.rows["incidents"]:
        if incident.detected_at <= case.as_of and case.calendar.date_of(incident.detected_at) in case.period:
            answered = incident.responded_at is not None and incident.responded_at <= case.as_of
            until = incident.responded_at if answered else case.as_of
            hours.append(minutes_of(until - incident.detected_at) / 60)
    return add_up(hours)


def count_signed_in(case: Case) -> Sum:
    """Count over the dates up to today who was due that day, and who of them signed in."""
    signed_in = {
        (sign_in.staff_id, case.calendar.date_of(sign_in.at))
        for sign_in in case.records.rows["sign_ins"]
        if sign_in.at <= case.as_of
    }
    busy = {
        (a.clinician_id, a.date) for a in case.records.appointments if a.status_now not in ("CANCELLED", "RESCHEDULED")
    }
    due = {
        (person.id, day)
        for person in case.entity.staff
        if "clinician" in person.roles
        for day in case.period.days
        if day <= case.records.today
        and is_staff(person, day)
        and ((person.id, day) in busy or case.entity.hours.list_available(person.id, day))
    }
    return len(due & signed_in), len(due)
