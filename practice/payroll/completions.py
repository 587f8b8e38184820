"""Session completions, which make completed appointments count for pay: create, void, restore, reverse; and session
values."""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, case, exists, literal, select, text
from sqlalchemy.dialects.postgresql import insert

from practice.errors import NotFound, Refusal
from practice.local_time import week_of
from practice.payroll.models import PayLine, SessionCompletion, SessionCorrection
from practice.payroll.sessions import compute_value_cents, get_multiplier, load_sessions
from practice.people.access import visible_staff
from practice.people.practice_time import zone_of
from practice.scheduling.errors import WrongStatus
from practice.scheduling.models.appointments import Appointment
from practice.scheduling.models.catalog import Service
from practice.security.permissions import Scope, find_scope
from practice.security.work import Work
from practice.store.ids import new_id
from practice.store.records import update_versioned

# Not `coalesce`, which is not leakproof: PostgreSQL would use no index on it before the row security policy has run.
SESSION_ID = case((Appointment.group_session_id.is_(None), Appointment.id), else_=Appointment.group_session_id)
IS_PAYMENT: ColumnElement[bool] = text("pay_lines.kind in ('regular', 'late')")  # ty: ignore[invalid-assignment]


class SessionVoided(Refusal):
    """The session completion is void and cannot be changed.

    Fix: nothing is left to do; it does not count. Restore it if that was a mistake.
    """

    code = "SESSION_VOIDED"

    def __init__(self) -> None:
        super().__init__("This session is voided and cannot be changed. Restore it if it was voided by mistake.")


class SessionNotVoided(Refusal):
    """The session completion is not void.

    Fix: nothing is left to do; it counts.
    """

    code = "SESSION_NOT_VOIDED"


class SessionPaid(Refusal):
    """A closed week has paid the session.

    Fix: ask an admin to reverse it; the next week corrects the pay.
    """

    code = "SESSION_PAID"


class SessionNotPaid(Refusal):
    """No closed week has paid the session.

    Fix: void its completion instead.
    """

    code = "SESSION_NOT_PAID"


@dataclass(frozen=True)
class SessionValue:
    """The pay of a session for its clinician, as shown at one of its appointments. A group's amount is shown at the
    group's first seat and is 0 at the others; without a rate it is None."""

    minutes: int
    multiplier: Decimal
    rate_cents: int | None
    amount_cents: int | None
    completed_at: datetime | None  # None if every seat of the session is voided
    signed_at: datetime | None
    week: date  # in which the session took place
    paid_week: date | None  # the closed week that paid the session


@dataclass(frozen=True)
class CompletionSummary:
    """The appointments of a bulk request by outcome."""

    created: list[UUID] = field(default_factory=list)
    existing: list[UUID] = field(default_factory=list)
    voided: list[UUID] = field(default_factory=list)
    not_completed: list[UUID] = field(default_factory=list)


def get_or_create_completion(work: Work, scope: Scope, appointment_id: UUID) -> SessionCompletion:
    """Return the completion of a completed appointment; a new one takes the service's present kind and minutes."""
    require_completed(work, scope, appointment_id)
    if insert_completions(work, Appointment.id == appointment_id):
        work.record("session_completion.created", "appointment", appointment_id)
    completion = work.db.get_one(SessionCompletion, (work.tenant_id, appointment_id), populate_existing=True)
    refuse_voided(completion)
    return completion


def require_completed(work: Work, scope: Scope, appointment_id: UUID) -> None:
    """Raise NotFound or WrongStatus unless the appointment is visible and completed."""
    query = select(Appointment.status).where(
        Appointment.tenant_id == work.tenant_id,
        Appointment.id == appointment_id,
        visible_staff(work, scope, Appointment.clinician_id),
    )
    status = work.db.scalar(query)
    if status is None:
        raise NotFound
    if status != "COMPLETED":
        raise WrongStatus("This appointment is not completed. Complete it so that its session counts for pay.")


def create_missing_completions(
    work: Work,
    scope: Scope,
    *,
    appointment_ids: Collection[UUID] | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> CompletionSummary:
    """Create completions for visible appointments, by id or by start (`until` is exclusive); return all outcomes."""
    condition: ColumnElement[bool] = visible_staff(work, scope, Appointment.clinician_id)
    if appointment_ids is not None:
        condition &= Appointment.id.in_(appointment_ids)
    if since is not None:
        condition &= Appointment.starts_at >= since
    if until is not None:
        condition &= Appointment.starts_at < until
    created_ids = insert_completions(work, condition)
    if created_ids:
        work.record("session_completions.created", number=len(created_ids))
    query = (
        select(Appointment.id, Appointment.status, SessionCompletion.voided_at)
        .outerjoin(
            SessionCompletion,
            (SessionCompletion.tenant_id == Appointment.tenant_id) & (SessionCompletion.id == Appointment.id),
        )
        .where(Appointment.tenant_id == work.tenant_id, condition)
        .order_by(Appointment.starts_at, Appointment.id)
    )
    summary = CompletionSummary()
    for appointment in work.db.execute(query):
        if appointment.id in created_ids:
            summary.created.append(appointment.id)
        elif appointment.status != "COMPLETED":
            summary.not_completed.append(appointment.id)
        else:
            (summary.existing if appointment.voided_at is None else summary.voided).append(appointment.id)
    return summary


def insert_completions(work: Work, condition: ColumnElement[bool]) -> set[UUID]:
    """Insert the missing completions of completed appointments that match, and return the ids of the new ones."""
    source = (
        select(
            Appointment.tenant_id,
            Appointment.id,
            Service.kind,
            Service.minutes,
            literal(work.now),
            literal(work.actor.account_id, SessionCompletion.created_by.type),
        )
        .join(Service, (Service.tenant_id == Appointment.tenant_id) & (Service.id == Appointment.service_id))
        .where(Appointment.tenant_id == work.tenant_id, Appointment.status == "COMPLETED", condition)
        .order_by(Appointment.id)
    )
    columns = ["tenant_id", "id", "kind", "minutes", "created_at", "created_by"]
    statement = insert(SessionCompletion).from_select(columns, source, include_defaults=False)
    return set(work.db.scalars(statement.on_conflict_do_nothing().returning(SessionCompletion.id)))


def void_completion(work: Work, scope: Scope, appointment_id: UUID, reason: str) -> SessionCompletion:
    """Exclude an unpaid session from pay. In a group this removes only this seat from the session; the session stops
    counting with its last seat."""
    completion = lock_completion(work, scope, appointment_id)
    if is_paid(work, appointment_id):
        raise SessionPaid(
            "A closed week has paid this session. Ask an admin to reverse it; the next week corrects the pay."
        )
    void_and_record(work, completion, reason, "session_completion.voided")
    return completion


def restore_completion(work: Work, scope: Scope, appointment_id: UUID, reason: str) -> SessionCompletion:
    """Undo the void of a session, which counts again as if it had not been voided.

    After a closed week has paid it, that takes the permission to reverse it; the next week corrects the pay.
    """
    work.serialize_on("pay")
    require_completed(work, scope, appointment_id)
    completion = work.db.get(SessionCompletion, (work.tenant_id, appointment_id), populate_existing=True)
    if completion is None or completion.voided_at is None:
        raise SessionNotVoided("This session is not voided. Nothing has to be restored.")
    if is_paid(work, appointment_id) and find_scope(work.actor.roles, "pay", "write") is None:
        raise SessionPaid("A closed week has paid this session. Ask an admin to restore it.")
    lift_void(work, completion, reason)
    work.record("session_completion.restored", "appointment", appointment_id)
    return completion


def recount_completion(work: Work, scope: Scope, appointment_id: UUID) -> None:
    """Count an appointment that was just completed. If that is not the first time, its void is undone."""
    require_completed(work, scope, appointment_id)
    if insert_completions(work, Appointment.id == appointment_id):
        work.record("session_completion.created", "appointment", appointment_id)
        return
    work.serialize_on("pay")
    completion = work.db.get_one(SessionCompletion, (work.tenant_id, appointment_id), populate_existing=True)
    if completion.voided_at is None:
        return
    service = work.db.scalars(
        select(Service)
        .join(Appointment, (Appointment.tenant_id == Service.tenant_id) & (Appointment.service_id == Service.id))
        .where(Appointment.tenant_id == work.tenant_id, Appointment.id == appointment_id)
    ).one()
    completion.kind, completion.minutes = service.kind, service.minutes
    lift_void(work, completion, None)
    work.record("session_completion.restored", "appointment", appointment_id)


def undo_completion(work: Work, appointment: Appointment, reason: str) -> None:
    """Void the session of an appointment whose completion was a mistake, or raise SessionPaid."""
    work.serialize_on("pay")
    if is_paid(work, appointment.id):
        raise SessionPaid("A closed week has paid this session, so its completion stays. Ask an admin to reverse it.")
    insert_completions(work, Appointment.id == appointment.id)  # an imported session has none
    completion = work.db.get_one(SessionCompletion, (work.tenant_id, appointment.id), populate_existing=True)
    add_correction(work, appointment.id, "COMPLETION", appointment.status_at or work.now, reason)
    if completion.voided_at is None:
        void_and_record(work, completion, reason, "session_completion.voided")


def lift_void(work: Work, completion: SessionCompletion, reason: str | None) -> None:
    """Clear the void of a completion. When, by whom and why it was voided stays in a correction."""
    add_correction(
        work,
        completion.id,
        "VOID",
        completion.voided_at or work.now,
        reason,
        voided_by=completion.voided_by,
        void_reason=completion.void_reason,
    )
    update_versioned(completion, {"voided_at": None, "voided_by": None, "void_reason": None})


def add_correction(
    work: Work, appointment_id: UUID, undone: str, since: datetime, reason: str | None, **void: Any
) -> None:
    """Record that a completion or void, in force since an instant, is undone now."""
    correction = SessionCorrection(
        tenant_id=work.tenant_id,
        id=new_id(),
        appointment_id=appointment_id,
        undone=undone,
        since=since,
        at=work.now,
        account_id=work.actor.account_id,
        **void,
    )
    correction.reason = work.seal("session_corrections", "reason", correction.id, reason)
    work.db.add(correction)
    work.db.flush()


def reverse_paid_session(work: Work, appointment_id: UUID, reason: str) -> SessionCompletion:
    """Void a session that a closed week paid, for admins. That week stays unchanged; the next one has an adjustment."""
    completion = lock_completion(work, Scope.ALL, appointment_id)
    if not is_paid(work, appointment_id):
        raise SessionNotPaid("No closed week has paid this session. Void its completion instead.")
    void_and_record(work, completion, reason, "session_completion.reversed")
    return completion


def lock_completion(work: Work, scope: Scope, appointment_id: UUID) -> SessionCompletion:
    """Lock the appointment's completion, creating it if needed: an imported session has none and can be voided too.
    Voiding waits here for a closing week, since what the week pays must not change meanwhile."""
    work.serialize_on("pay")
    completion = get_or_create_completion(work, scope, appointment_id)
    work.db.refresh(completion, with_for_update=True)
    refuse_voided(completion)
    return completion


def refuse_voided(completion: SessionCompletion) -> None:
    if completion.voided_at is not None:
        raise SessionVoided


def void_and_record(work: Work, completion: SessionCompletion, reason: str, action: str) -> None:
    work.void(completion, reason)
    completion.version += 1
    work.record(action, "appointment", completion.id)


def has_payment(work: Work) -> ColumnElement[bool]:
    """Return the condition that a closed week has paid an appointment's session. A group is paid with all its seats."""
    return exists().where(PayLine.tenant_id == work.tenant_id, PayLine.session_id == SESSION_ID, IS_PAYMENT)


def is_paid(work: Work, appointment_id: UUID) -> bool:
    query = select(Appointment.id).where(Appointment.tenant_id == work.tenant_id, Appointment.id == appointment_id)
    return work.db.scalar(query.where(has_payment(work))) is not None


def load_session_values(work: Work, appointment_ids: Collection[UUID], as_of: datetime) -> dict[UUID, SessionValue]:
    """Return the values of those appointments that were completed at the instant, by what was known then."""
    values: dict[UUID, SessionValue] = {}
    for session in load_sessions(work, appointment_ids, zone_of(work), as_of):
        counts = session.counts if session.paid_week else session.is_active
        amount_cents = None
        if session.rate_cents is not None:
            amount_cents = compute_value_cents(session) if counts else 0
        value = SessionValue(
            minutes=session.minutes,
            multiplier=get_multiplier(session),
            rate_cents=session.rate_cents,
            amount_cents=amount_cents,
            completed_at=session.completed_at,
            signed_at=session.signed_at,
            week=week_of(session.held_on),
            paid_week=session.paid_week,
        )
        for seat in session.seats:
            values[seat] = value if seat == session.appointment_id else replace(value, amount_cents=0)
    return {id: values[id] for id in appointment_ids if id in values}
