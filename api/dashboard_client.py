"""The route of the page of one client, for those who treat them."""

from typing import Annotated
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel

from api.appointments import AppointmentOut
from api.appointments import to_response as to_appointments
from api.clients import ClientOut
from api.consents import ConsentOut
from api.context import RequestContext
from api.dashboards import NeedOut
from api.fields import describe
from api.note_responses import NoteState
from api.progress_reports import ProgressReportOut
from api.progress_reports import to_response as to_reports
from api.responses import Input
from api.routing import PermissionRouter
from api.treatment_plans import PlanStatusOut, SafetyPlanStatusOut
from practice.dashboards.client import Chart, load_client_page
from practice.errors import NotFound

router = PermissionRouter(prefix="/dashboards", tags=["dashboards"])


class ClientPageQuery(Input):
    client_id: Annotated[UUID, describe("The client.")]


class ChartOut(BaseModel):
    notes: Annotated[list[NoteState], describe("The latest notes, without their content.")]
    reports: Annotated[list[ProgressReportOut], describe("The latest progress reports, without their content.")]
    plan: Annotated[PlanStatusOut | None, describe("The treatment plan and its next review.")]
    safety_plan: Annotated[SafetyPlanStatusOut | None, describe("Whether a safety plan is needed, and there is one.")]

    @classmethod
    def of(cls, ctx: RequestContext, chart: Chart) -> "ChartOut":
        return cls(
            notes=[NoteState.of(note, chart.authors_with_drafts) for note in chart.notes],
            reports=to_reports(ctx, *chart.reports),
            plan=PlanStatusOut.with_plan(chart.plan) if chart.plan else None,
            safety_plan=SafetyPlanStatusOut.of(chart.safety_plan) if chart.safety_plan else None,
        )


class ClientPageOut(BaseModel):
    client: Annotated[ClientOut, describe("The client's record.")]
    next_visits: Annotated[list[AppointmentOut], describe("The next visits that you may see, by start.")]
    last_visits: Annotated[list[AppointmentOut], describe("The last visits that you may see, latest first.")]
    consents: Annotated[list[ConsentOut], describe("The consents, latest first.")]
    consents_due: Annotated[list[str], describe("What is wrong with the consents of the next visits, or for one now.")]
    chart: Annotated[ChartOut | None, describe("The chart; null for callers who read it for a stated reason only.")]
    brief: Annotated[list[str], describe("One to three sentences: the visits, and what to do first.")]
    needs: Annotated[list[NeedOut], describe("What is due for the client, the most pressing first.")]


@router.get("/client", permission="dashboards.client", errors=[NotFound])
def get_client_page(ctx: RequestContext, query: Annotated[ClientPageQuery, Query()]) -> ClientPageOut:
    """Get the page of a client.

    Their record, visits, consents and, for those who may read it, the chart: notes, plans and reports.
    """
    page = load_client_page(ctx.work, ctx.scope, query.client_id)
    return ClientPageOut(
        client=ClientOut.of(page.client),
        next_visits=to_appointments(ctx, *page.next_visits),
        last_visits=to_appointments(ctx, *page.last_visits),
        consents=[ConsentOut.of(consent) for consent in page.consents],
        consents_due=list(page.consents_due),
        chart=ChartOut.of(ctx, page.chart) if page.chart else None,
        brief=list(page.brief),
        needs=[NeedOut.of(need) for need in page.needs],
    )
