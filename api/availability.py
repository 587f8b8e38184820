"""Routes of availability: weekly hours, exceptions and meetings of clinicians, and closures of the practice."""

from datetime import date, time
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field

from api.affected import AffectedOut, describe_affected
from api.context import Paging, RequestContext, Version
from api.fields import Day, Name, RecordId, RecordVersion, Text40, TimeOfDay, describe, example
from api.filters import DaysQuery
from api.responses import Input, PageOut, VoidIn, partial_model, to_page
from api.rooms import BlockIn, BlockInList, BlockOut, BlockQuery
from api.routing import PermissionRouter
from practice.scheduling.appointments.affected import load_affected, load_affected_by_closure
from practice.scheduling.availability import blocks, closures, hours
from practice.scheduling.availability.closures import AlreadyClosed
from practice.scheduling.availability.hours import WindowWithServices
from practice.scheduling.errors import SlotTaken
from practice.scheduling.models.availability import AvailabilityException, Closure

router = PermissionRouter(tags=["availability"])

Weekday = Annotated[int, Field(ge=0, le=6, description="0 is Sunday.")]
Codes = Annotated[list[Text40], Field(max_length=100, description="Service codes; empty for all services.")]


class WindowIn(Input):
    model_config = example(weekday=1, start_time="09:00", end_time="17:00")

    weekday: Weekday
    start_time: Annotated[TimeOfDay, describe("When it begins, local.")]
    end_time: Annotated[TimeOfDay, describe("When it ends, local.")]
    effective_on: Annotated[Day | None, describe("The first day of these hours; null from the beginning.")] = None
    ends_on: Annotated[Day | None, describe("The last day on which it applies; null without an end.")] = None
    services: Codes = Field(default_factory=list)


class WindowChange(Input):
    """Only the fields sent are changed."""

    model_config = example(end_time="18:00")

    weekday: Weekday = 0
    start_time: Annotated[TimeOfDay, describe("When it begins, local.")] = time.min
    end_time: Annotated[TimeOfDay, describe("When it ends, local.")] = time.min
    effective_on: Annotated[Day | None, describe("The first day of these hours; null from the beginning.")] = None
    ends_on: Annotated[Day | None, describe("The last day on which it applies; null without an end.")] = None
    services: Codes = Field(default_factory=list)


class WindowOut(BaseModel):
    id: RecordId
    weekday: Annotated[int, describe("0 for Sunday to 6 for Saturday.")]
    start_time: Annotated[TimeOfDay, describe("When it begins, local.")]
    end_time: Annotated[TimeOfDay, describe("When it ends, local.")]
    effective_on: Annotated[date | None, describe("The first day of these hours; null from the beginning.")]
    ends_on: Annotated[date | None, describe("The last day on which it applies; null without an end.")]
    services: Annotated[list[str], describe("Codes of the services; empty for all.")]
    version: RecordVersion

    @classmethod
    def of(cls, window: WindowWithServices, **extra: Any) -> Any:
        plain = {name: getattr(window.window, name) for name in WindowOut.model_fields if name != "services"}
        return cls(**plain, services=window.services, **extra)


class ChangedWindowOut(AffectedOut, WindowOut):
    """Weekly hours, with the visits that the change puts outside the clinician's hours."""


class ExceptionIn(Input):
    model_config = example(on_date="2026-12-24", available=False, reason="Holiday")

    on_date: Annotated[Day, describe("The local day.")]
    available: Annotated[bool, describe("True opens hours, false closes them.")]
    start_time: Annotated[TimeOfDay | None, describe("When it begins, local; without times the whole day.")] = None
    end_time: Annotated[TimeOfDay | None, describe("When it ends, local.")] = None
    reason: Annotated[Name | None, describe("Why, for staff.")] = None


class ExceptionChange(Input):
    """Only the fields sent are changed."""

    model_config = example(start_time="09:00", end_time="12:00")

    on_date: Annotated[Day, describe("The local day.")] = date.min
    available: Annotated[bool, describe("True opens hours, false closes them.")] = False
    start_time: Annotated[TimeOfDay | None, describe("When it begins, local; null for the whole day.")] = None
    end_time: Annotated[TimeOfDay | None, describe("When it ends, local.")] = None
    reason: Annotated[Name | None, describe("Why, for staff.")] = None


class ExceptionOut(BaseModel):
    id: RecordId
    on_date: Annotated[date, describe("The local day.")]
    available: Annotated[bool, describe("True opens hours, false closes them.")]
    start_time: Annotated[TimeOfDay | None, describe("When it begins, local; null for the whole day.")]
    end_time: Annotated[TimeOfDay | None, describe("When it ends, local.")]
    reason: Annotated[str | None, describe("Why, for staff.")]
    version: RecordVersion

    @classmethod
    def of(cls, exception: AvailabilityException, **extra: Any) -> Any:
        plain = {name: getattr(exception, name) for name in ExceptionOut.model_fields}
        return cls(**plain, **extra)


class ChangedExceptionOut(AffectedOut, ExceptionOut):
    """An exception, with the visits that the change puts outside the clinician's hours."""


class ClosureIn(Input):
    model_config = example(closed_on="2026-11-26", reason="Thanksgiving")

    closed_on: Annotated[Day, describe("The local day on which the practice is closed.")]
    reason: Annotated[Name | None, describe("Why, such as a holiday.")] = None


class ClosureOut(BaseModel):
    closed_on: Annotated[date, describe("The local day on which the practice is closed.")]
    reason: Annotated[str | None, describe("Why, such as a holiday.")]

    @classmethod
    def of(cls, closure: Closure) -> "ClosureOut":
        return cls(closed_on=closure.closed_on, reason=closure.reason)


class NewClosureOut(AffectedOut, ClosureOut):
    """A closure, with the visits of that day."""


WindowInList: Any = partial_model(WindowOut)
ExceptionInList: Any = partial_model(ExceptionOut)
ClosureInList: Any = partial_model(ClosureOut)
HOURS = "/clinicians/{staff_id}/availability"
DAYS = "/clinicians/{staff_id}/exceptions"
MEETINGS = "/clinicians/{staff_id}/blocks"


@router.get(HOURS, permission="availability.read")
def list_windows(ctx: RequestContext, staff_id: UUID, query: Paging) -> PageOut[WindowInList]:
    """List a clinician's weekly hours.

    Includes past and future ones. Sorts by weekday or id.
    """
    return to_page(hours.list_windows(ctx.work, ctx.scope, staff_id, query.page_request()), WindowOut)


@router.post(HOURS, permission="availability.write", status_code=201)
def add_window(ctx: RequestContext, staff_id: UUID, body: WindowIn) -> ChangedWindowOut:
    """Add weekly hours.

    For some services or all. Rejected when they overlap others.
    """
    window, outside = hours.add_window(ctx.work, ctx.scope, staff_id, **body.model_dump())
    return ChangedWindowOut.of(window, **describe_affected(load_affected(ctx.work, outside)))


@router.patch(HOURS + "/{window_id}", permission="availability.write")
def change_window(
    ctx: RequestContext, staff_id: UUID, window_id: UUID, version: Version, body: WindowChange
) -> ChangedWindowOut:
    """Change weekly hours.

    To change them from a date on, end these the day before and add others.
    """
    changes = body.model_dump(exclude_unset=True)
    window, outside = hours.change_window(ctx.work, ctx.scope, staff_id, window_id, version, changes)
    return ChangedWindowOut.of(window, **describe_affected(load_affected(ctx.work, outside)))


@router.delete(HOURS + "/{window_id}", permission="availability.write")
def void_window(ctx: RequestContext, staff_id: UUID, window_id: UUID, body: VoidIn) -> AffectedOut:
    """Void weekly hours.

    They no longer count, but stay on record with who, when and why. Do not put personal data in `reason`.
    """
    outside = hours.void_window(ctx.work, ctx.scope, staff_id, window_id, body.reason)
    return AffectedOut(**describe_affected(load_affected(ctx.work, outside)))


@router.get(DAYS, permission="availability.read")
def list_exceptions(
    ctx: RequestContext, staff_id: UUID, query: Annotated[DaysQuery, Query()]
) -> PageOut[ExceptionInList]:
    """List a clinician's exceptions.

    The days on which their hours differ. Sorts by on_date or id.
    """
    page = hours.list_exceptions(
        ctx.work, ctx.scope, staff_id, query.page_request(), first=query.first, last=query.last
    )
    return to_page(page, ExceptionOut)


@router.post(DAYS, permission="availability.write", status_code=201)
def add_exception(ctx: RequestContext, staff_id: UUID, body: ExceptionIn) -> ChangedExceptionOut:
    """Add an exception to a clinician's hours.

    Closes a day, closes a part of it, or opens a part of it.
    """
    exception, outside = hours.add_exception(ctx.work, ctx.scope, staff_id, **body.model_dump())
    return ChangedExceptionOut.of(exception, **describe_affected(load_affected(ctx.work, outside)))


@router.patch(DAYS + "/{exception_id}", permission="availability.write")
def change_exception(
    ctx: RequestContext, staff_id: UUID, exception_id: UUID, version: Version, body: ExceptionChange
) -> ChangedExceptionOut:
    """Change an exception."""
    changes = body.model_dump(exclude_unset=True)
    exception, outside = hours.change_exception(ctx.work, ctx.scope, staff_id, exception_id, version, changes)
    return ChangedExceptionOut.of(exception, **describe_affected(load_affected(ctx.work, outside)))


@router.delete(DAYS + "/{exception_id}", permission="availability.write")
def void_exception(ctx: RequestContext, staff_id: UUID, exception_id: UUID, body: VoidIn) -> AffectedOut:
    """Void an exception.

    The weekly hours apply again. The exception stays on record with who, when and why. Do not put personal data in
    `reason`.
    """
    outside = hours.void_exception(ctx.work, ctx.scope, staff_id, exception_id, body.reason)
    return AffectedOut(**describe_affected(load_affected(ctx.work, outside)))


@router.get(MEETINGS, permission="availability.read")
def list_meetings(ctx: RequestContext, staff_id: UUID, query: Annotated[BlockQuery, Query()]) -> PageOut[BlockInList]:
    """List a clinician's meetings.

    Those that overlap the span. Sorts by starts_at or id.
    """
    start, end = query.to_span(ctx.work)
    page = blocks.list_blocks(ctx.work, ctx.scope, query.page_request(), clinician_id=staff_id, start=start, end=end)
    return to_page(page, BlockOut)


@router.post(MEETINGS, permission="availability.write", status_code=201, errors=[SlotTaken])
def add_meeting(ctx: RequestContext, staff_id: UUID, body: BlockIn) -> BlockOut:
    """Add a meeting.

    Blocks time of a clinician in which nothing is booked.
    """
    return BlockOut.of(blocks.add_block(ctx.work, ctx.scope, clinician_id=staff_id, **body.model_dump()))


@router.delete(MEETINGS + "/{block_id}", permission="availability.write", status_code=204)
def void_meeting(ctx: RequestContext, staff_id: UUID, block_id: UUID, body: VoidIn) -> None:
    """Void a meeting.

    The clinician can be booked again. The meeting stays on record with who, when and why. Do not put personal data in
    `reason`.
    """
    blocks.void_block(ctx.work, ctx.scope, block_id, body.reason, clinician_id=staff_id)


@router.get("/closures", permission="settings.read")
def list_closures(ctx: RequestContext, query: Annotated[DaysQuery, Query()]) -> PageOut[ClosureInList]:
    """List closures of the practice.

    Sorts by closed_on.
    """
    return to_page(
        closures.list_closures(ctx.work, query.page_request(), first=query.first, last=query.last), ClosureOut
    )


@router.post("/closures", permission="settings.write", status_code=201, errors=[AlreadyClosed])
def add_closure(ctx: RequestContext, body: ClosureIn) -> NewClosureOut:
    """Close the practice for a day.

    Booked appointments stay; the response lists them.
    """
    closure = closures.add_closure(ctx.work, body.closed_on, body.reason)
    visits = load_affected_by_closure(ctx.work, closure.closed_on)
    return NewClosureOut(closed_on=closure.closed_on, reason=closure.reason, **describe_affected(visits))


@router.delete("/closures/{closed_on}", permission="settings.write", status_code=204)
def void_closure(ctx: RequestContext, closed_on: Day, body: VoidIn) -> None:
    """Void a closure.

    The practice is open on that day again. The closure stays on record with who, when and why. Do not put personal
    data in `reason`.
    """
    closures.void_closure(ctx.work, closed_on, body.reason)
