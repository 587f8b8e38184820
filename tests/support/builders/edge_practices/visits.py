"""Appointments of an edge practice and their notes."""

from datetime import date, datetime, timedelta
from typing import Any

from tests.support.builders.edge_practices.draft import HOUR, TICK, Draft
from tests.support.builders.edge_practices.people import CLINICIANS, WEEK, add_consent
from tests.support.oracles.metrics.calendar import DAY, find_period

MINUTE = timedelta(minutes=1)
SERVICES = {"IND60": ("INDIVIDUAL", 60), "IND45": ("INDIVIDUAL", 45), "GRP90": ("GROUP", 90)}
OPEN = ("SCHEDULED", "CONFIRMED", "CHECKED_IN", "IN_PROGRESS")
SESSION_NOTES = ("SOAP_NOTE", "PROGRESS_NOTE", "PROGRESS_NOTE", "INTAKE_ASSESSMENT", "CRISIS_INTERVENTION")
OTHER_NOTES = ("TREATMENT_PLAN", "SAFETY_PLAN", "DISCHARGE_SUMMARY")
NIGHT = range(0, 4 * 60, 15)


def add_visits(draft: Draft, client_ids: list[str], a_week: float) -> None:
    """Add each clinician's visits over the span and some weeks after it, and more around the edges."""
    for code, (kind, minutes) in SERVICES.items():
        draft.add("services", code=code, name=code, kind=kind, cpt_code="90834", minutes=minutes, rate="120.00")
    chances = {staff_id: a_week / 7 * draft.choose(0.6, 1, 1.6) for staff_id in CLINICIANS}
    for day in [*draft.days, *(draft.span.last + DAY * (number + 1) for number in range(35))]:
        for clinician_id, chance in chances.items():
            if draft.flip(chance):
                starts_at = draft.calendar.at_minute(day, draft.rng.randrange(7 * 60, 20 * 60, 15))
                add_session(draft, client_ids, clinician_id, starts_at)
            if draft.flip(chance / 3):
                add_session(draft, client_ids, clinician_id, draft.calendar.at_minute(day, 9 * 60))
    for starts_at in list_edge_starts(draft):
        add_session(draft, client_ids, draft.choose(*CLINICIANS), starts_at)
    add_late_sessions(draft, client_ids)


def add_late_sessions(draft: Draft, client_ids: list[str]) -> None:
    """Add completed sessions that ended exactly 2, 5 or 7 days before an instant to look at, most of them unsigned."""
    for at in draft.instants.values():
        for days in (2, 5, 7):
            for tick in (-TICK, 0 * TICK, TICK):
                ends_at = at - days * DAY + tick
                clinician_id, client_id = draft.choose(*CLINICIANS), draft.rng.choice(client_ids)
                add_visit(draft, client_id, clinician_id, ends_at - HOUR, 60, completed_at=ends_at)


def add_first_visits(draft: Draft) -> None:
    """Give half of the clients a first visit about 90 days before an edge, and others some 60 and 90 days later."""
    for client in draft.rows["clients"]:
        if draft.flip(0.5):
            continue
        first = draft.choose_edge_date() - draft.choose(89, 90, 90, 91) * DAY
        for days in (0, *draft.rng.sample((45, 59, 60, 75, 90, 91), 2)):
            starts_at = draft.calendar.at_minute(first + days * DAY, draft.choose(0, 10 * 60, 23 * 60))
            add_visit(draft, client["id"], draft.choose(*CLINICIANS), starts_at, 45, completed_at=starts_at + HOUR)
        client["admitted_on"] = first + draft.choose(-31, -30, -30, -29, 0, 90, 91) * DAY
        if client["ended_on"]:
            client["ended_on"] = max(client["admitted_on"], first + draft.choose(60, 90, 91, 120) * DAY)


def list_edge_starts(draft: Draft) -> list[datetime]:
    """Return starts at midnights, around the instants to look at, and in the hours of clock changes."""
    starts = [edge + draft.choose(-1, 0, 0, 1) * TICK for edge in draft.edges for _ in range(2)]
    starts += [edge - draft.choose(30, 60) * MINUTE for edge in draft.edges]  # some end at the edge
    starts += [edge - draft.choose(WEEK, WEEK + HOUR, WEEK + HOUR + TICK) for edge in draft.edges]  # 7 days old
    for day in draft.change_days:
        midnight = draft.calendar.start_of(day)
        starts += [midnight + 30 * MINUTE * number for number in range(-4, 9)]
    return starts


def add_session(draft: Draft, client_ids: list[str], clinician_id: str, starts_at: datetime) -> None:
    """Add a visit, or a group session with two or three clients."""
    minutes = draft.choose(30, 45, 60, 60, 90)
    if draft.flip(0.1):
        group_id = f"G{len(draft.rows['appointments']) + 1}"
        for client_id in draft.rng.sample(client_ids, draft.choose(2, 3)):
            add_visit(draft, client_id, clinician_id, starts_at, 90, group_id)
        return
    client_id = draft.rng.choice(client_ids)
    visit = add_visit(draft, client_id, clinician_id, starts_at, minutes)
    if draft.flip(0.15):  # rebooked at the edge of 30 days
        later = starts_at + 30 * DAY + draft.choose(-1, 0, 0, 1) * TICK
        add_visit(draft, client_id, draft.choose(*CLINICIANS), later, minutes)
    if visit["telehealth"] and draft.flip(0.6):  # the consent came just before, at the start, or after
        signed_at = starts_at - draft.choose(TICK, TICK, 0 * TICK, 0 * TICK, -TICK, DAY)
        revoked_at = draft.choose(None, starts_at + 5 * DAY, signed_at + TICK)
        days = draft.choose(None, 0, 0, 1)
        expires_on = None if days is None else draft.calendar.date_of(signed_at) + days * DAY
        add_consent(draft, client_id, "TELEHEALTH", signed_at, revoked_at=revoked_at, expires_on=expires_on)


def choose_status(draft: Draft, starts_at: datetime, ends_at: datetime) -> tuple[str, datetime | None]:
    """Return a status and when it was set. Visits are completed at the earliest 15 minutes before their start."""
    status = draft.rng.choice(["COMPLETED"] * 13 + ["NO_SHOW", "NO_SHOW", "CANCELLED", "CANCELLED", "RESCHEDULED", "*"])
    if status == "*":
        return draft.choose(*OPEN), None
    if status in ("CANCELLED", "RESCHEDULED"):
        return status, starts_at - draft.choose(-HOUR, HOUR, 2 * DAY)
    return status, draft.choose_after(
        starts_at - 15 * MINUTE, 0 * MINUTE, 15 * MINUTE, ends_at - starts_at + 15 * MINUTE, 3 * DAY
    )


def add_visit(
    draft: Draft,
    client_id: str,
    clinician_id: str,
    starts_at: datetime,
    minutes: int,
    group_id: str = "",
    completed_at: datetime | None = None,
) -> dict[str, Any]:
    """Add an appointment, with its note if it took place."""
    ends_at = starts_at + minutes * MINUTE
    status, status_at = ("COMPLETED", completed_at) if completed_at else choose_status(draft, starts_at, ends_at)
    arrived_at = starts_at - draft.choose(0, 5, 10) * MINUTE
    ready_at = draft.choose_after(arrived_at, 0 * MINUTE, 5 * MINUTE, 10 * MINUTE, 10 * MINUTE + TICK)
    has_arrived = status == "COMPLETED" and draft.flip(0.7)
    visit = {
        "id": draft.number("appointments", "A"),
        "client_id": client_id,
        "clinician_id": clinician_id,
        "service_code": "GRP90" if group_id else draft.choose("IND60", "IND45"),
        "starts_at": starts_at,
        "ends_at": ends_at,
        "type": "GROUP_THERAPY" if group_id else draft.choose("INITIAL_EVALUATION", "FOLLOW_UP", "THERAPY_SESSION"),
        "status": status,
        "status_at": status_at,
        "created_at": choose_creation(draft, starts_at),
        "booked_via": draft.choose("FRONT_DESK", "PORTAL", "PORTAL", "CLINICIAN", "SYNC"),
        "telehealth": draft.flip(0.25),
        "group_id": group_id,
        "arrived_at": arrived_at if has_arrived else None,
        "ready_at": ready_at if has_arrived and draft.flip(0.9) else None,
        "actual_minutes": draft.choose(0, 30, 45, 53) if status == "COMPLETED" and draft.flip(0.6) else None,
        "eligibility_verified_at": starts_at + draft.choose(-DAY, -TICK, 0 * TICK, TICK) if draft.flip(0.6) else None,
    }
    draft.add("appointments", **visit)
    if (status == "COMPLETED" or draft.flip(0.1)) and not (completed_at and draft.flip(0.7)):
        add_notes(draft, visit)
    return visit


def choose_creation(draft: Draft, starts_at: datetime) -> datetime:
    """Return when a visit was booked: days before, at a midnight, at an instant to look at, or after its start."""
    if draft.flip(0.08):
        earlier = [edge for edge in draft.edges if starts_at - 60 * DAY < edge < starts_at + 2 * DAY]
        if earlier:
            return draft.rng.choice(earlier) + draft.choose(-1, 0, 0, 1) * TICK
    day = draft.calendar.date_of(starts_at) - draft.choose(-1, 0, 2, 5, 7, 7, 14, 14, 21, 30) * DAY
    return draft.calendar.start_of(day) + draft.choose(-TICK, 0 * TICK, 9 * HOUR)


def add_notes(draft: Draft, visit: dict[str, Any]) -> None:
    """Add the notes of a visit: none, one, or several with their own signatures."""
    for _ in range(draft.choose(0, 1, 1, 1, 1, 1, 2)):
        created_at = draft.choose_after(visit["starts_at"], 5 * MINUTE, visit["ends_at"] - visit["starts_at"])
        note_type = draft.choose(*OTHER_NOTES) if draft.flip(0.1) else draft.choose(*SESSION_NOTES)
        signed_at = max(created_at, choose_signature(draft, visit)) if draft.flip(0.9) else None
        add_note(draft, visit["client_id"], visit["clinician_id"], note_type, created_at, signed_at, visit["id"])


def choose_signature(draft: Draft, visit: dict[str, Any]) -> datetime:
    """Return when a note was signed: around the end, midnight, the seventh day, the deadline, or at an edge."""
    day: date = draft.calendar.date_of(visit["starts_at"])
    deadline = draft.calendar.start_of(find_period("week", day).start + 8 * DAY)
    edge = draft.choose(
        visit["ends_at"],
        visit["ends_at"],
        visit["ends_at"] + HOUR,
        visit["ends_at"] + DAY,
        visit["ends_at"] + 2 * DAY,
        draft.calendar.start_of(day + DAY),
        visit["ends_at"] + WEEK,
        deadline,
        deadline,
    )
    if draft.flip(0.1):
        later = [instant for instant in draft.edges if visit["starts_at"] < instant < visit["starts_at"] + 30 * DAY]
        edge = draft.rng.choice(later or [edge])
    return edge + draft.choose(-1, 0, 0, 1) * TICK


def add_note(
    draft: Draft,
    client_id: str,
    clinician_id: str,
    note_type: str,
    created_at: datetime,
    signed_at: datetime | None,
    appointment_id: str = "",
) -> None:
    status = draft.choose("SIGNED", "SIGNED", "AMENDED") if signed_at else draft.choose("DRAFT", "IN_REVIEW")
    draft.add(
        "notes",
        id=draft.number("notes", "D"),
        client_id=client_id,
        clinician_id=clinician_id,
        appointment_id=appointment_id,
        type=note_type,
        created_at=created_at,
        status=status,
        signed_at=signed_at,
        signed_by_id=clinician_id if signed_at else None,
        text="Made up",
    )


def add_safety_plans(draft: Draft, client_ids: list[str]) -> None:
    """Add safety plans, of which some are 365 or 366 days old at the end of a period."""
    for client_id in client_ids:
        for _ in range(draft.choose(0, 1, 2)):
            signed_at = draft.choose_edge() - draft.choose(0, 0, 365, 366) * DAY
            created_at = signed_at - draft.choose(0 * TICK, HOUR)
            is_signed = draft.flip(0.85)
            add_note(
                draft, client_id, draft.choose(*CLINICIANS), "SAFETY_PLAN", created_at, signed_at if is_signed else None
            )


def sign_at_the_instant(draft: Draft) -> None:
    """Sign some of the notes that were due about then exactly at the signature to look at."""
    at = draft.instants["signature"]
    visits = {visit["id"]: visit for visit in draft.rows["appointments"]}
    for note in draft.rows["notes"]:
        visit = visits.get(note["appointment_id"])
        if visit and note["signed_at"] and at - 12 * DAY < visit["starts_at"] < at - HOUR and draft.flip(0.4):
            note["created_at"], note["signed_at"] = min(note["created_at"], at), at
