"""The route of payroll's page: a pay week with its statements, and whether it can be closed."""

from datetime import date
from typing import Annotated

from fastapi import Query
from pydantic import BaseModel

from api.context import RequestContext
from api.fields import Day, describe
from api.pay_periods import PayWeekOut, StatementOut
from api.responses import Input
from api.routing import PermissionRouter
from practice.dashboards.payroll import load_payroll

router = PermissionRouter(prefix="/dashboards", tags=["dashboards"])


class WeekQuery(Input):
    week: Annotated[Day | None, describe("The Sunday that begins the week; left out, the next one to close.")] = None


class PayrollOut(BaseModel):
    brief: Annotated[list[str], describe("What the week pays, what waits, and what is still open.")]
    pay_week: Annotated[PayWeekOut, describe("The week with its lines.")]
    statements: Annotated[list[StatementOut], describe("The pay of each person, by name.")]
    previous_week: Annotated[date, describe("The week before.")]
    next_week: Annotated[date | None, describe("The week after; null if it has not begun.")]
    not_closable: Annotated[str | None, describe("Why the week cannot be closed now; null if it can.")]


@router.get("/payroll", permission="dashboards.payroll")
def get_payroll(ctx: RequestContext, query: Annotated[WeekQuery, Query()]) -> PayrollOut:
    """Get the page of payroll.

    What a week pays to whom, what waits on standby, what is still open, and whether it can be closed.
    """
    page = load_payroll(ctx.work, ctx.scope, query.week)
    return PayrollOut(
        brief=list(page.brief),
        pay_week=PayWeekOut.of(page.pay_week),
        statements=[StatementOut.of(statement) for statement in page.statements],
        previous_week=page.previous_week,
        next_week=page.next_week,
        not_closable=page.not_closable,
    )
