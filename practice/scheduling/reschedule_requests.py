"""Reschedule requests: a clinician asks for a move, the front desk decides, both sides are told."""

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import Select, select

from practice.errors import Invalid, NotFound
from practice.messages.outbox import staff_with_role, tell_staff
from practice.people.access import staff_within
from practice.people.settings import setting
from practice.scheduling import errors
from practice.scheduling.appointments.lifecycle import STILL_OPEN, lock_appointment
from practice.scheduling.appointments.rules.lifecycle import notice_problem
from practice.scheduling.models.appointments import RescheduleRequest
from practice.scheduling.models.catalog import Room
from practice.scheduling.rescheduling import move, refuse_seats
from practice.security.permissions import Scope
from practice.security.work import Work
from practice.store.ids import new_id
from practice.store.pages import Page, PageRequest, page_of
from practice.store.records import apply, refusing


class AlreadyAsked(errors.Refusal):
    code = "ALREADY_ASKED"


def list_requests(work: Work, asked: PageRequest, scope: Scope, status: str | None = None) -> Page:
    work.record("reschedule.listed")
    query = requests_within(work, scope)
    if status is not None:
        query = query.where(RescheduleRequest.status == status)
    sortable = {"asked_at": RescheduleRequest.asked_at, "id": RescheduleRequest.id}
    return page_of(work.db, query, asked, sortable, RescheduleRequest.id, "-asked_at")


def requests_within(work: Work, scope: Scope) -> Select[RescheduleRequest]:
    return select(RescheduleRequest).where(
        RescheduleRequest.tenant_id == work.tenant_id, staff_within(work, scope, RescheduleRequest.asked_by_id)
    )


def get_request(work: Work, request_id: UUID, scope: Scope) -> RescheduleRequest:
    work.record("reschedule.read", "reschedule_request", request_id)
    return find_request(work, request_id, scope)


def find_request(work: Work, request_id: UUID, scope: Scope, *, lock: bool = False) -> RescheduleRequest:
    query = requests_within(work, scope).where(RescheduleRequest.id == request_id)
    found = work.db.scalar(query.with_for_update(key_share=True) if lock else query)
    if found is None:
        raise NotFound
    return found


def ask_to_move(
    work: Work, appointment_id: UUID, scope: Scope, starts_at: datetime, reason: str, room_id: UUID | None = None
) -> RescheduleRequest:
    appointment = lock_appointment(work, appointment_id, scope)
    if appointment.status not in STILL_OPEN:
        raise errors.WrongStatus("This appointment can no longer be moved.")
    refuse_seats([appointment])
    late = notice_problem(appointment.starts_at, work.now, setting(work, "reschedule_notice_hours"))
    if late:
        raise errors.TooLate(late)
    if work.actor.staff_id is None or starts_at <= work.now or starts_at == appointment.starts_at:
        raise Invalid(["Propose another time that lies ahead (`starts_at`)."])
    if room_id is not None and work.db.get(Room, (work.tenant_id, room_id)) is None:
        raise Invalid(["There is no such room (`room_id`)."])
    request = RescheduleRequest(
        tenant_id=work.tenant_id,
        id=new_id(),
        appointment_id=appointment_id,
        asked_by_id=work.actor.staff_id,
        asked_at=work.now,
        starts_at=starts_at.astimezone(UTC),
        room_id=room_id,
        reason=reason,
        status="PENDING",
    )
    work.db.add(request)
    asked = AlreadyAsked("There is an open request for this appointment already. Withdraw it first.")
    with refusing("uq_reschedule_requests_tenant_id_appointment_id", asked):
        work.db.flush()
    tell_staff(work, "RESCHEDULE_ASKED", desk(work))
    work.record("reschedule.asked", "reschedule_request", request.id)
    return request


def desk(work: Work) -> list[UUID]:
    """Who decides. The others there need not look at a request again that one of them has decided."""
    return staff_with_role(work, "admin", "scheduler")


def approve_request(work: Work, request_id: UUID, note: str | None = None) -> RescheduleRequest:
    """The move happens now, if its time is still free; else the request stays open and the answer says why."""
    request = pending(work, request_id, Scope.ALL)
    if request.starts_at <= work.now:
        raise errors.TooLate("The time that was asked for has passed. Reject the request, or move it by hand.")
    changes = {} if request.room_id is None else {"room_id": request.room_id}
    moved = move(work, request.appointment_id, Scope.ALL, request.starts_at, changes=changes)
    return decide(work, request, "APPROVED", note, new_appointment_id=moved[0].id)


def reject_request(work: Work, request_id: UUID, note: str) -> RescheduleRequest:
    return decide(work, pending(work, request_id, Scope.ALL), "REJECTED", note)


def withdraw_request(work: Work, request_id: UUID, scope: Scope) -> RescheduleRequest:
    return decide(work, pending(work, request_id, scope), "WITHDRAWN", None)


def pending(work: Work, request_id: UUID, scope: Scope) -> RescheduleRequest:
    request = find_request(work, request_id, scope, lock=True)
    if request.status != "PENDING":
        raise errors.WrongStatus("This request has been decided or withdrawn already.")
    return request


def decide(
    work: Work, request: RescheduleRequest, status: str, note: str | None, new_appointment_id: UUID | None = None
) -> RescheduleRequest:
    decided = {"status": status, "decided_at": work.now, "decided_by": work.actor.account_id, "decision_note": note}
    apply(request, decided | {"new_appointment_id": new_appointment_id})
    tell_staff(work, f"RESCHEDULE_{status}", [request.asked_by_id, *desk(work)])
    work.record(f"reschedule.{status.lower()}", "reschedule_request", request.id)
    return request
