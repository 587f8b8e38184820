"""Routes of pay periods: opening, previewing and closing weeks, pay statements, and the export for payroll."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field

from api.context import RequestContext
from api.fields import AccountId, AppointmentId, ClinicianId, Day, Instant, MoneyOut, RecordId, describe, example
from api.names import PersonOf, StaffName, from_record
from api.responses import FileOut, Input, ListQuery, PageOut, VoidIn, partial_model, to_page
from api.routing import PermissionRouter
from practice.payroll import periods
from practice.payroll import statements as pay_statements
from practice.payroll.lines import Line, PayWeek
from practice.payroll.models import PayPeriod
from practice.payroll.periods import BeforePayBegan, CutOffAhead, OutOfOrder, WeekAhead, WeekPaid
from practice.payroll.rules import Kind, Reason, WeekStatus, sum_by_key
from practice.payroll.statements import Statement
from practice.pdf import DocumentTooLong, PrintingBusy

router = PermissionRouter(prefix="/pay/periods", tags=["pay"])

PayWeekStatus = Annotated[
    WeekStatus,
    describe("`OPEN`, `CLOSED`, or `PAID_ELSEWHERE`: before the first week with pay, so that it is never paid here."),
]


class PeriodIn(Input):
    model_config = example(week="2026-03-15")

    week: Annotated[Day, describe("The Sunday on which the week begins.")]


class PeriodOut(BaseModel):
    id: RecordId
    week: Annotated[date, describe("The Sunday on which the pay week begins.")]
    status: Annotated[Literal["OPEN", "CLOSED"], describe("`OPEN` or `CLOSED`.")]
    opened_at: Annotated[datetime, describe("When it was opened.")]
    opened_by: AccountId | None
    opened_by_person: PersonOf = None
    closed_at: Annotated[datetime | None, describe("When the week was closed for good; null while it is open.")]
    closed_by: AccountId | None
    closed_by_person: PersonOf = None

    @classmethod
    def of(cls, period: PayPeriod) -> "PeriodOut":
        return from_record(cls, period, status="OPEN" if period.closed_at is None else "CLOSED")


PeriodInList: Any = partial_model(PeriodOut)


class PayLineOut(BaseModel):
    kind: Annotated[Kind, describe("Whether it is `regular`, `late`, an `adjustment`, or on `standby`.")]
    reason: Annotated[Reason | None, describe("Why it is adjusted.")]
    staff_id: Annotated[UUID, describe("Who is paid.")]
    staff_name: StaffName = None
    appointment_id: AppointmentId
    reference: Annotated[str, describe("The booking reference, which people can say on the phone.")]
    held_on: Annotated[date, describe("The local day of the session.")]
    service_kind: Annotated[str, describe("The kind of the service.")]
    minutes: Annotated[int, describe("The service's minutes.")]
    multiplier: Annotated[str, describe("Factor on the base rate for the kind of service.")]
    rate: Annotated[MoneyOut, describe("The base rate for an hour.")]
    amount: Annotated[MoneyOut, describe("Pay for the session, or the correction.")]

    @classmethod
    def of(cls, line: Line) -> "PayLineOut":
        money = {"rate": line.rate_cents, "amount": line.amount_cents}
        return from_record(cls, line, **money, multiplier=f"{line.multiplier:.2f}")


class TotalOut(BaseModel):
    staff_id: Annotated[UUID, describe("Who is paid.")]
    staff_name: StaffName = None
    amount: Annotated[MoneyOut, describe("The sum of the week.")]

    @classmethod
    def list_of(cls, cents_by_person: dict[str, int]) -> "list[TotalOut]":
        return [cls(staff_id=UUID(staff_id), amount=cents) for staff_id, cents in sorted(cents_by_person.items())]


class OpenVisitOut(BaseModel):
    id: RecordId
    reference: Annotated[str, describe("The booking reference, which people can say on the phone.")]
    clinician_id: ClinicianId
    clinician_name: Annotated[str, describe("First and last name.")]
    starts_at: Annotated[datetime, describe("When it began.")]


class PayWeekOut(BaseModel):
    week: Annotated[date, describe("The Sunday on which the pay week begins.")]
    cut_off: Annotated[
        datetime, describe("When the week is cut off: what is completed and signed later is paid later.")
    ]
    status: PayWeekStatus
    closed_at: Annotated[datetime | None, describe("When the week was closed for good; null while it is open.")]
    lines: Annotated[list[PayLineOut], describe("What the week pays.")]
    standby: Annotated[list[PayLineOut], describe("Sessions that wait for their signature, not part of the total.")]
    problems: Annotated[list[str], describe("What prevents the pay of somebody, such as a missing rate.")]
    totals: Annotated[list[TotalOut], describe("The pay of each person.")]
    total: Annotated[MoneyOut, describe("The pay of all, without standby.")]
    standby_totals: Annotated[list[TotalOut], describe("What waits for a signature, of each person who has any.")]
    standby_total: Annotated[MoneyOut, describe("What waits for a signature, of all.")]
    open_visits: Annotated[
        list[OpenVisitOut],
        Field(description="Visits of the week that are over and still open now: nothing is paid until completed."),
    ]

    @classmethod
    def of(cls, week: PayWeek) -> "PayWeekOut":
        by_person, waiting = (
            sum_by_key((str(line.staff_id), line.amount_cents) for line in lines)
            for lines in (week.lines, week.pending)
        )
        return cls(
            week=week.week,
            cut_off=week.cut_off,
            status=week.status,
            closed_at=week.closed_at,
            lines=[PayLineOut.of(line) for line in week.lines],
            standby=[PayLineOut.of(line) for line in week.pending],
            problems=week.problems,
            totals=TotalOut.list_of(by_person),
            total=sum(by_person.values()),
            standby_totals=TotalOut.list_of(waiting),
            standby_total=sum(waiting.values()),
            open_visits=[from_record(OpenVisitOut, visit) for visit in week.open_visits],
        )


class StatementOut(BaseModel):
    """Totals by the kind of line; `total` is what is paid: everything except `standby`."""

    staff_id: Annotated[UUID, describe("Who is paid.")]
    name: Annotated[str, describe("First and last name.")]
    week: Annotated[date, describe("The Sunday on which the pay week begins.")]
    cut_off: Annotated[
        datetime, describe("When the week is cut off: what is completed and signed later is paid later.")
    ]
    status: PayWeekStatus
    closed_at: Annotated[datetime | None, describe("When the week was closed for good; null while it is open.")]
    regular: Annotated[MoneyOut, describe("Pay for sessions of the week itself.")]
    late: Annotated[MoneyOut, describe("Pay for sessions of earlier weeks.")]
    adjustments: Annotated[MoneyOut, describe("Corrections of what earlier weeks paid.")]
    standby: Annotated[MoneyOut, describe("What waits for a signature, not part of the total.")]
    total: Annotated[MoneyOut, describe("What is paid: everything but standby.")]

    @classmethod
    def of(cls, statement: Statement) -> "StatementOut":
        return cls(**read_totals(statement))


class StatementWithLinesOut(StatementOut):
    lines: Annotated[list[PayLineOut], describe("All lines, standby included.")]

    @classmethod
    def of(cls, statement: Statement) -> "StatementWithLinesOut":
        return cls(**read_totals(statement), lines=[PayLineOut.of(line) for line in statement.lines])


def read_totals(statement: Statement) -> dict[str, Any]:
    """Return the fields of a statement without its lines."""
    names = ("staff_id", "name", "week", "cut_off", "status", "closed_at")
    totals = {"adjustments" if kind == "adjustment" else kind: cents for kind, cents in statement.totals.items()}
    return {name: getattr(statement, name) for name in names} | totals | {"total": statement.total_cents}


class StatementsOut(BaseModel):
    items: Annotated[list[StatementOut], describe("The statements, by name.")]


class AsOf(Input):
    as_of: Annotated[Instant | None, describe("As known at this instant; left out, now.")] = None


@router.get("", permission="pay.read")
def list_pay_periods(ctx: RequestContext, query: Annotated[ListQuery, Query()]) -> PageOut[PeriodInList]:
    """List pay periods.

    The weeks that were opened, latest first. Sorts by week or id.
    """
    return to_page(periods.list_periods(ctx.work, query.page_request()), PeriodOut)


@router.post("", permission="pay.write", status_code=201, errors=[WeekAhead, OutOfOrder, BeforePayBegan])
def open_pay_period(ctx: RequestContext, body: PeriodIn) -> PeriodOut:
    """Open a pay period.

    The first one is the week in which pay begins; later ones follow without a gap. Repeating the call returns the same
    period.
    """
    return PeriodOut.of(periods.open_period(ctx.work, body.week))


@router.get("/{week}", permission="pay.read")
def preview_pay_period(ctx: RequestContext, week: Day, query: Annotated[AsOf, Query()]) -> PayWeekOut:
    """Preview a pay period.

    What the week pays as known now, or at the instant `as_of`. For a closed week, what it paid.
    """
    return PayWeekOut.of(periods.read_week(ctx.work, ctx.scope, week, query.as_of or ctx.now))


@router.post("/{week}/close", permission="pay.write", errors=[CutOffAhead, OutOfOrder, BeforePayBegan])
def close_pay_period(ctx: RequestContext, week: Day) -> PayWeekOut:
    """Close a pay period.

    For good, after its cut-off and once earlier weeks are closed. Repeating the call returns the same result.
    """
    return PayWeekOut.of(periods.close_period(ctx.work, week))


@router.delete("/{week}", permission="pay.write", status_code=204, errors=[OutOfOrder, WeekPaid])
def remove_pay_period(ctx: RequestContext, week: Day, body: VoidIn) -> None:
    """Remove a pay period.

    The last one, if it was opened by mistake: pay can then begin with another week. A closed one can be removed while
    no week has lines. The removal stays in the audit log with its reason.
    """
    periods.remove_period(ctx.work, week, body.reason)


@router.get("/{week}/statements", permission="pay.read")
def list_pay_statements(ctx: RequestContext, week: Day) -> StatementsOut:
    """List the pay statements of a week.

    By name.
    """
    week_statements = pay_statements.list_statements(ctx.work, ctx.scope, week, ctx.now)
    return StatementsOut(items=[StatementOut.of(statement) for statement in week_statements])


@router.get("/{week}/statements/{staff_id}.csv", permission="pay.read")
def export_pay_statement(ctx: RequestContext, week: Day, staff_id: UUID) -> FileOut:
    """Export a pay statement as CSV."""
    statement = pay_statements.get_statement(ctx.work, ctx.scope, week, staff_id, ctx.now)
    return FileOut(f"pay-{week}.csv", "text/csv; charset=utf-8", pay_statements.render_csv([statement]).encode())


@router.get("/{week}/statements/{staff_id}.pdf", permission="pay.read", errors=[DocumentTooLong, PrintingBusy])
def print_pay_statement(ctx: RequestContext, week: Day, staff_id: UUID) -> FileOut:
    """Print a pay statement as PDF."""
    statement = pay_statements.get_statement(ctx.work, ctx.scope, week, staff_id, ctx.now)
    return FileOut(f"pay-{week}.pdf", "application/pdf", pay_statements.render_statement_pdf(ctx.work, statement))


@router.get("/{week}/statements/{staff_id}", permission="pay.read")
def get_pay_statement(ctx: RequestContext, week: Day, staff_id: UUID) -> StatementWithLinesOut:
    """Get a pay statement.

    Its lines, pending ones, late ones, adjustments and totals.
    """
    return StatementWithLinesOut.of(pay_statements.get_statement(ctx.work, ctx.scope, week, staff_id, ctx.now))


@router.get("/{week}/export", permission="pay.process")
def export_pay_period(ctx: RequestContext, week: Day) -> FileOut:
    """Export a pay period as CSV.

    The whole week, for the payroll provider.
    """
    content = pay_statements.export_period(ctx.work, week, ctx.now)
    return FileOut(f"pay-{week}-all.csv", "text/csv; charset=utf-8", content.encode())
