"""Routes of the page of compliance: the checks and the people concerned, and reminders to those who have to act."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field

from api.context import RequestContext
from api.dashboards import FigureOut, NeedOut
from api.fields import ClinicianId, describe, example
from api.metrics import RefreshOut
from api.names import ClientName, StaffName, StaffNames
from api.responses import Input
from api.routing import PermissionRouter
from practice.dashboards.compliance import (
    CheckStates,
    Compliance,
    States,
    find_mending,
    load_compliance,
)
from practice.dashboards.compliance_checks import CHECKS, CheckKey, Mending, Responsible, Row, Selection, State, Subject
from practice.dashboards.compliance_reminders import NothingLate, Reminded, send_reminders
from practice.errors import NotFound
from practice.security.permissions import find_scope

router = PermissionRouter(prefix="/dashboards", tags=["dashboards"])


class ComplianceQuery(Input):
    check: Annotated[CheckKey | None, describe("Rows of this check only.")] = None
    state: Annotated[State | None, describe("Rows in this state only; left out, those somebody has to see to.")] = None
    clinician_id: Annotated[UUID | None, describe("This person's checks and those of their clients only.")] = None
    limit: Annotated[int, Field(ge=1, le=1000), describe("The most rows to return.")] = 200
    offset: Annotated[int, Field(ge=0, le=1_000_000), describe("How many rows to leave out at the beginning.")] = 0


class CheckCountsOut(BaseModel):
    late: Annotated[int, describe("In violation, or on the last day.")]
    due: Annotated[int, describe("To be done soon.")]
    unknown: Annotated[int, describe("A fact is missing that only a person can find out.")]
    fine: Annotated[int, describe("In order.")]
    not_applicable: Annotated[int, describe("The check does not apply to them.")]
    applicable: Annotated[int, describe("The check applies to them: all but the last.")]
    share: Annotated[Decimal | None, describe("The percentage that is fine of those it applies to; null for nobody.")]
    trend: Annotated[list[Decimal | None], describe("That percentage at the ends of eleven months, and today.")]

    @classmethod
    def of(cls, states: States) -> "CheckCountsOut":
        counts = {state: states.counts[state] for state in ("late", "due", "unknown", "fine", "not_applicable")}
        return cls(applicable=states.applicable, share=states.share, trend=list(states.trend), **counts)


class CheckOut(CheckCountsOut):
    key: Annotated[CheckKey, describe("The check.")]
    label: Annotated[str, describe("Its name for people.")]
    subject: Annotated[Subject, describe("Whom it is about.")]
    to_do: Annotated[str, describe("What to do if it is due or late.")]
    acts: Annotated[Responsible, describe("Who has to act.")]
    metric: Annotated[FigureOut | None, describe("The metric of the same people as of the refresh; null without one.")]

    @classmethod
    def of_check(cls, found: CheckStates) -> "CheckOut":
        check = found.check
        return cls(
            **CheckCountsOut.of(found.states).model_dump(),
            key=check.key,
            label=check.label,
            subject=check.subject,
            to_do=check.to_do,
            acts=check.acts,
            metric=None if found.figure is None else FigureOut.of(found.figure),
        )


class CheckRowOut(BaseModel):
    check: Annotated[CheckKey, describe("The check.")]
    id: Annotated[UUID, describe("The client, the staff member, or the practice.")]
    client_id: Annotated[UUID | None, describe("The client whom it is about; null for staff and the practice.")]
    client_name: ClientName = None
    staff_id: Annotated[UUID | None, describe("The staff member whom it is about; null for the others.")]
    staff_name: StaffName = None
    clinician_id: Annotated[UUID | None, describe("Who is in charge: the primary clinician, or the staff member.")]
    clinician_name: StaffName = None
    state: Annotated[State, describe("Its state today.")]
    is_last_day: Annotated[bool, describe("Today is the last day on which it can be done in time.")]
    since_on: Annotated[date, describe("Since when it is like that.")]
    days: Annotated[int, describe("For how many days.")]
    reminded_at: Annotated[datetime | None, describe("When somebody was reminded of it today; null if nobody was.")]
    mending: Annotated[Mending | None, describe("What you may do to mend it at once; null if that is elsewhere.")]


class ClinicianChoiceOut(BaseModel):
    clinician_id: ClinicianId
    clinician_name: Annotated[str, describe("First and last name.")]


class ComplianceOut(BaseModel):
    today: Annotated[date, describe("Today's local date, of which the states are.")]
    refresh: Annotated[RefreshOut | None, describe("The refresh that made the metrics; null before the first one.")]
    brief: Annotated[list[str], describe("One to three sentences: how many are fine, where most are late.")]
    total: Annotated[CheckCountsOut, describe("All checks together.")]
    checks: Annotated[list[CheckOut], describe("Each check.")]
    items: Annotated[list[CheckRowOut], describe("The rows asked for, the most pressing first, then since when.")]
    count: Annotated[int, describe("How many rows there are.")]
    next_offset: Annotated[int | None, describe("The offset of the next rows; null after the last.")]
    clinicians: Annotated[list[ClinicianChoiceOut], describe("The clinicians to choose from, by name.")]
    needs: Annotated[list[NeedOut], describe("The checks with late ones, the most pressing first.")]
    may: Annotated[list[str], describe("What you may do, as `record.verb`.")]

    @classmethod
    def of(cls, ctx: RequestContext, page: Compliance) -> "ComplianceOut":
        return cls(
            today=page.today,
            refresh=None if page.refresh is None else RefreshOut.of(page.refresh, ctx.now),
            brief=list(page.brief),
            total=CheckCountsOut.of(page.total),
            checks=[CheckOut.of_check(found) for found in page.checks],
            items=[build_row(ctx, page, row) for row in page.rows],
            count=page.count,
            next_offset=page.next_offset,
            clinicians=[ClinicianChoiceOut(clinician_id=key, clinician_name=name) for key, name in page.clinicians],
            needs=[NeedOut.of(need) for need in page.needs],
            may=["dashboards.remind"] if find_scope(ctx.actor.roles, "dashboards", "remind") else [],
        )


def build_row(ctx: RequestContext, page: Compliance, row: Row) -> CheckRowOut:
    key = row.check.key
    return CheckRowOut(
        check=key,
        id=row.subject_id,
        client_id=row.client_id,
        staff_id=row.staff_id,
        clinician_id=row.clinician_id,
        state=row.state,
        is_last_day=row.status == "alert" and row.check.key not in ("demographics", "insurance"),
        since_on=row.since_on,
        days=(page.today - row.since_on).days,
        reminded_at=page.reminded[key].get(row.subject_id),
        mending=find_mending(ctx.work, row),
    )


class CheckRemindersIn(Input):
    model_config = example(check="treatment_plan")

    check: Annotated[CheckKey, describe("The check to remind of.")]
    subject_id: Annotated[
        UUID | None, describe("The client, the staff member or the practice; left out, all that are late.")
    ] = None


class CheckRemindersOut(BaseModel):
    planned: Annotated[int, describe("Messages that are on their way now.")]
    already: Annotated[int, describe("Messages that had been planned earlier today, and are not sent twice.")]
    staff_ids: Annotated[list[UUID], describe("Who gets them, staff members.")]
    staff_names: StaffNames = []

    @classmethod
    def of(cls, reminded: Reminded) -> "CheckRemindersOut":
        return cls(planned=reminded.planned, already=reminded.already, staff_ids=reminded.staff_ids)


@router.get("/compliance", permission="dashboards.compliance", errors=[NotFound])
def get_compliance(ctx: RequestContext, query: Annotated[ComplianceQuery, Query()]) -> ComplianceOut:
    """Get the page of compliance.

    Each check with its states and trend, and the people concerned: everybody's, your team's, or your own.
    """
    selection = Selection(query.check, query.state, query.limit, query.offset)
    return ComplianceOut.of(ctx, load_compliance(ctx.work, ctx.scope, query.clinician_id, selection))


@router.post("/compliance/reminders", permission="dashboards.remind", errors=[NothingLate])
def send_compliance_reminders(ctx: RequestContext, body: CheckRemindersIn) -> CheckRemindersOut:
    """Send reminders of a compliance check.

    To those who have to act, at most once a day about each person and check.
    """
    return CheckRemindersOut.of(send_reminders(ctx.work, ctx.scope, CHECKS[body.check], body.subject_id))
