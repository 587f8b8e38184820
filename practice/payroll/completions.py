"""That a completed appointment counts for pay: its completion is made, voided, or taken back once it was paid; and what
it is worth."""

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
from practice.payroll.sessions import multiplier_of, sessions_of, worth_cents
from practice.people.access import staff_within
from practice.people.practice_time import zone_of
from practice.scheduling.errors import WrongStatus
from practice.scheduling.models.appointments import Appointment
from practice.scheduling.models.catalog import Service
from practice.security.permissions import Scope
from practice.security.work import Work

# Not as `coalesce`, which the database holds to leak: by that it would look nothing up before a policy had its say.
SESSION_ID = case((Appointment.group_session_id.is_(None), Appointment.id), else_=Appointment.group_session_id)
PAID_ONCE: ColumnElement[bool] = text("pay_lines.kind in ('regular', 'late')")  # ty: ignore[invalid-assignment]


class SessionVoided(Refusal):
    code = "SESSION_VOIDED"


class SessionPaid(Refusal):
    code = "SESSION_PAID"


class SessionNotPaid(Refusal):
    code = "SESSION_NOT_PAID"


@dataclass(frozen=True)
class Worth:
    """What a session is worth to its clinician, under one of its appointments. A group's amount stands under the seat
    under which the session appears, and is 0 under the others; without a rate there is none."""

    minutes: int
    multiplier: Decimal
    rate_cents: int | None
    amount_cents: int | None
    completed_at: datetime | None  # of the session; none: every seat of it is voided
    signed_at: datetime | None
    week: date  # of the session itself
    paid: date | None  # the closed week that paid it


@dataclass(frozen=True)
class Completed:
    """What became of each of the appointments: its completion was made, was there already, or cannot be."""

    made: list[UUID] = field(default_factory=list)
    there: list[UUID] = field(default_factory=list)
    voided: list[UUID] = field(default_factory=list)
    not_completed: list[UUID] = field(default_factory=list)


def complete_session(work: Work, appointment_id: UUID, scope: Scope = Scope.ALL) -> SessionCompletion:
    """The completion of a completed appointment, with the service's kind and minutes of now. Asked again, the same."""
    query = select(Appointment.status).where(
        Appointment.tenant_id == work.tenant_id,
        Appointment.id == appointment_id,
        staff_within(work, scope, Appointment.clinician_id),
    )
    status = work.db.scalar(query)
    if status is None:
        raise NotFound
    if status != "COMPLETED":
        raise WrongStatus("This appointment is not completed. Complete it first; then its session counts for pay.")
    if make_completions(work, Appointment.id == appointment_id):
        work.record("session_completion.made", "appointment", appointment_id)
    completion = work.db.get_one(SessionCompletion, (work.tenant_id, appointment_id), populate_existing=True)
    refuse_voided(completion)
    return completion


def complete_sessions(
    work: Work,
    scope: Scope,
    *,
    appointment_ids: Collection[UUID] | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Completed:
    """Those with these ids, or those that begin in a span (its end not included), as far as they are in reach."""
    meant: ColumnElement[bool] = staff_within(work, scope, Appointment.clinician_id)
    if appointment_ids is not None:
        meant &= Appointment.id.in_(appointment_ids)
    if since is not None:
        meant &= Appointment.starts_at >= since
    if until is not None:
        meant &= Appointment.starts_at < until
    made = make_completions(work, meant)
    if made:
        work.record("session_completions.made", number=len(made))
    completion = SessionCompletion
    query = (
        select(Appointment.id, Appointment.status, completion.voided_at)
        .outerjoin(completion, (completion.tenant_id == Appointment.tenant_id) & (completion.id == Appointment.id))
        .where(Appointment.tenant_id == work.tenant_id, meant)
        .order_by(Appointment.starts_at, Appointment.id)
    )
    found = Completed()
    for row in work.db.execute(query):
        if row.id in made:
            found.made.append(row.id)
        elif row.status != "COMPLETED":
            found.not_completed.append(row.id)
        else:
            (found.there if row.voided_at is None else found.voided).append(row.id)
    return found


def make_completions(work: Work, meant: ColumnElement[bool]) -> set[UUID]:
    """For the completed appointments among those meant that have none; a completion that is there stays as it is."""
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
        .where(Appointment.tenant_id == work.tenant_id, Appointment.status == "COMPLETED", meant)
        .order_by(Appointment.id)
    )
    columns = ["tenant_id", "id", "kind", "minutes", "created_at", "created_by"]
    statement = insert(SessionCompletion).from_select(columns, source, include_defaults=False)
    return set(work.db.scalars(statement.on_conflict_do_nothing().returning(SessionCompletion.id)))


def void_completion(work: Work, scope: Scope, appointment_id: UUID, reason: str) -> SessionCompletion:
    """The session does not count, for good. Of a group it is this seat that no longer belongs to the session: the
    others do, and with the last of them the session counts no more."""
    completion = lock_completion(work, scope, appointment_id)
    if is_paid(work, appointment_id):
        raise SessionPaid("A closed week has paid this session. An admin can take it back; the next week corrects it.")
    void_now(work, completion, reason, "session_completion.voided")
    return completion


def take_back(work: Work, appointment_id: UUID, reason: str) -> SessionCompletion:
    """What a closed week paid, for admins: the week stays as it is, and the next one has the adjustment."""
    completion = lock_completion(work, Scope.ALL, appointment_id)
    if not is_paid(work, appointment_id):
        raise SessionNotPaid("No closed week has paid this session. Void its completion instead.")
    void_now(work, completion, reason, "session_completion.taken_back")
    return completion


def lock_completion(work: Work, scope: Scope, appointment_id: UUID) -> SessionCompletion:
    """Made if there is none yet, for a session that came with an import can be voided too. What a week pays does not
    change while it is closed: whoever voids waits here for whoever closes."""
    work.serialize_on("pay")
    completion = complete_session(work, appointment_id, scope)
    work.db.refresh(completion, with_for_update=True)
    refuse_voided(completion)
    return completion


def refuse_voided(completion: SessionCompletion) -> None:
    if completion.voided_at is not None:
        raise SessionVoided("The completion of this session is voided, and that is final.")


def void_now(work: Work, completion: SessionCompletion, reason: str, action: str) -> None:
    work.void(completion, reason)
    completion.version += 1
    work.record(action, "appointment", completion.id)


def paid(work: Work) -> ColumnElement[bool]:
    """Of appointments: a closed week has paid their session. A group is paid with all its seats."""
    return exists().where(PayLine.tenant_id == work.tenant_id, PayLine.session_id == SESSION_ID, PAID_ONCE)


def is_paid(work: Work, appointment_id: UUID) -> bool:
    query = select(Appointment.id).where(Appointment.tenant_id == work.tenant_id, Appointment.id == appointment_id)
    return work.db.scalar(query.where(paid(work))) is not None


def worth_of(work: Work, appointment_ids: Collection[UUID], as_of: datetime) -> dict[UUID, Worth]:
    """Of those of the appointments that were completed at the instant, by what was known then."""
    found: dict[UUID, Worth] = {}
    for session in sessions_of(work, appointment_ids, zone_of(work), as_of):
        counts = session.counts if session.paid_week else session.stands
        cents = None if session.rate_cents is None else worth_cents(session) if counts else 0
        worth = Worth(
            minutes=session.minutes,
            multiplier=multiplier_of(session),
            rate_cents=session.rate_cents,
            amount_cents=cents,
            completed_at=session.completed_at,
            signed_at=session.signed_at,
            week=week_of(session.held_on),
            paid=session.paid_week,
        )
        for seat in session.seats:
            found[seat] = worth if seat == session.appointment_id else replace(worth, amount_cents=0)
    return {id: found[id] for id in appointment_ids if id in found}
