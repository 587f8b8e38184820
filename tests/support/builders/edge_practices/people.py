"""Staff and clients of an edge practice, with what belongs to them: supervision, trainings, coverages, consents."""

from calendar import isleap
from datetime import date, timedelta
from typing import Any

from tests.support.builders.edge_practices.draft import HOUR, TICK, Draft, format_cents
from tests.support.oracles.metrics.calendar import DAY, Calendar, list_periods

WEEK = 7 * DAY
CLINICIANS = ("SUP1", "C1", "C2", "C3", "C4", "C5")  # all with visits; C4 has lost the role


def add_staff(draft: Draft) -> None:
    """Add the staff: a team of one, a supervisor who leaves, and people hired or leaving inside a month."""
    months = [period.start for period in list_periods("month", draft.span.first + 20 * DAY, draft.span.last)]
    hired = draft.span.first + 9 * DAY  # the first hire comes after the first visits
    middle, late = months[len(months) // 2], months[-1]
    people: list[tuple[str, list[str], str, str, str, date, date | None]] = [
        ("ADM", ["admin"], "", "", "", hired, None),
        ("SUP1", ["supervisor", "clinician"], "SOCIAL_WORK", "LCSW", "ADM", hired, None),
        ("SUP2", ["supervisor"], "PSYCHOLOGY", "PSYCHOLOGIST", "", hired, middle + draft.choose(-1, 0, 1) * DAY),
        ("C1", ["clinician"], "COUNSELING", "LPC", "SUP1", hired + draft.choose(0, 1) * DAY, None),
        ("C2", ["clinician", "biller"], "SOCIAL_WORK", "LMSW", "SUP2", months[0], late + draft.choose(0, 1) * DAY),
        ("C3", ["clinician"], "NURSING", "APC", "", middle + draft.choose(0, 1) * DAY, None),
        ("C4", ["scheduler"], "PSYCHIATRY", "APC", "SUP1", hired, middle - draft.choose(0, 1) * DAY),
        ("C5", ["clinician"], "", "LPC", "SUP1", months[0] + draft.choose(-1, 0) * DAY, middle + 11 * DAY),
    ]
    for staff_id, roles, discipline, license_type, supervisor, hired_on, left_on in people:
        draft.add(
            "staff",
            id=staff_id,
            email=f"{staff_id.lower()}@{draft.span.time_zone.lower().replace('/', '-').replace('_', '-')}.example",
            first_name=staff_id,
            last_name="Edge",
            roles=roles,
            discipline=discipline,
            license_type=license_type,
            supervisor_id=supervisor,
            base_pay_rate="60.00",
            hired_on=hired_on,
            left_on=left_on,
        )
        add_trainings(draft, staff_id)
        if staff_id.startswith("C"):
            add_supervision(draft, staff_id, 2 if license_type == "LMSW" else 1)


def add_trainings(draft: Draft, staff_id: str) -> None:
    """Add trainings of which some are 365 or 366 days old at the end of a period."""
    for _ in range(draft.choose(0, 1, 2)):
        day = draft.choose_edge_date() - draft.choose(0, 0, 365, 366, 200) * DAY
        kind = draft.choose("HIPAA", "HIPAA", "HIPAA", "OTHER")
        draft.add("trainings", id=draft.number("trainings", "T"), staff_id=staff_id, kind=kind, completed_on=day)


def add_supervision(draft: Draft, staff_id: str, weight: int) -> None:
    """Add supervision sessions, some at the edge of a month, whose hours often just reach what is required."""
    for month in list_periods("month", draft.span.first - 31 * DAY, draft.span.last + 20 * DAY):
        for _ in range(draft.choose(1, 2, 2, 3)):
            held_at = draft.choose_time(month.start, month.end - DAY)
            if draft.flip(0.3):
                held_at = draft.choose_edge()
            signed_at = draft.choose_after(held_at, HOUR, 6 * DAY, WEEK, WEEK, WEEK + TICK, 9 * DAY)
            draft.add(
                "supervision",
                id=draft.number("supervision", "U"),
                supervisee_id=staff_id,
                supervisor_id=draft.choose("SUP1", "SUP2"),
                held_at=held_at,
                hours=format_cents(weight * draft.choose(50, 100, 100, 100, 150)),
                kind=draft.choose("INDIVIDUAL", "GROUP"),
                note_signed_at=signed_at if draft.flip(0.8) else None,
            )


def add_clients(draft: Draft, count: int) -> list[str]:
    """Add the clients and their records, and return their ids."""
    for number in range(count):
        admitted_on = draft.span.first - draft.choose(0, 5, 30, 31, 100, 500) * DAY
        if draft.flip(0.3):
            admitted_on = draft.choose_edge_date()
        ended_on = max(admitted_on, draft.choose_edge_date()) if draft.flip(0.3) else None
        risk = draft.choose_edge_date() if draft.flip(0.4) else None
        client: dict[str, Any] = {
            "id": f"K{number + 1}",
            "first_name": "Kim",
            "last_name": f"Edge {number + 1}",
            "birth_date": choose_birth_date(draft),
            "phone": "404-555-0101",
            "address": "1 Oak Street",
            "city": "Atlanta",
            "state": "GA",
            "zip": "30301",
            "emergency_contact_name": "Lee Edge",
            "emergency_contact_phone": "404-555-0102",
            "self_pay": draft.flip(0.2),
            "emancipated": draft.flip(0.1),
            "high_risk_since": risk,
            "high_risk_until": max(risk, draft.choose_edge_date()) if risk and draft.flip(0.5) else None,
            "primary_clinician_id": draft.choose("", *CLINICIANS),
            "admitted_on": admitted_on,
            "ended_on": ended_on,
            "end_reason": draft.choose("DISCHARGED", "INACTIVE") if ended_on else None,
            "portal_activated_at": draft.choose_edge() if draft.flip(0.7) else None,
        }
        if draft.flip(0.3):
            client[draft.choose("phone", "address", "city", "state", "zip")] = ""
        if draft.flip(0.1):
            client[draft.choose("emergency_contact_name", "emergency_contact_phone")] = ""
        draft.add("clients", **client)
        add_coverages(draft, client["id"])
        add_consents(draft, client["id"])
        add_reviews(draft, client["id"])
    return [client["id"] for client in draft.rows["clients"]]


def choose_birth_date(draft: Draft) -> date:
    """Return a birth date, often 18 years before an edge, and if possible a 29 February."""
    leap_days = [day for day in draft.days if (day.month, day.day) == (3, 1) and isleap(day.year - 18)]
    if leap_days and draft.flip(0.2):
        return date(leap_days[0].year - 18, 2, 29)
    if draft.flip(0.4):
        day = draft.choose_edge_date()
        return date(day.year - 18, day.month, min(day.day, 28))
    return date(draft.rng.randint(draft.span.first.year - 70, draft.span.first.year - 8), 5, 17)


def add_coverages(draft: Draft, client_id: str) -> None:
    """Add coverages, often of equal rank, that begin and end at the edges of periods."""
    for _ in range(draft.choose(0, 1, 2, 3)):
        effective_on = draft.choose_edge_date() if draft.flip(0.4) else draft.span.first - 300 * DAY
        ends_on = max(effective_on, draft.choose_edge_date()) if draft.flip(0.5) else None
        verified_at = draft.choose_edge() - draft.choose(0, 0, 365, 366) * DAY if draft.flip(0.8) else None
        draft.add(
            "coverages",
            id=draft.number("coverages", "V"),
            client_id=client_id,
            rank=draft.choose(1, 1, 2),
            payer_id="60054",
            payer_name="Payer",
            member_id=f"M-{client_id}",
            effective_on=effective_on,
            ends_on=ends_on,
            verified_at=verified_at,
        )


def add_consents(draft: Draft, client_id: str) -> None:
    """Add consents that begin, expire or are revoked at the edges of periods, some a year after they were signed."""
    calendar: Calendar = draft.calendar
    for kind in ("INFORMED_TREATMENT", "GUARDIAN", "TELEHEALTH"):
        for _ in range(draft.choose(0, 1, 1, 2)):
            signed_at = draft.choose_edge() - draft.choose(0, 0, 30, 365, 366) * DAY
            expires_on = revoked_at = None
            if draft.flip(0.4):
                expires_on = max(calendar.date_of(signed_at), draft.choose_edge_date())
            if draft.flip(0.3):
                revoked_at = max(signed_at, draft.choose_edge())
            add_consent(draft, client_id, kind, signed_at, expires_on=expires_on, revoked_at=revoked_at)
    leap_years = [year for year in (draft.span.first.year - 1, draft.span.first.year) if isleap(year)]
    if leap_years and draft.flip(0.3):
        signed_at = calendar.at_minute(date(leap_years[0], 2, 29), 10 * 60)
        add_consent(draft, client_id, draft.choose("INFORMED_TREATMENT", "GUARDIAN"), signed_at)


def add_consent(draft: Draft, client_id: str, kind: str, signed_at: Any, **cells: Any) -> None:
    number = draft.number("consents", "N")
    draft.add("consents", id=number, client_id=client_id, kind=kind, signed_at=signed_at, **cells)


def add_reviews(draft: Draft, client_id: str) -> None:
    """Add reviews of the treatment plan, of which some are 90 or 91 days old at the end of a period."""
    for _ in range(draft.choose(0, 1, 2, 4)):
        reviewed_on = draft.choose_edge_date() - draft.choose(0, 0, 90, 91, 40) * DAY
        created_at = draft.calendar.at_minute(reviewed_on, 17 * 60)
        draft.add(
            "treatment_plan_reviews",
            id=draft.number("treatment_plan_reviews", "R"),
            client_id=client_id,
            clinician_id=draft.choose(*CLINICIANS),
            reviewed_on=reviewed_on,
            created_at=draft.choose_after(created_at, timedelta(0), DAY, 5 * DAY),
        )
