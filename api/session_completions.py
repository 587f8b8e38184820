"""Routes of completed sessions, with the paths and camel-case fields of the practice's first API."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

from api.context import RequestContext, Version
from api.fields import EXAMPLE_ID, Day, IdOrMe, MoneyOut, Reason200, RecordVersion, describe, example
from api.filters import DaysQuery, resolve_me
from api.names import ClientName, StaffName
from api.note_signing import Hours
from api.responses import Input, PageOut, VoidIn, partial_model, to_page
from api.routing import PermissionRouter
from practice.clinical.errors import SIGN_ERRORS, NoteLocked, NoteSigned, NotLocked, OwnSession
from practice.errors import FieldProblem, Invalid, NotFound
from practice.payroll import completions
from practice.payroll.completions import SessionNotPaid, SessionNotVoided, SessionPaid, SessionVoided
from practice.people.practice_time import span_of_days
from practice.scheduling.errors import WrongStatus
from practice.sessions import completion, queries
from practice.sessions.completion import BulkResult, NoteMissing
from practice.sessions.queries import SessionFilters, SessionView

router = PermissionRouter(prefix="/compliance/session-completion", tags=["session completion"])

MAX_BULK = 500


class SessionIn(Input):
    model_config = example(appointmentId=EXAMPLE_ID)

    appointmentId: Annotated[UUID, describe("A completed appointment.")]


class SessionChange(Input):
    """A note of the same client and clinician that was written without an appointment."""

    model_config = example(noteId=EXAMPLE_ID)

    noteId: Annotated[UUID, describe("The note to link to the session.")]


class ReasonIn(Input):
    model_config = example(reason="Entered twice")

    reason: Annotated[Reason200, describe("Why, for the audit log.")]


class RestoreIn(Input):
    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "The session did take place"}]})

    reason: Annotated[Reason200, Field(description="Why the void was a mistake.")]


class OverrideIn(ReasonIn):
    model_config = example(reason="Was ill", hours=24)

    hours: Annotated[Hours | None, describe("Length in hours.")] = None


class SessionsBulkIn(Input):
    """Ids, or days, both inclusive."""

    model_config = example(**{"from": "2026-03-15", "to": "2026-03-21"})

    appointmentIds: Annotated[
        list[UUID] | None,
        Field(min_length=1, max_length=MAX_BULK),
        describe("The appointments, each done or refused by itself."),
    ] = None
    since: Annotated[Day | None, Field(alias="from"), describe("The first local day.")] = None
    until: Annotated[Day | None, Field(alias="to"), describe("The last local day, inclusive.")] = None


class SessionQuery(DaysQuery):
    provider: Annotated[IdOrMe | None, Field(description="A clinician's id, or `me` for yourself.")] = None
    client: Annotated[UUID | None, describe("Only of this client.")] = None
    week: Annotated[Day | None, Field(description="The Sunday on which the week begins.")] = None
    signed: Annotated[bool | None, describe("Only with a signed note, or only others.")] = None
    locked: Annotated[bool | None, describe("Only locked ones, or only others.")] = None
    paid: Annotated[bool | None, describe("Only paid ones, or only others.")] = None
    voided: Annotated[bool, describe("Also list voided records.")] = False


class SessionCompletionOut(BaseModel):
    """A completed session; `id` is the appointment's.

    `calculatedAmount` is only for callers who may read the clinician's pay, `supervisorOverrideReason` and `lockReason`
    for the clinician and those who may override.
    """

    id: Annotated[UUID, describe("The id of the appointment.")]
    appointmentId: Annotated[UUID, describe("The appointment, which is the session's id.")]
    providerId: Annotated[UUID, describe("The clinician, a staff member.")]
    providerName: StaffName = None
    clientId: Annotated[UUID, describe("The client.")]
    clientName: ClientName = None
    sessionType: Annotated[str, describe("The kind of the service.")]
    durationMinutes: Annotated[int, describe("The service's minutes.")]
    sessionDate: Annotated[date, describe("The local day of the session.")]
    noteId: Annotated[UUID | None, describe("The session's note.")]
    isNoteSigned: Annotated[bool, describe("Whether its note is signed.")]
    noteSignedAt: Annotated[datetime | None, describe("When its note was signed.")]
    isLocked: Annotated[bool, describe("Whether writing its note is locked.")]
    lockedAt: Annotated[datetime | None, describe("Since when it is locked.")]
    lockCause: Annotated[
        Literal["DEADLINE", "BY_HAND"] | None,
        Field(description="Why it is locked: the deadline has passed without a signed note, or somebody locked it."),
    ]
    lockReason: Annotated[str | None, Field(description="The reason of somebody who locked it by hand.")]
    calculatedAmount: Annotated[MoneyOut | None, describe("What it pays; null without access to pay.")]
    payPeriodWeek: Annotated[date, describe("The Sunday on which the week begins.")]
    isPaid: Annotated[bool, describe("Whether a closed week has paid it.")]
    supervisorOverrideBy: Annotated[UUID | None, describe("Who unlocked it last.")]
    supervisorOverrideByName: StaffName = None
    supervisorOverrideReason: Annotated[str | None, describe("Why it was unlocked; only for those who may unlock.")]
    supervisorOverrideAt: Annotated[datetime | None, describe("When it was unlocked.")]
    supervisorOverrideUntil: Annotated[datetime | None, describe("Until when it is unlocked.")]
    noteDeadline: Annotated[datetime, describe("When its note is due.")]
    lateness: Annotated[Literal["ok", "remind", "alert", "hold"], describe("How late the note is by the 7-day rule.")]
    paidWeek: Annotated[date | None, describe("The week that paid it; null before.")]
    voidReason: Annotated[str | None, describe("Why it was voided; null while it counts.")]
    version: RecordVersion

    @classmethod
    def of(cls, view: SessionView) -> "SessionCompletionOut":
        row = view.row
        return cls(
            id=row.id,
            appointmentId=row.id,
            providerId=row.clinician_id,
            clientId=row.client_id,
            sessionType=row.kind,
            durationMinutes=view.value.minutes,
            sessionDate=view.session_date,
            noteId=row.note_id,
            isNoteSigned=view.is_signed,
            noteSignedAt=row.signed_at,
            isLocked=view.lock is not None,
            lockedAt=view.lock.since if view.lock else None,
            lockCause=view.lock.cause if view.lock else None,
            lockReason=view.lock_reason,
            calculatedAmount=view.amount_cents,
            payPeriodWeek=view.value.week,
            isPaid=view.value.paid_week is not None,
            supervisorOverrideBy=row.override_by,
            supervisorOverrideReason=view.override_reason,
            supervisorOverrideAt=row.override_at,
            supervisorOverrideUntil=row.override_until,
            noteDeadline=view.deadline,
            lateness=view.lateness,
            paidWeek=view.value.paid_week,
            voidReason=row.void_reason,
            version=row.version,
        )


class SessionBulkResultOut(BaseModel):
    appointmentId: Annotated[UUID, describe("The appointment, which is the session's id.")]
    succeeded: Annotated[bool, describe("Whether it was done for this record.")]
    code: Annotated[str | None, describe("A stable code of the refusal; null on success.")]
    message: Annotated[str | None, describe("What is wrong and what to do; null on success.")]

    @classmethod
    def of(cls, result: BulkResult) -> "SessionBulkResultOut":
        error = result.refusal
        return cls(
            appointmentId=result.appointment_id,
            succeeded=error is None,
            code=error.code if error else None,
            message=error.message if error else None,
        )


class SessionsBulkOut(BaseModel):
    items: Annotated[list[SessionBulkResultOut], describe("One result for each appointment.")]


SessionCompletionInList: Any = partial_model(SessionCompletionOut)


@router.get("", permission="session_completions.read")
def list_session_completions(
    ctx: RequestContext, query: Annotated[SessionQuery, Query()]
) -> PageOut[SessionCompletionInList]:
    """List session completions.

    Latest first. Sorts by sessionDate or id.
    """
    provider_id = resolve_me(query.provider, ctx.actor.staff_id)
    since, until = span_of_days(ctx.work, query.first, query.last)
    filters = SessionFilters(
        provider_id,
        query.client,
        query.week,
        query.signed,
        query.locked,
        query.paid,
        query.voided,
        since,
        until,
    )
    return to_page(queries.list_sessions(ctx.work, ctx.scope, query.page_request(), filters), SessionCompletionOut)


@router.post(
    "", permission="session_completions.create", status_code=201, errors=[NotFound, WrongStatus, SessionVoided]
)
def create_session_completion(ctx: RequestContext, body: SessionIn) -> SessionCompletionOut:
    """Create a session completion.

    Makes a completed appointment count for pay. Repeating the call returns the same completion.
    """
    return SessionCompletionOut.of(completion.ensure_completion(ctx.work, ctx.scope, body.appointmentId))


@router.post(
    "/from-appointment/{appointment_id}",
    permission="session_completions.create",
    status_code=201,
    errors=[WrongStatus, SessionVoided],
)
def create_session_completion_from_appointment(ctx: RequestContext, appointment_id: UUID) -> SessionCompletionOut:
    """Create a session completion from an appointment.

    Like `POST` on the collection, with the appointment in the path.
    """
    return SessionCompletionOut.of(completion.ensure_completion(ctx.work, ctx.scope, appointment_id))


@router.post("/bulk-from-appointments", permission="session_completions.create")
def create_session_completions_from_appointments(ctx: RequestContext, body: SessionsBulkIn) -> SessionsBulkOut:
    """Create session completions from several appointments.

    By their ids or for the days `from` and `to`. Each result says whether it succeeded, and if not, why.
    """
    days = (body.since, body.until) if body.since and body.until else None
    if (body.appointmentIds is None) == (days is None) or (days is None and (body.since or body.until)):
        raise Invalid([FieldProblem("appointmentIds", "Send either `appointmentIds`, or `from` and `to`.")])
    results = completion.ensure_completions(ctx.work, ctx.scope, appointment_ids=body.appointmentIds, days=days)
    return SessionsBulkOut(items=[SessionBulkResultOut.of(result) for result in results])


@router.get("/{session_id}", permission="session_completions.read")
def get_session_completion(ctx: RequestContext, session_id: UUID) -> SessionCompletionOut:
    """Get a session completion."""
    return SessionCompletionOut.of(queries.get_session(ctx.work, ctx.scope, session_id))


@router.put(
    "/{session_id}",
    permission="session_completions.write",
    errors=[WrongStatus, SessionVoided, SessionPaid, NoteSigned, NoteLocked],
)
def change_session_completion(
    ctx: RequestContext, session_id: UUID, version: Version, body: SessionChange
) -> SessionCompletionOut:
    """Link a note to a session.

    A note written without an appointment, while the session is not signed, locked or paid.
    """
    return SessionCompletionOut.of(completion.link_note(ctx.work, ctx.scope, session_id, version, body.noteId))


@router.delete(
    "/{session_id}",
    permission="session_completions.write",
    status_code=204,
    errors=[WrongStatus, SessionVoided, SessionPaid],
)
def void_session_completion(ctx: RequestContext, session_id: UUID, body: VoidIn) -> None:
    """Void a session completion.

    While it is not paid. It stays on record with who, when and why. Do not put personal data in `reason`.
    """
    completions.void_completion(ctx.work, ctx.scope, session_id, body.reason)


@router.post(
    "/{session_id}/restore",
    permission="session_completions.write",
    errors=[WrongStatus, SessionNotVoided, SessionPaid],
)
def restore_session_completion(ctx: RequestContext, session_id: UUID, body: RestoreIn) -> SessionCompletionOut:
    """Restore a voided session completion.

    It counts again as if it had not been voided; the void stays on record. Once a closed week has paid it, only an
    admin restores it, and the next week corrects the pay.
    """
    return SessionCompletionOut.of(completion.restore_session(ctx.work, ctx.scope, session_id, body.reason))


@router.post(
    "/{session_id}/reverse",
    permission="pay.write",
    status_code=204,
    errors=[WrongStatus, SessionVoided, SessionNotPaid],
)
def reverse_session_completion(ctx: RequestContext, session_id: UUID, body: ReasonIn) -> None:
    """Reverse a paid session completion.

    The week that paid it stays as it is; the next week gets the adjustment.
    """
    completions.reverse_paid_session(ctx.work, session_id, body.reason)


@router.post("/{session_id}/sign-note", permission="session_completions.sign", errors=[*SIGN_ERRORS, NoteMissing])
def sign_session_note(ctx: RequestContext, session_id: UUID) -> SessionCompletionOut:
    """Sign the note of a session.

    As its author, or as the supervisor who reviews it.
    """
    return SessionCompletionOut.of(completion.sign_session(ctx.work, ctx.scope, session_id))


@router.post("/{session_id}/lock-session", permission="session_completions.override", errors=[NoteSigned, NoteLocked])
def lock_session(ctx: RequestContext, session_id: UUID, body: ReasonIn) -> SessionCompletionOut:
    """Lock a session.

    An unsigned session, before its deadline or while it is unlocked.
    """
    return SessionCompletionOut.of(completion.lock_session(ctx.work, ctx.scope, session_id, body.reason))


@router.post(
    "/{session_id}/supervisor-override",
    permission="session_completions.override",
    errors=[NoteSigned, NotLocked, OwnSession],
)
def override_session_lock(ctx: RequestContext, session_id: UUID, body: OverrideIn) -> SessionCompletionOut:
    """Override the lock of a session.

    Its note can be written and signed for some hours.
    """
    return SessionCompletionOut.of(completion.override_lock(ctx.work, ctx.scope, session_id, body.reason, body.hours))
