"""What may change about an appointment without a move: its room, whether it is a telehealth visit, requests, notes."""

from typing import Any
from uuid import UUID

from practice.errors import Invalid, Problem, Stale
from practice.scheduling import errors
from practice.scheduling.appointments.alternatives import other_rooms
from practice.scheduling.appointments.booking import TAKEN_WORDS, understand
from practice.scheduling.appointments.booking_context import Facts
from practice.scheduling.appointments.booking_request import Wanted
from practice.scheduling.appointments.lifecycle import lock_appointment
from practice.scheduling.appointments.rules.booking_eligibility import booking_problems
from practice.scheduling.availability.expired_offers import release_lapsed_offers
from practice.scheduling.availability.locks import lock_resources
from practice.scheduling.availability.queries import busy_of
from practice.scheduling.models.appointments import Appointment
from practice.scheduling.models.catalog import Service
from practice.scheduling.statuses import FINAL
from practice.security.permissions import Scope
from practice.security.work import Work
from practice.store.records import apply


def change_appointment(
    work: Work, appointment_id: UUID, scope: Scope, version: int, changes: dict[str, Any]
) -> Appointment:
    appointment = lock_appointment(work, appointment_id, scope)
    if appointment.version != version:
        raise Stale
    if appointment.status in FINAL:
        raise errors.WrongStatus("The appointment is over or was given up. It does not change any more.")
    if appointment.group_session_id is not None and "room_id" in changes:
        raise Invalid(["A seat is where its group is; the room of one seat cannot be changed."])
    refuse_changes(work, appointment, changes)
    apply(appointment, changes)
    with errors.taken_at_last():
        work.db.flush()
    work.record("appointment.changed", "appointment", appointment.id, fields=sorted(changes))
    return appointment


def refuse_changes(work: Work, appointment: Appointment, changes: dict[str, Any]) -> None:
    """What speaks against the new room and against telehealth; what stays as it was is not judged again."""
    wanted, facts = understand(
        work,
        Wanted(
            client_id=appointment.client_id,
            clinician_id=appointment.clinician_id,
            service_code=work.db.get_one(Service, (work.tenant_id, appointment.service_id)).code,
            starts_at=appointment.starts_at,
            room_id=changes.get("room_id"),
            telehealth=bool(changes.get("telehealth")),
        ),
    )
    problems = telehealth_problems(work, wanted, facts, appointment)
    if wanted.room_id is not None:
        problems += room_problems(work, wanted.room_id, facts, appointment)
    if problems:
        raise errors.refuse(problems, other_rooms(work, appointment, wanted.room_id) if wanted.room_id else ())


def telehealth_problems(work: Work, wanted: Wanted, facts: Facts, appointment: Appointment) -> list[Problem]:
    if not wanted.telehealth or appointment.telehealth:
        return []
    in_person, online = (
        booking_problems(
            facts.standing, starts_at=appointment.starts_at, telehealth=telehealth, now=work.now, zone=facts.zone
        )
        for telehealth in (False, True)
    )
    return [problem for problem in online if problem not in in_person]


def room_problems(work: Work, room_id: UUID, facts: Facts, appointment: Appointment) -> list[Problem]:
    lock_resources(work, [room_id])
    start, end = appointment.starts_at, appointment.ends_at
    release_lapsed_offers(work, appointment.clinician_id, room_id, [start], end - start)
    taken = [one for one in busy_of(work, [], [room_id], [], start, end) if one.holder_id != appointment.id]
    problems = [Problem("SLOT_TAKEN", TAKEN_WORDS[one.kind, one.why]) for one in taken]
    if not facts.row.room_active:
        problems.append(Problem("ROOM_NOT_USABLE", "The room is not in use. Choose another one."))
    return problems
