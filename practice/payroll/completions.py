"""Session completions, which make completed appointments count for pay: create, void, reverse; and session values."""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import ColumnElement, case, exists, literal, select, text
from sqlalchemy.dialects.postgresql import insert

from practice.errors import NotFound, Refusal
from practice.local_time import week_of
from practice.payroll.models import PayLine, SessionCompletion
from practice.payroll.sessions import compute_value_cents, get_multiplier, load_sessions
from practice.people.access import visible_staff
from practice.people.practice_time import zone_of
from practice.scheduling.errors import WrongStatus
from practice.scheduling.models.appointments import Appointment
from practice.scheduling.models.catalog import Service
from practice.security.permissions import Scope
from practice.security.work import Work

# Not `coalesce`, which is not leakproof: PostgreSQL would use no index on it before the row security policy has run.
SESSION_ID = case((Appointment.group_session_id.is_(None), Appointment.id), else_=Appointment.group_session_id)
IS_PAYMENT: ColumnElement[bool] = text("pay_lines.kind in ('regular', 'late')")  # ty: ignore[invalid-assignment]


class SessionVoided(Refusal):
    """The session completion is void and cannot be changed.

    Fix: nothing is left to do; it does not count.
    """

    code = "SESSION_VOIDED"

    def __init__(self) -> None:
        super().__init__("This session is voided. A voided session cannot be changed.")


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
    if insert_completions(work, Appointment.id == appointment_id):
        work.record("session_completion.created", "appointment", appointment_id)
    completion = work.db.get_one(SessionCompletion, (work.tenant_id, appointment_id), populate_existing=True)
    refuse_voided(completion)
    return completion


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
    """Exclude an unpaid session from pay, permanently. In a group this removes only this seat from the session; the
    session stops counting with its last seat."""
    completion = lock_completion(work, scope, appointment_id)
    if is_paid(work, appointment_id):
        raise SessionPaid(
            "A closed week has paid this session. Ask an admin to reverse it; the next week corrects the pay."
        )
    void_and_record(work, completion, reason, "session_completion.voided")
    return completion


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
