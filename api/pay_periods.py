"""Pay periods: open, preview and close weeks; statements; the whole week for whoever pays it out."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel

from api.context import RequestContext
from api.fields import Day, Instant, MoneyOut
from api.responses import FileOut, Input, ListQuery, PageOut, page_out, some_of
from api.routing import PermissionRouter
from practice.payroll import periods
from practice.payroll import statements as pay_statements
from practice.payroll.lines import Line, Preview
from practice.payroll.models import PayPeriod
from practice.payroll.periods import BeforePayBegan, CutOffAhead, OutOfOrder, WeekAhead
from practice.payroll.rules import Kind, Reason, sums
from practice.payroll.statements import Statement

router = PermissionRouter(prefix="/pay/periods", tags=["pay"])

Status = Literal["OPEN", "CLOSED"]


class PeriodIn(Input):
    week: Day


class PeriodOut(BaseModel):
    id: UUID
    week: date
    status: Status
    opened_at: datetime
    opened_by: UUID | None
    closed_at: datetime | None
    closed_by: UUID | None

    @classmethod
    def of(cls, period: PayPeriod) -> "PeriodOut":
        plain = {name: getattr(period, name) for name in cls.model_fields if name != "status"}
        return cls(**plain, status="OPEN" if period.closed_at is None else "CLOSED")


PeriodInList: Any = some_of(PeriodOut)


class LineOut(BaseModel):
    kind: Kind
    reason: Reason | None
    staff_id: UUID
    appointment_id: UUID
    reference: str
    held_on: date
    service_kind: str
    minutes: int
    multiplier: str
    rate: MoneyOut
    amount: MoneyOut

    @classmethod
    def of(cls, line: Line) -> "LineOut":
        told = {"multiplier", "rate", "amount"}
        plain = {name: getattr(line, name) for name in cls.model_fields if name not in told}
        money = {"rate": line.rate_cents, "amount": line.amount_cents}
        return cls(**plain, **money, multiplier=f"{line.multiplier:.2f}")


class TotalOut(BaseModel):
    staff_id: UUID
    amount: MoneyOut


class PreviewOut(BaseModel):
    week: date
    cut_off: datetime
    status: Status
    closed_at: datetime | None
    lines: list[LineOut]
    standby: list[LineOut]
    problems: list[str]
    totals: list[TotalOut]
    total: MoneyOut

    @classmethod
    def of(cls, found: Preview) -> "PreviewOut":
        by_person = sums((str(line.staff_id), line.amount_cents) for line in found.lines)
        return cls(
            week=found.week,
            cut_off=found.cut_off,
            status=found.status,
            closed_at=found.closed_at,
            lines=[LineOut.of(line) for line in found.lines],
            standby=[LineOut.of(line) for line in found.standby],
            problems=found.problems,
            totals=[TotalOut(staff_id=UUID(who), amount=cents) for who, cents in sorted(by_person.items())],
            total=sum(by_person.values()),
        )


class StatementOut(BaseModel):
    """Totals by the kind of line; `total` is what is paid, all but what stands by."""

    staff_id: UUID
    name: str
    week: date
    cut_off: datetime
    status: Status
    closed_at: datetime | None
    regular: MoneyOut
    late: MoneyOut
    adjustments: MoneyOut
    standby: MoneyOut
    total: MoneyOut

    @classmethod
    def of(cls, one: Statement) -> "StatementOut":
        return cls(**plain_of(one))


class WholeStatementOut(StatementOut):
    lines: list[LineOut]

    @classmethod
    def of(cls, one: Statement) -> "WholeStatementOut":
        return cls(**plain_of(one), lines=[LineOut.of(line) for line in one.lines])


def plain_of(one: Statement) -> dict[str, Any]:
    names = ("staff_id", "name", "week", "cut_off", "status", "closed_at")
    totals = {"adjustments" if kind == "adjustment" else kind: cents for kind, cents in one.totals.items()}
    return {name: getattr(one, name) for name in names} | totals | {"total": one.total_cents}


class StatementsOut(BaseModel):
    items: list[StatementOut]


class AsOf(Input):
    as_of: Instant | None = None


@router.get("", permission="pay.read")
def list_pay_periods(ctx: RequestContext, query: Annotated[ListQuery, Query()]) -> PageOut[PeriodInList]:
    """Weeks that were opened, the last one first. Sorts by week or id."""
    return page_out(periods.list_periods(ctx.work, query.asked()), PeriodOut)


@router.post("", permission="pay.write", status_code=201, errors=[WeekAhead, OutOfOrder, BeforePayBegan])
def open_pay_period(ctx: RequestContext, body: PeriodIn) -> PeriodOut:
    """Open a week: the first one is where pay begins here, then one after the other. Asked again, the same."""
    return PeriodOut.of(periods.open_period(ctx.work, body.week))


@router.get("/{week}", permission="pay.read")
def preview_pay_period(ctx: RequestContext, week: Day, query: Annotated[AsOf, Query()]) -> PreviewOut:
    """What the week pays by what is known now, or was at an instant. Of a closed week, what it paid."""
    return PreviewOut.of(periods.preview(ctx.work, week, query.as_of or ctx.now, ctx.scope))


@router.post("/{week}/close", permission="pay.write", errors=[CutOffAhead, OutOfOrder, BeforePayBegan])
def close_pay_period(ctx: RequestContext, week: Day) -> PreviewOut:
    """Close a week for good, once it is cut off and those before it are closed. Asked again, the same."""
    return PreviewOut.of(periods.close_period(ctx.work, week))


@router.get("/{week}/statements", permission="pay.read")
def list_pay_statements(ctx: RequestContext, week: Day) -> StatementsOut:
    """What the week pays everybody whom it concerns, by their names."""
    found = pay_statements.statements(ctx.work, ctx.scope, week, ctx.now)
    return StatementsOut(items=[StatementOut.of(one) for one in found])


@router.get("/{week}/statements/{staff_id}.csv", permission="pay.read")
def export_pay_statement(ctx: RequestContext, week: Day, staff_id: UUID) -> FileOut:
    """Somebody's statement as CSV."""
    one = pay_statements.statement(ctx.work, ctx.scope, week, staff_id, ctx.now)
    return FileOut(f"pay-{week}.csv", "text/csv; charset=utf-8", pay_statements.csv_of([one]).encode())


@router.get("/{week}/statements/{staff_id}.pdf", permission="pay.read")
def print_pay_statement(ctx: RequestContext, week: Day, staff_id: UUID) -> FileOut:
    """Somebody's statement as a PDF, for saving."""
    one = pay_statements.statement(ctx.work, ctx.scope, week, staff_id, ctx.now)
    return FileOut(f"pay-{week}.pdf", "application/pdf", pay_statements.on_paper(ctx.work, one))


@router.get("/{week}/statements/{staff_id}", permission="pay.read")
def get_pay_statement(ctx: RequestContext, week: Day, staff_id: UUID) -> WholeStatementOut:
    """Somebody's statement: their lines, what stands by, late ones, adjustments, totals."""
    return WholeStatementOut.of(pay_statements.statement(ctx.work, ctx.scope, week, staff_id, ctx.now))


@router.get("/{week}/export", permission="pay.process")
def export_pay_period(ctx: RequestContext, week: Day) -> FileOut:
    """The whole week as CSV, for whoever pays it out."""
    content = pay_statements.export_period(ctx.work, week, ctx.now)
    return FileOut(f"pay-{week}-all.csv", "text/csv; charset=utf-8", content.encode())
