"""Metrics of clients: quality, consent and records. Most look at the clients who are active on the case's day."""

from datetime import date, datetime
from types import SimpleNamespace as Row

from tests.support.oracles.metrics.calendar import DAY, add_year, turn_eighteen
from tests.support.oracles.metrics.cases import Case
from tests.support.oracles.metrics.records import is_active, is_client, status_at
from tests.support.oracles.metrics.sessions import Sum

DEMOGRAPHICS = (
    "first_name",
    "last_name",
    "birth_date",
    "address",
    "city",
    "state",
    "zip",
    "phone",
    "emergency_contact_name",
    "emergency_contact_phone",
)


def count_in(clients: list[Row], among: list[Row]) -> Sum:
    return len(clients), len(among)


def count_reviewed_plans(case: Case) -> Sum:
    days = case.get_setting("plan_review_days", 90)
    reviewed = {
        review.client_id
        for review in case.records.rows["treatment_plan_reviews"]
        if review.created_at <= case.t
        and review.reviewed_on <= case.day
        and (case.day - review.reviewed_on).days <= days
    }
    return count_in([client for client in case.active_clients if client.id in reviewed], case.active_clients)


def count_retained(case: Case) -> Sum:
    """Count the clients whose 90th day since the first visit lies in the period and is over, and who are still seen."""
    cohort, retained = [], []
    for client in case.entity.clients:
        visits = [a for a in case.records.client_appointments.get(client.id, []) if a.status_now == "COMPLETED"]
        if not visits:
            continue
        first = min(visits, key=lambda a: a.starts_at).date
        day = first + 90 * DAY
        if day in case.period and day <= case.day and client.admitted_on >= first - 30 * DAY:
            cohort.append(client)
            if is_client(client, day) and any(first + 60 * DAY <= visit.date <= day for visit in visits):
                retained.append(client)
    return count_in(retained, cohort)


def count_safe(case: Case) -> Sum:
    at_risk = [
        client
        for client in case.active_clients
        if client.high_risk_since is not None and is_active(client.high_risk_since, client.high_risk_until, case.day)
    ]
    days = case.get_setting("safety_plan_days", 365)
    planned = {
        note.client_id
        for note in case.records.rows["notes"]
        if note.type == "SAFETY_PLAN"
        and note.created_at <= case.t
        and note.signed_at is not None
        and note.signed_at <= case.t
        and (case.day - case.calendar.date_of(note.signed_at)).days <= days
    }
    return count_in([client for client in at_risk if client.id in planned], at_risk)


def count_with_portal(case: Case) -> Sum:
    activated = [
        client
        for client in case.active_clients
        if client.portal_activated_at is not None and client.portal_activated_at <= case.t
    ]
    return count_in(activated, case.active_clients)


def count_interdisciplinary(case: Case) -> Sum:
    """Count the clients seen within 90 days, and those of them who saw clinicians of two disciplines or more."""
    seen, by_several = [], []
    for client in case.entity.clients:
        visits = [
            a
            for a in case.records.client_appointments.get(client.id, [])
            if a.created_at <= case.t
            and status_at(a, case.t) == "COMPLETED"
            and case.day - 90 * DAY < a.date <= case.day
        ]
        disciplines = {case.records.staff[a.clinician_id].discipline for a in visits} - {None}
        if visits:
            seen.append(client)
        if len(disciplines) >= 2:
            by_several.append(client)
    return count_in(by_several, seen)


def has_consent(case: Case, client: Row, kind: str, before: datetime) -> bool:
    """Return whether a consent is in force just before an instant."""
    return any(
        consent.kind == kind
        and consent.signed_at < before
        and (consent.revoked_at is None or consent.revoked_at >= before)
        and case.calendar.date_before(before)
        < (consent.expires_on or add_year(case.calendar.date_of(consent.signed_at)))
        for consent in case.records.consents.get(client.id, [])
    )


def count_informed(case: Case) -> Sum:
    informed = [client for client in case.active_clients if has_consent(case, client, "INFORMED_TREATMENT", case.t)]
    return count_in(informed, case.active_clients)


def count_minors_with_consent(case: Case) -> Sum:
    minors = [
        client
        for client in case.active_clients
        if not client.emancipated and case.day < turn_eighteen(client.birth_date)
    ]
    return count_in([client for client in minors if has_consent(case, client, "GUARDIAN", case.t)], minors)


def count_telehealth_consents(case: Case) -> Sum:
    """Count the clients with a visit by telehealth in the period, by the consent just before the first of them.

    They go by the clinician of the visit, as all metrics of Scheduled(P).
    """
    first: dict[str, datetime] = {}
    for visit in case.scheduled:
        if visit.telehealth and visit.status_now != "CANCELLED":
            first[visit.client_id] = min(visit.starts_at, first.get(visit.client_id, visit.starts_at))
    concerned = [case.records.clients[client_id] for client_id in first]
    consenting = [client for client in concerned if has_consent(case, client, "TELEHEALTH", first[client.id])]
    return count_in(consenting, concerned)


def list_coverages(case: Case, client: Row, on: date) -> list[Row]:
    """Return the coverages in force on a date, the primary one first."""
    coverages = [
        coverage
        for coverage in case.records.coverages.get(client.id, [])
        if coverage.effective_on <= on and (coverage.ends_on is None or coverage.ends_on >= on)
    ]
    return sorted(coverages, key=lambda coverage: (coverage.rank, coverage.id))


def count_complete(case: Case) -> Sum:
    complete = [
        client
        for client in case.active_clients
        if all(getattr(client, name) for name in DEMOGRAPHICS)
        and (client.self_pay or list_coverages(case, client, case.day))
    ]
    return count_in(complete, case.active_clients)


def count_verified_coverages(case: Case) -> Sum:
    insured, verified = [], []
    for client in case.active_clients:
        coverages = [] if client.self_pay else list_coverages(case, client, case.day)
        if not coverages:
            continue
        insured.append(client)
        at = coverages[0].verified_at
        if at is not None and at <= case.t and (case.day - case.calendar.date_of(at)).days <= 365:
            verified.append(client)
    return count_in(verified, insured)
