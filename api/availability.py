"""When clinicians can be booked: weekly hours, days that differ, meetings; and when the practice is closed."""

from datetime import date, time
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field

from api.context import Paging, RequestContext, Version
from api.fields import Day, Name, Short, TimeOfDay, Why
from api.responses import Input, ListQuery, PageOut, page_out, some_of
from api.rooms import BlockIn, BlockInList, BlockOut, BlockQuery
from api.routing import PermissionRouter
from practice.scheduling.availability import blocks, closures, hours
from practice.scheduling.availability.closures import ClosedAlready
from practice.scheduling.availability.hours import WindowFor
from practice.scheduling.errors import SlotTaken
from practice.scheduling.models.availability import AvailabilityException, Closure

router = PermissionRouter(tags=["availability"])

Weekday = Annotated[int, Field(ge=0, le=6, description="0 is Sunday.")]
Codes = Annotated[list[Short], Field(max_length=100, description="Of services; none is all.")]
Affected = Annotated[int, Field(description="Coming appointments that lie outside the clinician's hours now.")]


class WindowIn(Input):
    weekday: Weekday
    start_time: TimeOfDay
    end_time: TimeOfDay
    effective_on: Day | None = None
    ends_on: Day | None = None
    services: Codes = Field(default_factory=list)


class WindowChange(Input):
    """Only what is sent is changed."""

    weekday: Weekday = 0
    start_time: TimeOfDay = time.min
    end_time: TimeOfDay = time.min
    effective_on: Day | None = None
    ends_on: Day | None = None
    services: Codes = Field(default_factory=list)


class WindowOut(BaseModel):
    id: UUID
    weekday: int
    start_time: TimeOfDay
    end_time: TimeOfDay
    effective_on: date | None
    ends_on: date | None
    services: list[str]
    version: int

    @classmethod
    def of(cls, found: WindowFor, **more: Any) -> Any:
        plain = {name: getattr(found.window, name) for name in WindowOut.model_fields if name != "services"}
        return cls(**plain, services=found.services, **more)


class ChangedWindowOut(WindowOut):
    affected: Affected


class ExceptionIn(Input):
    on_date: Day
    available: bool
    start_time: TimeOfDay | None = None
    end_time: TimeOfDay | None = None
    reason: Name | None = None


class ExceptionChange(Input):
    """Only what is sent is changed."""

    on_date: Day = date.min
    available: bool = False
    start_time: TimeOfDay | None = None
    end_time: TimeOfDay | None = None
    reason: Name | None = None


class ExceptionOut(BaseModel):
    id: UUID
    on_date: date
    available: bool
    start_time: TimeOfDay | None
    end_time: TimeOfDay | None
    reason: str | None
    version: int

    @classmethod
    def of(cls, exception: AvailabilityException, **more: Any) -> Any:
        plain = {name: getattr(exception, name) for name in ExceptionOut.model_fields}
        return cls(**plain, **more)


class ChangedExceptionOut(ExceptionOut):
    affected: Affected


class AffectedOut(BaseModel):
    affected: Affected


class DaysQuery(ListQuery):
    first: Annotated[Day | None, Field(alias="from")] = None
    last: Annotated[Day | None, Field(alias="to")] = None


class ClosureIn(Input):
    closed_on: Day
    reason: Name | None = None


class ClosureOut(BaseModel):
    closed_on: date
    reason: str | None

    @classmethod
    def of(cls, closure: Closure) -> "ClosureOut":
        return cls(closed_on=closure.closed_on, reason=closure.reason)


class NewClosureOut(ClosureOut):
    affected: Annotated[int, Field(description="Appointments that are booked for that day.")]


WindowInList: Any = some_of(WindowOut)
ExceptionInList: Any = some_of(ExceptionOut)
ClosureInList: Any = some_of(ClosureOut)
HOURS = "/clinicians/{staff_id}/availability"
DAYS = "/clinicians/{staff_id}/exceptions"
MEETINGS = "/clinicians/{staff_id}/blocks"


@router.get(HOURS, permission="availability.read")
def list_windows(ctx: RequestContext, staff_id: UUID, query: Paging) -> PageOut[WindowInList]:
    """A clinician's weekly hours, past and coming ones too. Sorts by weekday or id."""
    return page_out(hours.list_windows(ctx.work, ctx.scope, staff_id, query.asked()), WindowOut)


@router.post(HOURS, permission="availability.write", status_code=201)
def add_window(ctx: RequestContext, staff_id: UUID, body: WindowIn) -> ChangedWindowOut:
    """Open hours of a week, for some services or all. What they overlap is said."""
    found, affected = hours.add_window(ctx.work, ctx.scope, staff_id, **body.model_dump())
    return ChangedWindowOut.of(found, affected=affected)


@router.patch(HOURS + "/{window_id}", permission="availability.write")
def change_window(
    ctx: RequestContext, staff_id: UUID, window_id: UUID, version: Version, body: WindowChange
) -> ChangedWindowOut:
    """Change weekly hours. To change them from a date on, end these the day before and add others."""
    changes = body.model_dump(exclude_unset=True)
    found, affected = hours.change_window(ctx.work, ctx.scope, staff_id, window_id, version, changes)
    return ChangedWindowOut.of(found, affected=affected)


@router.delete(HOURS + "/{window_id}", permission="availability.write")
def void_window(ctx: RequestContext, staff_id: UUID, window_id: UUID, reason: Annotated[Why, Query()]) -> AffectedOut:
    """These hours were never right, and do not count. The reason names nobody."""
    affected = hours.void_window(ctx.work, ctx.scope, staff_id, window_id, reason)
    return AffectedOut(affected=affected)


@router.get(DAYS, permission="availability.read")
def list_exceptions(
    ctx: RequestContext, staff_id: UUID, query: Annotated[DaysQuery, Query()]
) -> PageOut[ExceptionInList]:
    """The days on which a clinician's hours differ. Sorts by on_date or id."""
    found = hours.list_exceptions(ctx.work, ctx.scope, staff_id, query.asked(), first=query.first, last=query.last)
    return page_out(found, ExceptionOut)


@router.post(DAYS, permission="availability.write", status_code=201)
def add_exception(ctx: RequestContext, staff_id: UUID, body: ExceptionIn) -> ChangedExceptionOut:
    """Close a day, or a stretch of it, or open a stretch."""
    found, affected = hours.add_exception(ctx.work, ctx.scope, staff_id, **body.model_dump())
    return ChangedExceptionOut.of(found, affected=affected)


@router.patch(DAYS + "/{exception_id}", permission="availability.write")
def change_exception(
    ctx: RequestContext, staff_id: UUID, exception_id: UUID, version: Version, body: ExceptionChange
) -> ChangedExceptionOut:
    """Change a day that differs."""
    changes = body.model_dump(exclude_unset=True)
    found, affected = hours.change_exception(ctx.work, ctx.scope, staff_id, exception_id, version, changes)
    return ChangedExceptionOut.of(found, affected=affected)


@router.delete(DAYS + "/{exception_id}", permission="availability.write")
def void_exception(
    ctx: RequestContext, staff_id: UUID, exception_id: UUID, reason: Annotated[Why, Query()]
) -> AffectedOut:
    """The day does not differ after all. The reason names nobody."""
    affected = hours.void_exception(ctx.work, ctx.scope, staff_id, exception_id, reason)
    return AffectedOut(affected=affected)


@router.get(MEETINGS, permission="availability.read")
def list_meetings(ctx: RequestContext, staff_id: UUID, query: Annotated[BlockQuery, Query()]) -> PageOut[BlockInList]:
    """A clinician's meetings, where they touch the span. Sorts by starts_at or id."""
    found = blocks.list_blocks(
        ctx.work, ctx.scope, query.asked(), clinician_id=staff_id, start=query.start, end=query.end
    )
    return page_out(found, BlockOut)


@router.post(MEETINGS, permission="availability.write", status_code=201, errors=[SlotTaken])
def add_meeting(ctx: RequestContext, staff_id: UUID, body: BlockIn) -> BlockOut:
    """Take a clinician's time, in which nothing is booked, for something else than an appointment."""
    return BlockOut.of(blocks.add_block(ctx.work, ctx.scope, clinician_id=staff_id, **body.model_dump()))


@router.delete(MEETINGS + "/{block_id}", permission="availability.write", status_code=204)
def void_meeting(ctx: RequestContext, staff_id: UUID, block_id: UUID, reason: Annotated[Why, Query()]) -> None:
    """The clinician is free again. The reason names nobody."""
    blocks.void_block(ctx.work, ctx.scope, block_id, reason, clinician_id=staff_id)


@router.get("/closures", permission="settings.read")
def list_closures(ctx: RequestContext, query: Annotated[DaysQuery, Query()]) -> PageOut[ClosureInList]:
    """The days on which the practice is closed. Sorts by closed_on."""
    return page_out(closures.list_closures(ctx.work, query.asked(), first=query.first, last=query.last), ClosureOut)


@router.post("/closures", permission="settings.write", status_code=201, errors=[ClosedAlready])
def add_closure(ctx: RequestContext, body: ClosureIn) -> NewClosureOut:
    """Close the practice for a day. What is booked stays, and is counted in the answer."""
    closure, affected = closures.add_closure(ctx.work, body.closed_on, body.reason)
    return NewClosureOut(closed_on=closure.closed_on, reason=closure.reason, affected=affected)


@router.delete("/closures/{closed_on}", permission="settings.write", status_code=204)
def void_closure(ctx: RequestContext, closed_on: Day, reason: Annotated[Why, Query()]) -> None:
    """The practice is open on that day after all. The reason names nobody."""
    closures.void_closure(ctx.work, closed_on, reason)
