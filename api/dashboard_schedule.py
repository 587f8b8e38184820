"""The route of the front desk's page: the visits of a day, and what needs somebody."""

from datetime import date
from typing import Annotated

from fastapi import Query
from pydantic import BaseModel

from api.appointments import AppointmentOut, to_response
from api.context import RequestContext
from api.dashboards import NeedOut
from api.fields import Day, describe
from api.responses import Input
from api.routing import PermissionRouter
from practice.dashboards.schedule import load_schedule

router = PermissionRouter(prefix="/dashboards", tags=["dashboards"])


class DayQuery(Input):
    day: Annotated[Day | None, describe("The local day; left out, today.")] = None


class ScheduleOut(BaseModel):
    today: Annotated[date, describe("Today's local date.")]
    day: Annotated[date, describe("The day of the visits.")]
    visits: Annotated[list[AppointmentOut], describe("The visits of the day, by start, without those moved.")]
    waiting: Annotated[int, describe("Clients who are checked in and wait.")]
    in_session: Annotated[int, describe("Visits in session.")]
    rooms_in_use: Annotated[int, describe("Rooms with clients in them.")]
    waitlist: Annotated[int, describe("Entries on the waitlist without an offer.")]
    needs: Annotated[list[NeedOut], describe("What needs somebody, the most pressing first.")]


@router.get("/schedule", permission="dashboards.schedule")
def get_schedule(ctx: RequestContext, query: Annotated[DayQuery, Query()]) -> ScheduleOut:
    """Get the page of the front desk.

    The visits of a day, who waits since when, and visits that nobody has closed.
    """
    page = load_schedule(ctx.work, ctx.scope, query.day)
    figures = {name: getattr(page, name) for name in ("waiting", "in_session", "rooms_in_use", "waitlist")}
    return ScheduleOut(
        today=page.today,
        day=page.day,
        visits=to_response(ctx, *page.visits),
        needs=[NeedOut.of(need) for need in page.needs],
        **figures,
    )
