"""The route of the front desk's page: a day or week of visits and free time, and what needs somebody."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel

from api.appointments import AppointmentOut, to_response
from api.context import RequestContext
from api.dashboards import NeedOut
from api.fields import ClientId, ClinicianId, Day, ServiceId, describe
from api.names import ClientName, ServiceCode, ServiceName, StaffName, from_record
from api.reschedule_requests import RequestOut
from api.responses import Input
from api.routing import PermissionRouter
from api.schedule_columns import ScheduleColumnOut, WeekVisitOut
from practice.dashboards.schedule import SchedulePage, load_schedule
from practice.errors import NotFound
from practice.security.permissions import find_scope

router = PermissionRouter(prefix="/dashboards", tags=["dashboards"])

MAY = (
    *(("appointments", verb) for verb in ("status", "book", "move", "cancel")),
    ("session_completions", "write"),
    *(("waitlist", verb) for verb in ("write", "answer")),
)


class ScheduleQuery(Input):
    day: Annotated[Day | None, describe("The local day, or a day of the week; left out, today.")] = None
    view: Annotated[Literal["day", "week"], describe("The day, or its week from Sunday.")] = "day"
    by: Annotated[Literal["clinician", "room"], describe("Whether the columns are clinicians or rooms.")] = "clinician"
    of: Annotated[
        UUID | None,
        describe("One clinician or room; left out, everybody on the day, or the first one's week."),
    ] = None


class ResourceOut(BaseModel):
    id: Annotated[UUID, describe("The clinician or room.")]
    name: Annotated[str, describe("Their name.")]
    active: Annotated[bool, describe("Whether they can be booked; others are listed for the visits they have.")]


class BookableServiceOut(BaseModel):
    id: Annotated[UUID, describe("The service.")]
    code: Annotated[str, describe("Its code in the catalog.")]
    name: Annotated[str, describe("Its name.")]
    minutes: Annotated[int, describe("Its length; a clinician may have another one.")]
    kind: Annotated[str, describe("Its kind, such as `INDIVIDUAL` or `GROUP`.")]


class HeldTimeOut(BaseModel):
    """A time that is held for a client of the waitlist."""

    id: Annotated[UUID, describe("The offer of the waitlist, to take or to decline.")]
    client_id: ClientId
    client_name: ClientName = None
    clinician_id: ClinicianId
    clinician_name: StaffName = None
    service_id: ServiceId
    service_code: ServiceCode = None
    service_name: ServiceName = None
    starts_at: Annotated[datetime, describe("When it begins.")]
    ends_at: Annotated[datetime, describe("When it ends.")]
    holds_until: Annotated[datetime, describe("Until when the time is held.")]


class ScheduleOut(BaseModel):
    today: Annotated[date, describe("Today's local date.")]
    day: Annotated[date, describe("The chosen day.")]
    first: Annotated[date, describe("The first day of the view.")]
    last: Annotated[date, describe("The last day of the view, inclusive.")]
    view: Annotated[Literal["day", "week"], describe("The day, or its week from Sunday.")]
    by: Annotated[Literal["clinician", "room"], describe("Whether the columns are clinicians or rooms.")]
    of: Annotated[UUID | None, describe("The clinician or room of the view; null for everybody.")]
    columns: Annotated[list[ScheduleColumnOut], describe("A column for each clinician, room or day.")]
    visits: Annotated[list[AppointmentOut], describe("The visits of the view, by start, without those moved.")]
    clinicians: Annotated[list[ResourceOut], describe("The clinicians to choose from, by name.")]
    rooms: Annotated[list[ResourceOut], describe("The rooms to choose from, by name.")]
    services: Annotated[list[BookableServiceOut], describe("The services to choose from, by name.")]
    visits_today: Annotated[int, describe("Today's visits that are not cancelled.")]
    check_ins: Annotated[int, describe("Those whose client has come.")]
    waiting: Annotated[int, describe("Clients who are checked in and wait now.")]
    longest_wait_minutes: Annotated[int | None, describe("How long the first of them waits; null if nobody waits.")]
    in_session: Annotated[int, describe("Visits in session now.")]
    rooms_in_use: Annotated[int, describe("Rooms with clients in them now.")]
    waitlist: Annotated[int, describe("Entries on the waitlist without an offer.")]
    brief: Annotated[list[str], describe("One to three sentences: how far today is, who waits, what is free.")]
    needs: Annotated[list[NeedOut], describe("What needs somebody, the most pressing first.")]
    need_visits: Annotated[
        list[WeekVisitOut],
        describe("The first visits that are over and still open, or after their clinician's last day."),
    ]
    requests: Annotated[list[RequestOut], describe("Requests to move visits that wait for a decision, oldest first.")]
    holds: Annotated[list[HeldTimeOut], describe("Times of the view that are held for clients of the waitlist.")]
    may: Annotated[list[str], describe("What you may do, as `record.verb`.")]

    @classmethod
    def of_page(cls, ctx: RequestContext, page: SchedulePage) -> "ScheduleOut":
        """Return the page as a response."""
        board = page.board
        now = {name: getattr(board, name) for name in ("check_ins", "waiting", "in_session", "rooms_in_use")}
        return cls(
            first=page.days[0],
            last=page.days[-1],
            of=page.chosen.id if page.chosen else None,
            columns=[ScheduleColumnOut.of(column) for column in page.columns],
            visits=to_response(ctx, *page.visits),
            clinicians=[from_record(ResourceOut, clinician) for clinician in page.clinicians],
            rooms=[from_record(ResourceOut, room) for room in page.rooms],
            services=[from_record(BookableServiceOut, service) for service in page.services],
            visits_today=board.visits,
            longest_wait_minutes=board.compute_longest_wait(ctx.now),
            needs=[NeedOut.of(need) for need in page.needs],
            need_visits=[from_record(WeekVisitOut, visit) for visit in page.need_visits],
            requests=[RequestOut.of(request, page.requests.visits) for request in page.requests.items],
            holds=[from_record(HeldTimeOut, hold) for hold in page.holds],
            brief=list(page.brief),
            may=[f"{record}.{verb}" for record, verb in MAY if find_scope(ctx.actor.roles, record, verb)],
            **{name: getattr(page, name) for name in ("today", "day", "view", "by", "waitlist")},
            **now,
        )


@router.get("/schedule", permission="dashboards.schedule", errors=[NotFound])
def get_schedule(ctx: RequestContext, query: Annotated[ScheduleQuery, Query()]) -> ScheduleOut:
    """Get the page of the front desk.

    A day or week with its visits and free time by clinician or by room, who waits, and visits that nobody has closed.
    """
    page = load_schedule(ctx.work, ctx.scope, query.day, query.view, query.by, query.of)
    return ScheduleOut.of_page(ctx, page)
