"""Completed sessions under the addresses, and with the fields, that their first users know (in camel case)."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field

from api.context import RequestContext, Version
from api.fields import Day, MoneyOut, Why
from api.note_signing import Hours
from api.responses import Input, ListQuery, PageOut, page_out, some_of
from api.routing import PermissionRouter
from practice.clinical.errors import SIGNING, NoteLocked, NoteSigned, NotLocked, OwnSession
from practice.errors import Invalid
from practice.payroll import completions
from practice.payroll.completions import SessionNotPaid, SessionPaid, SessionVoided
from practice.scheduling.errors import WrongStatus
from practice.sessions import completion, queries
from practice.sessions.completion import Done, NoteMissing
from practice.sessions.queries import Filters, Seen

router = PermissionRouter(prefix="/compliance/session-completion", tags=["session completion"])

MOST_AT_ONCE = 500


class SessionIn(Input):
    appointmentId: UUID


class SessionChange(Input):
    """A note of the same client and clinician that was written without an appointment."""

    noteId: UUID


class Reasoned(Input):
    reason: Why


class Override(Reasoned):
    hours: Hours | None = None


class BulkIn(Input):
    """Ids, or days of which both count."""

    appointmentIds: Annotated[list[UUID] | None, Field(min_length=1, max_length=MOST_AT_ONCE)] = None
    since: Annotated[Day | None, Field(alias="from")] = None
    until: Annotated[Day | None, Field(alias="to")] = None


class SessionQuery(ListQuery):
    provider: UUID | None = None
    client: UUID | None = None
    week: Annotated[Day | None, Field(description="The Sunday on which it begins.")] = None
    signed: bool | None = None
    locked: bool | None = None
    paid: bool | None = None
    voided: bool = False


class SessionOut(BaseModel):
    """The id is the appointment's. `calculatedAmount` is for those who read the clinician's pay, and
    `supervisorOverrideReason` for the clinician and those who may override."""

    id: UUID
    appointmentId: UUID
    providerId: UUID
    clientId: UUID
    sessionType: str
    durationMinutes: int
    sessionDate: date
    noteId: UUID | None
    isNoteSigned: bool
    noteSignedAt: datetime | None
    isLocked: bool
    lockedAt: datetime | None
    calculatedAmount: MoneyOut | None
    payPeriodWeek: date
    isPaid: bool
    supervisorOverrideBy: UUID | None
    supervisorOverrideReason: str | None
    supervisorOverrideAt: datetime | None
    supervisorOverrideUntil: datetime | None
    noteDeadline: datetime
    lateness: Literal["ok", "remind", "alert", "hold"]
    paidWeek: date | None
    voidReason: str | None
    version: int

    @classmethod
    def of(cls, seen: Seen) -> "SessionOut":
        row = seen.row
        return cls(
            id=row.id,
            appointmentId=row.id,
            providerId=row.clinician_id,
            clientId=row.client_id,
            sessionType=row.kind,
            durationMinutes=seen.worth.minutes,
            sessionDate=seen.on,
            noteId=row.note_id,
            isNoteSigned=seen.signed,
            noteSignedAt=row.signed_at,
            isLocked=seen.locked_at is not None,
            lockedAt=seen.locked_at,
            calculatedAmount=seen.cents,
            payPeriodWeek=seen.worth.week,
            isPaid=seen.worth.paid is not None,
            supervisorOverrideBy=row.override_by,
            supervisorOverrideReason=seen.override_reason,
            supervisorOverrideAt=row.override_at,
            supervisorOverrideUntil=row.override_until,
            noteDeadline=seen.deadline,
            lateness=seen.lateness,
            paidWeek=seen.worth.paid,
            voidReason=row.void_reason,
            version=row.version,
        )


class DoneOut(BaseModel):
    appointmentId: UUID
    done: bool
    code: str | None
    message: str | None

    @classmethod
    def of(cls, done: Done) -> "DoneOut":
        no = done.refusal
        return cls(
            appointmentId=done.appointment_id,
            done=no is None,
            code=no.code if no else None,
            message=no.message if no else None,
        )


class BulkOut(BaseModel):
    items: list[DoneOut]


SessionInList: Any = some_of(SessionOut)


@router.get("", permission="session_completions.read")
def list_session_completions(ctx: RequestContext, query: Annotated[SessionQuery, Query()]) -> PageOut[SessionInList]:
    """Completed sessions, latest first. Sorts by sessionDate or id."""
    filters = Filters(query.provider, query.client, query.week, query.signed, query.locked, query.paid, query.voided)
    return page_out(queries.list_sessions(ctx.work, ctx.scope, query.asked(), filters), SessionOut)


@router.post("", permission="session_completions.create", status_code=201, errors=[WrongStatus, SessionVoided])
def create_session_completion(ctx: RequestContext, body: SessionIn) -> SessionOut:
    """A completed appointment counts for pay. Asked again, the answer is the same."""
    return SessionOut.of(completion.count_session(ctx.work, ctx.scope, body.appointmentId))


@router.post(
    "/from-appointment/{appointment_id}",
    permission="session_completions.create",
    status_code=201,
    errors=[WrongStatus, SessionVoided],
)
def create_session_completion_from_appointment(ctx: RequestContext, appointment_id: UUID) -> SessionOut:
    """The same, by the appointment's address."""
    return SessionOut.of(completion.count_session(ctx.work, ctx.scope, appointment_id))


@router.post("/bulk-from-appointments", permission="session_completions.create")
def create_session_completions_from_appointments(ctx: RequestContext, body: BulkIn) -> BulkOut:
    """The same for several, by their ids or for the days `from` and `to`: each is done, or says why not."""
    days = (body.since, body.until) if body.since and body.until else None
    if (body.appointmentIds is None) == (days is None) or (days is None and (body.since or body.until)):
        raise Invalid(["Send either `appointmentIds`, or `from` and `to`."])
    done = completion.count_sessions(ctx.work, ctx.scope, appointment_ids=body.appointmentIds, days=days)
    return BulkOut(items=[DoneOut.of(one) for one in done])


@router.get("/{session_id}", permission="session_completions.read")
def get_session_completion(ctx: RequestContext, session_id: UUID) -> SessionOut:
    """One completed session."""
    return SessionOut.of(queries.get_session(ctx.work, ctx.scope, session_id))


@router.put(
    "/{session_id}",
    permission="session_completions.write",
    errors=[WrongStatus, SessionVoided, SessionPaid, NoteSigned, NoteLocked],
)
def change_session_completion(
    ctx: RequestContext, session_id: UUID, version: Version, body: SessionChange
) -> SessionOut:
    """Link a note that was written without an appointment, while the session is neither signed, locked nor paid."""
    return SessionOut.of(completion.link_note(ctx.work, ctx.scope, session_id, version, body.noteId))


@router.delete(
    "/{session_id}",
    permission="session_completions.write",
    status_code=204,
    errors=[WrongStatus, SessionVoided, SessionPaid],
)
def void_session_completion(ctx: RequestContext, session_id: UUID, reason: Annotated[Why, Query()]) -> None:
    """It does not count, for good: while it is not paid. It stays on record with who, when and why."""
    completions.void_completion(ctx.work, ctx.scope, session_id, reason)


@router.post(
    "/{session_id}/take-back",
    permission="pay.write",
    status_code=204,
    errors=[WrongStatus, SessionVoided, SessionNotPaid],
)
def take_back_session_completion(ctx: RequestContext, session_id: UUID, body: Reasoned) -> None:
    """Void one that is paid. The week that paid it stays as it is; the next one has the adjustment."""
    completions.take_back(ctx.work, session_id, body.reason)


@router.post("/{session_id}/sign-note", permission="session_completions.sign", errors=[*SIGNING, NoteMissing])
def sign_session_note(ctx: RequestContext, session_id: UUID) -> SessionOut:
    """Sign the session's note: as its author, or as the supervisor with whom it is in review."""
    return SessionOut.of(completion.sign_session(ctx.work, ctx.scope, session_id))


@router.post("/{session_id}/lock-session", permission="session_completions.override", errors=[NoteSigned, NoteLocked])
def lock_session(ctx: RequestContext, session_id: UUID, body: Reasoned) -> SessionOut:
    """Lock a session that is not signed, before its deadline or while it is unlocked."""
    return SessionOut.of(completion.lock_session(ctx.work, ctx.scope, session_id, body.reason))


@router.post(
    "/{session_id}/supervisor-override",
    permission="session_completions.override",
    errors=[NoteSigned, NotLocked, OwnSession],
)
def override_session_lock(ctx: RequestContext, session_id: UUID, body: Override) -> SessionOut:
    """Unlock a session for a time, in which its note can be written and signed."""
    return SessionOut.of(completion.override_lock(ctx.work, ctx.scope, session_id, body.reason, body.hours))
