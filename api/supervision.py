"""Routes of supervision sessions and of supervision hours per month."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query
from pydantic import AfterValidator, BaseModel, Field

from api.context import RequestContext, Version
from api.field_problems import describe_pattern
from api.fields import Day, Instant, Name, Text50000
from api.goals import round_to_hundredths
from api.names import PersonOf, StaffName, from_record
from api.responses import Input, ListQuery, PageOut, VoidIn, partial_model, to_page
from api.routing import PermissionRouter
from practice.clinical.errors import NotYours
from practice.clinical.models.supervision import SupervisionSession
from practice.clinical.supervision import hours, sessions
from practice.clinical.supervision.hours import MonthlyHours
from practice.clinical.supervision.rules import MAX_GROUP_SIZE
from practice.clinical.supervision.sessions import (
    Filters,
    NoteEmpty,
    SupervisionExists,
    SupervisionSigned,
    SupervisionView,
)

router = PermissionRouter(tags=["supervision"])

Hours = Annotated[Decimal, Field(gt=0, le=12, decimal_places=2), AfterValidator(round_to_hundredths)]
Topics = Annotated[list[Name], Field(max_length=20)]
Kind = Literal["INDIVIDUAL", "GROUP"]
MonthText = Annotated[
    str | None,
    Query(
        pattern=describe_pattern(r"^(19|20|21)[0-9]{2}-(0[1-9]|1[0-2])$", "Expected a month like 2026-03."),
        description="Like 2026-03; default: the current month.",
    ),
]


class SupervisionIn(Input):
    """An admin sends `supervisor_id`; for a supervisor it defaults to themselves."""

    supervisee_ids: Annotated[list[UUID], Field(min_length=1, max_length=MAX_GROUP_SIZE)]
    supervisor_id: UUID | None = None
    kind: Kind
    held_at: Instant
    hours: Hours
    topics: Topics = Field(default_factory=list)
    note: Text50000 | None = None


class SupervisionChange(Input):
    """Only the fields sent are changed. The participants cannot change."""

    held_at: Instant = datetime.min.replace(tzinfo=UTC)
    hours: Hours = Decimal(1)
    topics: Topics = Field(default_factory=list)
    note: Text50000 | None = None


class SupervisionQuery(ListQuery):
    supervisee_id: UUID | None = None
    supervisor_id: UUID | None = None
    since: Annotated[Day | None, Field(alias="from", description="Held on this local date or later.")] = None
    until: Annotated[Day | None, Field(alias="to", description="Held on this local date or earlier.")] = None
    signed: bool | None = None
    voided: bool = False

    def to_filters(self) -> Filters:
        return Filters(self.supervisee_id, self.supervisor_id, self.since, self.until, self.signed, self.voided)


class SupervisionOut(BaseModel):
    id: UUID
    supervisee_id: UUID
    supervisee_name: StaffName = None
    supervisor_id: UUID
    supervisor_name: StaffName = None
    kind: Kind
    held_at: datetime
    hours: Decimal
    topics: list[str]
    note_signed_at: datetime | None
    voided_at: datetime | None
    voided_by: UUID | None
    voided_by_person: PersonOf = None
    void_reason: str | None
    version: int

    @classmethod
    def of(cls, session: SupervisionSession) -> "SupervisionOut":
        return from_record(SupervisionOut, session)


class SupervisionWithNoteOut(SupervisionOut):
    note: str | None

    @classmethod
    def with_note(cls, view: SupervisionView) -> "SupervisionWithNoteOut":
        return cls(**SupervisionOut.of(view.session).model_dump(), note=view.note)


class RecordedOut(BaseModel):
    """One session per supervisee."""

    items: list[SupervisionOut]


class HoursOut(BaseModel):
    """`required` is null for licenses without required hours, and for a month in which the person joined or left."""

    staff_id: UUID
    first_name: str
    last_name: str
    license_type: str | None
    month: str
    held: Decimal
    required: int | None
    missing: Decimal

    @classmethod
    def of(cls, monthly: MonthlyHours) -> "HoursOut":
        staff, hours = monthly.staff, monthly.hours
        names = {name: getattr(staff, name) for name in ("first_name", "last_name", "license_type")}
        numbers = {"held": hours.held, "required": hours.required, "missing": round_to_hundredths(hours.missing)}
        return cls(staff_id=staff.id, month=f"{monthly.month.first:%Y-%m}", **names, **numbers)


class MonthHoursOut(BaseModel):
    items: list[HoursOut]


SupervisionInList: Any = partial_model(SupervisionOut)


def parse_month(month: str | None) -> date | None:
    """Return the first day of a month, or None."""
    return None if month is None else date.fromisoformat(f"{month}-01")


@router.get("/supervision-sessions", permission="supervision.read")
def list_supervision_sessions(
    ctx: RequestContext, query: Annotated[SupervisionQuery, Query()]
) -> PageOut[SupervisionInList]:
    """List supervision sessions.

    Latest first. Sorts by held_at or id.
    """
    page = sessions.list_sessions(ctx.work, ctx.scope, query.page_request(), query.to_filters())
    return to_page(page, SupervisionOut)


@router.post("/supervision-sessions", permission="supervision.write", status_code=201, errors=[SupervisionExists])
def record_supervision_sessions(ctx: RequestContext, body: SupervisionIn) -> RecordedOut:
    """Record a supervision session.

    For one supervisee or for each of a group.
    """
    recorded = sessions.record_sessions(ctx.work, ctx.scope, **body.model_dump())
    return RecordedOut(items=[SupervisionOut.of(session) for session in recorded])


@router.get("/supervision-sessions/hours", permission="supervision.read")
def list_supervision_hours(ctx: RequestContext, month: MonthText = None) -> MonthHoursOut:
    """List supervision hours of a month.

    For everybody on the staff that month, compared with what their licenses require; most missing hours first.
    """
    monthly_hours = hours.list_monthly_hours(ctx.work, ctx.scope, parse_month(month))
    return MonthHoursOut(items=[HoursOut.of(monthly) for monthly in monthly_hours])


@router.get("/supervision-sessions/{session_id}", permission="supervision.read")
def get_supervision_session(ctx: RequestContext, session_id: UUID) -> SupervisionWithNoteOut:
    """Get a supervision session with its note."""
    return SupervisionWithNoteOut.with_note(sessions.get_session(ctx.work, ctx.scope, session_id))


@router.patch(
    "/supervision-sessions/{session_id}",
    permission="supervision.write",
    errors=[NotYours, SupervisionSigned, SupervisionExists],
)
def change_supervision_session(
    ctx: RequestContext, session_id: UUID, version: Version, body: SupervisionChange
) -> SupervisionWithNoteOut:
    """Change a supervision session.

    Time, hours, topics or note, while its note is not signed.
    """
    changes = body.model_dump(exclude_unset=True)
    return SupervisionWithNoteOut.with_note(sessions.change_session(ctx.work, ctx.scope, session_id, version, changes))


@router.post(
    "/supervision-sessions/{session_id}/sign",
    permission="supervision.write",
    errors=[NotYours, SupervisionSigned, NoteEmpty],
)
def sign_supervision_session(ctx: RequestContext, session_id: UUID) -> SupervisionWithNoteOut:
    """Sign the note of a supervision session.

    A session you held. It cannot be changed afterwards.
    """
    return SupervisionWithNoteOut.with_note(sessions.sign_session(ctx.work, ctx.scope, session_id))


@router.delete("/supervision-sessions/{session_id}", permission="supervision.write", status_code=204, errors=[NotYours])
def void_supervision_session(ctx: RequestContext, session_id: UUID, body: VoidIn) -> None:
    """Void a supervision session.

    Its hours no longer count. The session stays on record with who, when and why. Do not put personal data in
    `reason`.
    """
    sessions.void_session(ctx.work, ctx.scope, session_id, body.reason)


@router.get("/staff/{staff_id}/supervision-hours", permission="supervision.read")
def get_supervision_hours(ctx: RequestContext, staff_id: UUID, month: MonthText = None) -> HoursOut:
    """Get the supervision hours of a staff member.

    In a month, compared with what their license requires.
    """
    return HoursOut.of(hours.get_monthly_hours(ctx.work, ctx.scope, staff_id, parse_month(month)))
