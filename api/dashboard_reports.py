"""The route of the page of reports."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel

from api.context import RequestContext
from api.dashboards import FigurePeriodOut
from api.fields import Day, StaffId, Text40, describe
from api.report_fields import (
    ReportDefinitionOut,
    ReportMeasureOut,
    ReportPeriod,
    ReportResultOut,
    SavedReportOut,
    StandardReportOut,
)
from api.responses import Input
from api.routing import PermissionRouter
from practice.reports.page import StaffChoice, load_reports_page

router = PermissionRouter(prefix="/dashboards", tags=["dashboards"])


class ReportsQuery(Input):
    report: Annotated[Text40 | None, describe("The key or the id of the report; left out, the first one.")] = None
    period: Annotated[ReportPeriod | None, describe("The kind of periods; left out, the report's own.")] = None
    day: Annotated[Day | None, describe("A day of the last period; left out, today.")] = None


class StaffChoiceOut(BaseModel):
    staff_id: StaffId
    staff_name: Annotated[str, describe("First and last name.")]
    roles: Annotated[list[str], describe("Their roles.")]

    @classmethod
    def of(cls, choice: StaffChoice) -> "StaffChoiceOut":
        return cls(staff_id=choice.id, staff_name=choice.name, roles=list(choice.roles))


class ChosenReportOut(BaseModel):
    key: Annotated[str, describe("The key of the report, or its id.")]
    name: Annotated[str, describe("Its name.")]
    about: Annotated[str, describe("What it shows; empty for a saved one.")]
    saved_id: Annotated[UUID | None, describe("Its id; null for a standard one.")]
    definition: Annotated[ReportDefinitionOut, describe("What it shows, in the periods that were asked for.")]


class ReportsPageOut(BaseModel):
    today: Annotated[date, describe("Today's local date.")]
    period: Annotated[FigurePeriodOut, describe("The last period of the report.")]
    brief: Annotated[list[str], describe("What changed, and where to look first.")]
    standard: Annotated[list[StandardReportOut], describe("The standard reports that you may see.")]
    saved: Annotated[list[SavedReportOut], describe("Your own reports and those shared with you, by name.")]
    chosen: Annotated[ChosenReportOut, describe("The chosen report.")]
    result: Annotated[ReportResultOut | None, describe("Its figures; null before the first refresh.")]
    measures: Annotated[list[ReportMeasureOut], describe("The measures to choose from.")]
    clinicians: Annotated[list[StaffChoiceOut], describe("The clinicians to choose from.")]
    people: Annotated[list[StaffChoiceOut], describe("Those to whom a report can be sent.")]
    may: Annotated[list[str], describe("What you may do, as `record.verb`.")]


@router.get("/reports", permission="dashboards.reports")
def get_reports_page(ctx: RequestContext, query: Annotated[ReportsQuery, Query()]) -> ReportsPageOut:
    """Get the page of reports.

    The reports to choose from, the figures of the chosen one, and what a report of one's own can be made of.
    """
    page = load_reports_page(ctx.work, ctx.scope, query.report, query.period, query.day)
    chosen = page.chosen
    ctx.work.record("report.read", "report", chosen.saved.id if chosen.saved else None, report=chosen.key)
    return ReportsPageOut(
        today=page.today,
        period=FigurePeriodOut.of(page.period),
        brief=list(page.brief),
        standard=[StandardReportOut.of(report) for report in page.standard],
        saved=[SavedReportOut.of(report, ctx.actor.staff_id, page.recipients) for report in page.saved],
        chosen=ChosenReportOut(
            key=chosen.key,
            name=chosen.name,
            about=chosen.about,
            saved_id=chosen.saved.id if chosen.saved else None,
            definition=ReportDefinitionOut.of(chosen.definition),
        ),
        result=None if page.result is None else ReportResultOut.of(page.result, chosen.name, ctx.now),
        measures=[ReportMeasureOut.of(measure) for measure in page.measures],
        clinicians=[StaffChoiceOut.of(choice) for choice in page.clinicians],
        people=[StaffChoiceOut.of(choice) for choice in page.people],
        may=["reports.write", *(["reports.share"] if page.may_share else [])],
    )
