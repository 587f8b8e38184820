"""Routes of supervision sessions and of supervision hours per month."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query
from pydantic import AfterValidator, BaseModel, Field

from api.context import RequestContext, Version
from api.field_problems import describe_pattern
from api.fields import (
    EXAMPLE_ID,
    AccountId,
    Day,
    Instant,
    Name,
    RecordId,
    RecordVersion,
    Text50000,
    VoidedAt,
    VoidReason,
    describe,
    example,
)
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

    model_config = example(
        supervisee_ids=[EXAMPLE_ID],
        kind="INDIVIDUAL",
        held_at="2026-03-18T16:00:00-04:00",
        hours="1.50",
        topics=["Boundaries"],
    )

    supervisee_ids: Annotated[
        list[UUID], Field(min_length=1, max_length=MAX_GROUP_SIZE), describe("Those supervised; several in a group.")
    ]
    supervisor_id: Annotated[UUID | None, describe("Who held it; by default you.")] = None
    kind: Annotated[Kind, describe("`INDIVIDUAL` or `GROUP`.")]
    held_at: Annotated[Instant, describe("When the session was held.")]
    hours: Annotated[Hours, describe("Length in hours.")]
    topics: Annotated[Topics, describe("What was discussed.")] = Field(default_factory=list)
    note: Annotated[Text50000 | None, describe("The note of the session. Encrypted.")] = None


class SupervisionChange(Input):
    """Only the fields sent are changed. The participants cannot change."""

    model_config = example(hours="1.00")

    held_at: Annotated[Instant, describe("When the session was held.")] = datetime.min.replace(tzinfo=UTC)
    hours: Annotated[Hours, describe("Length in hours.")] = Decimal(1)
    topics: Annotated[Topics, describe("What was discussed.")] = Field(default_factory=list)
    note: Annotated[Text50000 | None, describe("The note of the session. Encrypted.")] = None


class SupervisionQuery(ListQuery):
    supervisee_id: Annotated[UUID | None, describe("Only of this supervisee.")] = None
    supervisor_id: Annotated[UUID | None, describe("Only of this supervisor.")] = None
    since: Annotated[Day | None, Field(alias="from", description="Held on this local date or later.")] = None
    until: Annotated[Day | None, Field(alias="to", description="Held on this local date or earlier.")] = None
    signed: Annotated[bool | None, describe("Only with a signed note, or only others.")] = None
    voided: Annotated[bool, describe("Also list voided records.")] = False

    def to_filters(self) -> Filters:
        return Filters(self.supervisee_id, self.supervisor_id, self.since, self.until, self.signed, self.voided)


class SupervisionOut(BaseModel):
    id: RecordId
    supervisee_id: Annotated[UUID, describe("Who was supervised.")]
    supervisee_name: StaffName = None
    supervisor_id: Annotated[UUID, describe("Who held it.")]
    supervisor_name: StaffName = None
    kind: Annotated[Kind, describe("`INDIVIDUAL` or `GROUP`.")]
    held_at: Annotated[datetime, describe("When the session was held.")]
    hours: Annotated[Decimal, describe("Length in hours.")]
    topics: Annotated[list[str], describe("What was discussed.")]
    note_signed_at: Annotated[datetime | None, describe("When its note was signed.")]
    voided_at: VoidedAt | None
    voided_by: AccountId | None
    voided_by_person: PersonOf = None
    void_reason: VoidReason | None
    version: RecordVersion

    @classmethod
    def of(cls, session: SupervisionSession) -> "SupervisionOut":
        return from_record(SupervisionOut, session)


class SupervisionWithNoteOut(SupervisionOut):
    note: Annotated[str | None, describe("The note of the session.")]

    @classmethod
    def with_note(cls, view: SupervisionView) -> "SupervisionWithNoteOut":
        return cls(**SupervisionOut.of(view.session).model_dump(), note=view.note)


class RecordedOut(BaseModel):
    """One session per supervisee."""

    items: Annotated[list[SupervisionOut], describe("One session for each supervisee.")]


class HoursOut(BaseModel):
    """`required` is null for licenses without required hours, and for a month in which the person joined or left."""

    staff_id: Annotated[UUID, describe("Who is supervised.")]
    first_name: Annotated[str, describe("Given name, as the person writes it.")]
    last_name: Annotated[str, describe("Family name, as the person writes it.")]
    license_type: Annotated[str | None, describe("Type of license, which decides the supervision that it requires.")]
    month: Annotated[str, describe("The month, like 2026-03.")]
    held: Annotated[Decimal, describe("Hours held in the month.")]
    unsigned: Annotated[Decimal, describe("Those of the hours held whose session has no signed note yet.")]
    required: Annotated[int | None, describe("Hours that the license requires; null if none.")]
    missing: Annotated[Decimal, describe("Hours that are missing.")]

    @classmethod
    def of(cls, monthly: MonthlyHours) -> "HoursOut":
        staff, hours = monthly.staff, monthly.hours
        names = {name: getattr(staff, name) for name in ("first_name", "last_name", "license_type")}
        numbers = {"held": hours.held, "unsigned": monthly.unsigned, "required": hours.required}
        numbers["missing"] = round_to_hundredths(hours.missing)
        return cls(staff_id=staff.id, month=f"{monthly.month.first:%Y-%m}", **names, **numbers)


class MonthHoursOut(BaseModel):
    items: Annotated[list[HoursOut], describe("One row for each person, by name.")]


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
