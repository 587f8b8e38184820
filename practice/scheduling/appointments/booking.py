"""Booking: everything that is judged before a time is taken, and taking it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table, func, insert, select

from practice.errors import Invalid, Problem
from practice.local_time import date_of
from practice.messages.outbox import Due, channels_in, tell_client
from practice.people.settings import setting
from practice.scheduling import errors
from practice.scheduling.appointments.alternatives import alternatives_to
from practice.scheduling.appointments.booking_context import Facts, facts_of
from practice.scheduling.appointments.booking_request import Wanted
from practice.scheduling.appointments.references import new_references
from practice.scheduling.appointments.rules.booking_eligibility import booking_problems
from practice.scheduling.appointments.rules.lifecycle import booking_window_problem
from practice.scheduling.appointments.rules.reminders import reminder_plan
from practice.scheduling.availability.expired_offers import release_lapsed_offers
from practice.scheduling.availability.locks import lock_resources
from practice.scheduling.availability.queries import Taken, busy_of, hours_of
from practice.scheduling.availability.rules.free_time import Span, hours, outside_hours_problem
from practice.scheduling.catalog.quotes import Cost, cost_of
from practice.scheduling.models.appointments import Appointment, AppointmentStep, GroupSession
from practice.scheduling.statuses import ACTIVE
from practice.security.work import Work
from practice.store.ids import new_id

STEPS = cast(Table, AppointmentStep.__table__)  # as a table: nothing of what is written there is needed as objects
TYPE_OF_KIND = {
    "INTAKE": "INITIAL_EVALUATION",
    "GROUP": "GROUP_THERAPY",
    "FAMILY": "FAMILY_THERAPY",
    "MEDICATION": "MEDICATION_MANAGEMENT",
}
TAKEN_WORDS = {
    ("clinician", "booked"): "The clinician has another appointment at this time.",
    ("clinician", "away"): "The clinician is blocked at this time.",
    ("room", "booked"): "The room is taken at this time.",
    ("room", "away"): "The room is blocked at this time.",
    ("client", "booked"): "The client has another appointment at this time.",
}
# A client who books for themselves is not told what others do.
ONLINE_WORDS = dict.fromkeys(TAKEN_WORDS, "This time is not free.") | {
    ("client", "booked"): "You have another appointment at this time."
}


@dataclass(frozen=True)
class Booked:
    appointment: Appointment
    cost: Cost | None
    warnings: list[str] = field(default_factory=list)


def book(work: Work, wanted: Wanted, *, offered: bool = False) -> Booked:
    """Take the time, or say everything that speaks against it. What was `offered` to a client by the practice they may
    take at any distance."""
    wanted, facts = understand(work, wanted)
    found = problems_by_start(work, wanted, facts, [wanted.starts_at])
    found[wanted.starts_at] += [] if offered else window_problems(work, wanted.starts_at)
    refuse_any(work, wanted, facts, found)
    lock(work, wanted)
    refuse_any(work, wanted, facts, taken_by_start(work, wanted, facts, [wanted.starts_at]))
    group_id = seat_in(work, wanted, facts)
    appointment = place(work, wanted, facts, [wanted.starts_at], group_id)[0]
    work.record("appointment.booked", "appointment", appointment.id)
    return Booked(appointment, cost_of(work, facts.quote_request), warnings_of(work, facts, wanted.starts_at))


@dataclass(frozen=True)
class Preview:
    facts: Facts
    cost: Cost | None
    problems: list[Problem]
    warnings: list[str]


def preview(work: Work, wanted: Wanted) -> Preview:
    """What booking it would cost and meet, without booking it."""
    wanted, facts = understand(work, wanted)
    problems = problems_by_start(work, wanted, facts, [wanted.starts_at])[wanted.starts_at]
    problems += window_problems(work, wanted.starts_at)
    work.record("appointment.previewed", "client", wanted.client_id)
    return Preview(facts, cost_of(work, facts.quote_request), problems, warnings_of(work, facts, wanted.starts_at))


def understand(work: Work, wanted: Wanted) -> tuple[Wanted, Facts]:
    """What was asked, with what follows from it filled in: a seat has the clinician, room and time of its group."""
    if wanted.group_session_id is not None:
        group = group_of(work, wanted.group_session_id)
        wanted = replace(wanted, clinician_id=group.clinician_id, room_id=group.room_id, starts_at=group.starts_at)
    wanted = replace(wanted, starts_at=wanted.starts_at.astimezone(UTC))
    facts = facts_of(
        work,
        client_id=wanted.client_id,
        clinician_id=wanted.clinician_id,
        service_code=wanted.service_code,
        room_id=wanted.room_id,
        starts_at=wanted.starts_at,
        group_session_id=wanted.group_session_id,
    )
    return wanted, facts


def group_of(work: Work, group_session_id: UUID) -> GroupSession:
    group = work.db.get(GroupSession, (work.tenant_id, group_session_id))
    if group is None:
        raise Invalid(["There is no such group (`group_session_id`)."])
    return group


def lock(work: Work, wanted: Wanted) -> None:
    lock_resources(work, [wanted.client_id, wanted.clinician_id, wanted.room_id, wanted.group_session_id])


def refuse_any(work: Work, wanted: Wanted, facts: Facts, found: dict[datetime, list[Problem]]) -> None:
    problems = [problem for one in found.values() for problem in one]
    if problems:
        raise errors.refuse(problems, elsewhere(work, wanted, facts, found))


def elsewhere(
    work: Work, wanted: Wanted, facts: Facts, found: dict[datetime, list[Problem]]
) -> Sequence[dict[str, Any]]:
    """What could be booked instead of the first of the starts that cannot be had."""
    for start, problems in found.items():
        codes = {problem.code for problem in problems}
        if codes & {"SLOT_TAKEN", "OUTSIDE_HOURS", "GROUP_FULL"}:
            within_hours = "OUTSIDE_HOURS" not in codes
            return alternatives_to(work, replace(wanted, starts_at=start), facts, within_hours=within_hours)
    return ()


def problems_by_start(
    work: Work, wanted: Wanted, facts: Facts, starts: Sequence[datetime]
) -> dict[datetime, list[Problem]]:
    """What speaks against each of the starts: all of it, so that nobody has to ask twice."""
    length = facts.row.length
    spans = clinician_hours(work, facts, min(starts), max(starts) + length)
    found = taken_by_start(work, wanted, facts, starts)
    for start, problems in found.items():
        outside = None if wanted.group_session_id else outside_hours_problem(spans, start, start + length)
        problems += [Problem("OUTSIDE_HOURS", outside)] if outside else []
        problems += booking_problems(
            facts.standing, starts_at=start, telehealth=wanted.telehealth, now=work.now, zone=facts.zone
        )
        problems += offer_problems(work, wanted, facts, start)
    return found


def taken_by_start(
    work: Work, wanted: Wanted, facts: Facts, starts: Sequence[datetime]
) -> dict[datetime, list[Problem]]:
    """Which of the starts meet something booked or blocked. Looked at again when nobody else can come between."""
    row, length = facts.row, facts.row.length
    own_seat = wanted.group_session_id is not None
    taken = busy_of(
        work,
        [] if own_seat else [row.clinician_id],
        [] if own_seat or row.room_id is None else [row.room_id],
        [row.client_id],
        min(starts),
        max(starts) + length,
    )
    taken = [one for one in taken if one.holder_id not in wanted.moved_from]
    words = ONLINE_WORDS if work.actor.client_id else TAKEN_WORDS
    found = {start: taken_problems(taken, start, start + length, words) for start in starts}
    if own_seat and is_full(work, group_of(work, wanted.group_session_id)):
        found[wanted.starts_at].append(Problem("GROUP_FULL", "The group has no seat left."))
    return found


def is_full(work: Work, group: GroupSession) -> bool:
    if group.capacity is None:
        return False
    seats = select(func.count()).where(
        Appointment.tenant_id == work.tenant_id,
        Appointment.group_session_id == group.id,
        Appointment.status.in_(ACTIVE),
    )
    return (work.db.scalar(seats) or 0) >= group.capacity


def window_problems(work: Work, *starts: datetime) -> list[Problem]:
    """For one who books online: how far ahead they may."""
    if work.actor.client_id is None:
        return []
    hours_ahead, days_ahead = setting(work, "portal_book_hours"), setting(work, "portal_book_days")
    outside = [booking_window_problem(start, work.now, hours_ahead, days_ahead) for start in starts]
    return [Problem("OUTSIDE_BOOKING_WINDOW", sentence) for sentence in outside if sentence]


def offer_problems(work: Work, wanted: Wanted, facts: Facts, start: datetime) -> list[Problem]:
    row, problems = facts.row, []
    if not row.clinician_active or (row.left_on is not None and row.left_on < date_of(start, facts.zone)):
        problems.append(Problem("CLINICIAN_NOT_ACTIVE", "This person does not see clients at that time."))
    if not row.service_active:
        problems.append(Problem("SERVICE_NOT_OFFERED", "The service is no longer offered."))
    elif not row.offered:
        problems.append(Problem("SERVICE_NOT_OFFERED", "The clinician does not offer this service."))
    if row.room_id is not None and not row.room_active:
        problems.append(Problem("ROOM_NOT_USABLE", "The room is not in use. Choose another one."))
    if wanted.telehealth and row.service_kind == "GROUP" and row.room_id is not None:
        problems.append(Problem("NOT_BOOKABLE", "A group that meets in a room is not a telehealth visit."))
    if wanted.group_session_id and group_of(work, wanted.group_session_id).service_id != row.service_id:
        problems.append(Problem("NOT_BOOKABLE", "The group is booked for another service."))
    return problems


def clinician_hours(work: Work, facts: Facts, first: datetime, last: datetime) -> list[Span]:
    row = facts.row
    days = [at.astimezone(facts.zone).date() for at in (first, last)]
    found = hours_of(work, [row.clinician_id], *days)[row.clinician_id]
    return hours(found.windows, found.changes, found.closures, facts.zone, *days, row.service_id)


def taken_problems(
    taken: Sequence[Taken], start: datetime, end: datetime, words: Mapping[tuple[str, str], str]
) -> list[Problem]:
    touched = {(one.kind, one.why) for one in taken if one.starts_at < end and start < one.ends_at}
    said = dict.fromkeys(sentence for key, sentence in words.items() if key in touched)
    return [Problem("SLOT_TAKEN", sentence) for sentence in said]


def seat_in(work: Work, wanted: Wanted, facts: Facts) -> UUID | None:
    """The group that the appointment is a seat of: the one that was named, or a new one for a group service."""
    row = facts.row
    if wanted.group_session_id is not None or row.service_kind != "GROUP":
        return wanted.group_session_id
    limits = [limit for limit in (row.service_capacity, row.room_capacity) if limit is not None]
    group = GroupSession(
        tenant_id=work.tenant_id,
        id=new_id(),
        clinician_id=row.clinician_id,
        service_id=row.service_id,
        room_id=row.room_id,
        starts_at=wanted.starts_at,
        ends_at=wanted.starts_at + row.length,
        capacity=min(limits) if limits else None,
    )
    work.db.add(group)
    work.db.flush()
    return group.id


def place(
    work: Work,
    wanted: Wanted,
    facts: Facts,
    starts: Sequence[datetime],
    group_id: UUID | None = None,
    series_id: UUID | None = None,
    *,
    told: str | None = "BOOKED",
) -> list[Appointment]:
    """Write the appointments, their first step and their messages. The database has the last word on their times."""
    row = facts.row
    length = row.length
    release_lapsed_offers(work, row.clinician_id, row.room_id, starts, length)
    year = work.now.astimezone(facts.zone).year
    appointments = [
        Appointment(
            tenant_id=work.tenant_id,
            id=new_id(),
            reference=reference,
            client_id=row.client_id,
            clinician_id=row.clinician_id,
            service_id=row.service_id,
            room_id=row.room_id,
            group_session_id=group_id,
            series_id=series_id,
            starts_at=start,
            ends_at=start + length,
            type=wanted.type or TYPE_OF_KIND.get(row.service_kind, "THERAPY_SESSION"),
            status="SCHEDULED",
            created_at=work.now,
            created_by=work.actor.account_id,
            booked_via=booked_via(work),
            telehealth=wanted.telehealth,
            special_requests=wanted.special_requests,
            instructions=wanted.instructions,
        )
        for start, reference in zip(starts, new_references(work, year, len(starts)), strict=True)
    ]
    work.db.add_all(appointments)
    with errors.taken_at_last():
        work.db.flush()
    write_steps(work, [(appointment.id, "SCHEDULED", None) for appointment in appointments])
    ahead = [appointment for appointment in appointments if appointment.starts_at > work.now]
    messages = [Due(told, work.now, appointment.id) for appointment in ahead[:1] if told]
    messages += [
        Due("REMINDER", reminder.due_at, appointment.id, reminder.lead_minutes)
        for appointment in appointments
        for reminder in reminder_plan(appointment.starts_at, work.now, {"any"})
    ]
    tell_client(work, row.client_id, channels_in(row), messages)
    return appointments


def write_steps(work: Work, steps: Sequence[tuple[UUID, str, str | None]]) -> None:
    """Who took which appointment to which status, now, and what they noted."""
    rows = []
    for appointment_id, status, note in steps:
        step_id = new_id()
        rows.append(
            {
                **{"tenant_id": work.tenant_id, "id": step_id, "appointment_id": appointment_id, "status": status},
                **{"at": work.now, "account_id": work.actor.account_id},
                "note": work.seal("appointment_steps", "note", step_id, note),
            }
        )
    work.db.execute(insert(STEPS), rows)


def booked_via(work: Work) -> str:
    if work.actor.client_id is not None:
        return "PORTAL"
    desk = work.actor.roles & {"admin", "scheduler"}
    return "CLINICIAN" if "clinician" in work.actor.roles and not desk else "FRONT_DESK"


def warnings_of(work: Work, facts: Facts, start: datetime) -> list[str]:
    warnings = []
    if not facts.row.self_pay and facts.row.verified_at is None:
        warnings.append("The client's insurance is not verified, and they do not pay themselves. Verify it before.")
    if start < work.now:
        warnings.append("This time has passed already.")
    return warnings
