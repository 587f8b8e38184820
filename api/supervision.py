"""Supervision sessions, and the hours that they come to."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query
from pydantic import AfterValidator, BaseModel, Field, StringConstraints

from api.context import RequestContext, Version
from api.fields import PLAIN, Day, Instant, LongText, Why
from api.goals import two_decimals
from api.responses import Input, ListQuery, PageOut, page_out, some_of
from api.routing import PermissionRouter
from practice.clinical.errors import NotYours
from practice.clinical.models.supervision import SupervisionSession
from practice.clinical.supervision import hours, sessions
from practice.clinical.supervision.hours import MonthOf
from practice.clinical.supervision.rules import MOST_IN_A_GROUP
from practice.clinical.supervision.sessions import Filters, NoteEmpty, Session, SupervisionExists, SupervisionSigned

router = PermissionRouter(tags=["supervision"])

Hours = Annotated[Decimal, Field(gt=0, le=12, decimal_places=2), AfterValidator(two_decimals)]
Topic = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100, pattern=PLAIN)]
Topics = Annotated[list[Topic], Field(max_length=20)]
Kind = Literal["INDIVIDUAL", "GROUP"]
MonthText = Annotated[
    str | None,
    Query(pattern=r"^(19|20|21)[0-9]{2}-(0[1-9]|1[0-2])$", description="Like 2026-03; default: the present one."),
]


class SupervisionIn(Input):
    """What an admin puts on record names the supervisor; a supervisor's own does not need to."""

    supervisee_ids: Annotated[list[UUID], Field(min_length=1, max_length=MOST_IN_A_GROUP)]
    supervisor_id: UUID | None = None
    kind: Kind
    held_at: Instant
    hours: Hours
    topics: Topics = Field(default_factory=list)
    note: LongText | None = None


class SupervisionChange(Input):
    """Only what is sent is changed. With other people it was another session."""

    held_at: Instant = datetime.min.replace(tzinfo=UTC)
    hours: Hours = Decimal(1)
    topics: Topics = Field(default_factory=list)
    note: LongText | None = None


class SupervisionQuery(ListQuery):
    supervisee_id: UUID | None = None
    supervisor_id: UUID | None = None
    since: Annotated[Day | None, Field(alias="from", description="Held on this local date or later.")] = None
    until: Annotated[Day | None, Field(alias="to", description="Held on this local date or earlier.")] = None
    signed: bool | None = None
    voided: bool = False

    def filters(self) -> Filters:
        return Filters(self.supervisee_id, self.supervisor_id, self.since, self.until, self.signed, self.voided)


class SupervisionOut(BaseModel):
    id: UUID
    supervisee_id: UUID
    supervisor_id: UUID
    kind: Kind
    held_at: datetime
    hours: Decimal
    topics: list[str]
    note_signed_at: datetime | None
    voided_at: datetime | None
    void_reason: str | None
    version: int

    @classmethod
    def of(cls, session: SupervisionSession) -> "SupervisionOut":
        return cls(**{name: getattr(session, name) for name in SupervisionOut.model_fields})


class SupervisionWithNoteOut(SupervisionOut):
    note: str | None

    @classmethod
    def whole(cls, found: Session) -> "SupervisionWithNoteOut":
        return cls(**SupervisionOut.of(found.session).model_dump(), note=found.note)


class RecordedOut(BaseModel):
    """A session for each who took part."""

    items: list[SupervisionOut]


class HoursOut(BaseModel):
    """`required` is null where the licence asks for none, and for a month in which somebody came or left."""

    staff_id: UUID
    first_name: str
    last_name: str
    license_type: str | None
    month: str
    held: Decimal
    required: int | None
    missing: Decimal

    @classmethod
    def of(cls, found: MonthOf) -> "HoursOut":
        staff, hours = found.staff, found.hours
        names = {name: getattr(staff, name) for name in ("first_name", "last_name", "license_type")}
        numbers = {"held": hours.held, "required": hours.required, "missing": two_decimals(hours.missing)}
        return cls(staff_id=staff.id, month=f"{found.month.first:%Y-%m}", **names, **numbers)


class MonthHoursOut(BaseModel):
    items: list[HoursOut]


SupervisionInList: Any = some_of(SupervisionOut)


def first_of(month: str | None) -> date | None:
    return None if month is None else date.fromisoformat(f"{month}-01")


@router.get("/supervision-sessions", permission="supervision.read")
def list_supervision_sessions(
    ctx: RequestContext, query: Annotated[SupervisionQuery, Query()]
) -> PageOut[SupervisionInList]:
    """Supervision sessions, the latest first. Sorts by held_at or id."""
    found = sessions.list_sessions(ctx.work, ctx.scope, query.asked(), query.filters())
    return page_out(found, SupervisionOut)


@router.post("/supervision-sessions", permission="supervision.write", status_code=201, errors=[SupervisionExists])
def record_supervision_sessions(ctx: RequestContext, body: SupervisionIn) -> RecordedOut:
    """Put a session on record, for one person or for each of a group."""
    found = sessions.record_sessions(ctx.work, ctx.scope, **body.model_dump())
    return RecordedOut(items=[SupervisionOut.of(session) for session in found])


@router.get("/supervision-sessions/hours", permission="supervision.read")
def list_supervision_hours(ctx: RequestContext, month: MonthText = None) -> MonthHoursOut:
    """The hours of a month of everybody who was there, held against what their licences need; who lacks most first."""
    found = hours.hours_of_all(ctx.work, ctx.scope, first_of(month))
    return MonthHoursOut(items=[HoursOut.of(one) for one in found])


@router.get("/supervision-sessions/{session_id}", permission="supervision.read")
def get_supervision_session(ctx: RequestContext, session_id: UUID) -> SupervisionWithNoteOut:
    """One session with its note."""
    return SupervisionWithNoteOut.whole(sessions.get_session(ctx.work, ctx.scope, session_id))


@router.patch(
    "/supervision-sessions/{session_id}",
    permission="supervision.write",
    errors=[NotYours, SupervisionSigned, SupervisionExists],
)
def change_supervision_session(
    ctx: RequestContext, session_id: UUID, version: Version, body: SupervisionChange
) -> SupervisionWithNoteOut:
    """Change a session while its note is not signed: when, how long, what about, what the note says."""
    changes = body.model_dump(exclude_unset=True)
    return SupervisionWithNoteOut.whole(sessions.change_session(ctx.work, ctx.scope, session_id, version, changes))


@router.post(
    "/supervision-sessions/{session_id}/sign",
    permission="supervision.write",
    errors=[NotYours, SupervisionSigned, NoteEmpty],
)
def sign_supervision_session(ctx: RequestContext, session_id: UUID) -> SupervisionWithNoteOut:
    """Sign the note of a session that you held. From then on it stays as it is."""
    return SupervisionWithNoteOut.whole(sessions.sign_session(ctx.work, ctx.scope, session_id))


@router.delete("/supervision-sessions/{session_id}", permission="supervision.write", status_code=204, errors=[NotYours])
def void_supervision_session(ctx: RequestContext, session_id: UUID, reason: Annotated[Why, Query()]) -> None:
    """Take back a session that was put on record by mistake: its hours do not count. It stays there."""
    sessions.void_session(ctx.work, ctx.scope, session_id, reason)


@router.get("/staff/{staff_id}/supervision-hours", permission="supervision.read")
def get_supervision_hours(ctx: RequestContext, staff_id: UUID, month: MonthText = None) -> HoursOut:
    """The hours of one person in a month, held against what their licence needs."""
    return HoursOut.of(hours.hours_of(ctx.work, ctx.scope, staff_id, first_of(month)))
