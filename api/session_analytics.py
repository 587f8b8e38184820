"""What a clinician's completed sessions come to, beside `session_completions` and written like it."""

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field

from api.context import RequestContext
from api.fields import Day, MoneyOut
from api.responses import Input
from api.routing import PermissionRouter
from api.session_completions import SessionOut
from practice.payroll.lines import Line, Preview
from practice.sessions import analytics
from practice.sessions.analytics import Analytics, Dashboard, Week

router = PermissionRouter(prefix="/compliance/session-completion", tags=["session completion"])

Sunday = Annotated[Day | None, Field(description="A Sunday; else the week whose deadline comes next.")]


class WeekQuery(Input):
    week: Sunday = None


class SpanQuery(Input):
    since: Annotated[Day | None, Field(alias="from")] = None
    until: Annotated[Day | None, Field(alias="to")] = None


class SessionsOut(BaseModel):
    signed: list[SessionOut]
    unsigned: list[SessionOut]


class DeadlinesOut(BaseModel):
    payPeriodWeek: date
    totalSessions: int
    signedSessions: int
    unsignedSessions: int
    deadline: datetime
    isDeadlinePassed: bool
    sessions: SessionsOut

    @classmethod
    def of(cls, week: Week) -> "DeadlinesOut":
        signed, unsigned = ([SessionOut.of(one) for one in some] for some in (week.signed, week.unsigned))
        return cls(
            payPeriodWeek=week.week,
            totalSessions=len(week.sessions),
            signedSessions=len(signed),
            unsignedSessions=len(unsigned),
            deadline=week.deadline,
            isDeadlinePassed=week.passed,
            sessions=SessionsOut(signed=signed, unsigned=unsigned),
        )


class LineOut(BaseModel):
    appointmentId: UUID
    kind: str
    reason: str | None
    sessionDate: date
    durationMinutes: int
    multiplier: str
    rate: MoneyOut
    amount: MoneyOut

    @classmethod
    def of(cls, line: Line) -> "LineOut":
        return cls(
            appointmentId=line.appointment_id,
            kind=line.kind,
            reason=line.reason,
            sessionDate=line.held_on,
            durationMinutes=line.minutes,
            multiplier=f"{line.multiplier:.2f}",
            rate=line.rate_cents,
            amount=line.amount_cents,
        )


class PaymentOut(BaseModel):
    providerId: UUID
    payPeriodWeek: date
    cutOff: datetime
    status: Literal["OPEN", "CLOSED"]
    totalAmount: MoneyOut
    standbyAmount: MoneyOut
    lines: list[LineOut]
    standby: list[LineOut]
    problems: list[str]

    @classmethod
    def of(cls, provider_id: UUID, preview: Preview) -> "PaymentOut":
        return cls(
            providerId=provider_id,
            payPeriodWeek=preview.week,
            cutOff=preview.cut_off,
            status=preview.status,
            totalAmount=total_of(preview.lines),
            standbyAmount=total_of(preview.standby),
            lines=[LineOut.of(line) for line in preview.lines],
            standby=[LineOut.of(line) for line in preview.standby],
            problems=preview.problems,
        )


class WeekOut(BaseModel):
    payPeriodWeek: date
    deadline: datetime
    isDeadlinePassed: bool
    totalSessions: int
    signedSessions: int
    unsignedSessions: int
    lockedSessions: int
    earned: MoneyOut | None
    standby: MoneyOut | None

    @classmethod
    def of(cls, week: Week) -> "WeekOut":
        return WeekOut(
            payPeriodWeek=week.week,
            deadline=week.deadline,
            isDeadlinePassed=week.passed,
            totalSessions=len(week.sessions),
            signedSessions=len(week.signed),
            unsignedSessions=len(week.unsigned),
            lockedSessions=week.locked,
            earned=week.cents(week.signed),
            standby=week.cents(week.unsigned),
        )


class DashboardOut(WeekOut):
    """The week whose deadline comes next, and the ones before it. Amounts are for those who read this pay: of this week
    what the payment calculation comes to, of those before what their own sessions are worth."""

    providerId: UUID
    secondsLeft: int
    lastWeeks: list[WeekOut]

    @classmethod
    def whole(cls, provider_id: UUID, found: Dashboard, now: datetime) -> "DashboardOut":
        week, pay = WeekOut.of(found.week).model_dump(exclude={"earned", "standby"}), found.pay
        return cls(
            **week,
            earned=None if pay is None else total_of(pay.lines),
            standby=None if pay is None else total_of(pay.standby),
            providerId=provider_id,
            secondsLeft=int((found.week.deadline - now).total_seconds()),
            lastWeeks=[WeekOut.of(before) for before in reversed(found.before)],
        )


class ReportedWeekOut(BaseModel):
    payPeriodWeek: date
    deadline: datetime
    isDeadlinePassed: bool
    totalSessions: int
    signedInTime: int
    signedLate: int
    unsignedSessions: int
    lockedSessions: int
    overrides: int
    complianceRate: float | None

    @classmethod
    def of(cls, week: Week) -> "ReportedWeekOut":
        return cls(
            payPeriodWeek=week.week,
            deadline=week.deadline,
            isDeadlinePassed=week.passed,
            totalSessions=len(week.sessions),
            signedInTime=week.in_time,
            signedLate=week.late,
            unsignedSessions=len(week.unsigned),
            lockedSessions=week.locked,
            overrides=week.overrides,
            complianceRate=number(week.rate),
        )


class ReportOut(BaseModel):
    providerId: UUID
    weeks: list[ReportedWeekOut]


class AnalyticsOut(BaseModel):
    """Of appointments that have begun. Revenue is for those who read this clinician's charges."""

    providerId: UUID
    startDate: date
    endDate: date
    totalSessions: int
    completedSessions: int
    cancelledSessions: int
    noShowSessions: int
    revenue: MoneyOut | None
    averageDuration: float | None
    completionRate: float | None

    @classmethod
    def of(cls, provider_id: UUID, found: Analytics) -> "AnalyticsOut":
        return cls(
            providerId=provider_id,
            startDate=found.since,
            endDate=found.until,
            totalSessions=found.row.total,
            completedSessions=found.row.completed,
            cancelledSessions=found.row.cancelled,
            noShowSessions=found.row.no_show,
            revenue=found.revenue_cents,
            averageDuration=number(found.minutes),
            completionRate=number(found.completion_rate),
        )


def number(value: Decimal | None) -> float | None:
    return None if value is None else float(value)


def total_of(lines: Iterable[Line]) -> int:
    return sum(line.amount_cents for line in lines)


@router.get("/compliance/deadlines/{provider_id}", permission="session_completions.read")
def get_compliance_deadlines(
    ctx: RequestContext, provider_id: UUID, query: Annotated[WeekQuery, Query()]
) -> DeadlinesOut:
    """A clinician's sessions of a week, signed and not, and its deadline."""
    return DeadlinesOut.of(analytics.week_of_provider(ctx.work, ctx.scope, provider_id, query.week))


@router.get("/payment/calculation/{provider_id}", permission="pay.read")
def get_payment_calculation(ctx: RequestContext, provider_id: UUID, query: Annotated[WeekQuery, Query()]) -> PaymentOut:
    """What a week pays a clinician by what is known now, and what would be paid if it were signed."""
    return PaymentOut.of(provider_id, analytics.payment_of(ctx.work, ctx.scope, provider_id, query.week))


@router.get("/dashboard/{provider_id}", permission="session_completions.read")
def get_session_dashboard(ctx: RequestContext, provider_id: UUID) -> DashboardOut:
    """How a clinician's week stands, what it pays, how long there is left to sign, and the weeks before."""
    return DashboardOut.whole(provider_id, analytics.dashboard_of(ctx.work, ctx.scope, provider_id), ctx.now)


@router.get("/analytics/{provider_id}", permission="session_completions.read")
def get_session_analytics(ctx: RequestContext, provider_id: UUID, query: Annotated[SpanQuery, Query()]) -> AnalyticsOut:
    """A clinician's appointments from one day to another (both count), else of the last thirty days."""
    found = analytics.analytics_of(ctx.work, ctx.scope, provider_id, query.since, query.until)
    return AnalyticsOut.of(provider_id, found)


@router.get("/compliance/report/{provider_id}", permission="session_completions.read")
def get_compliance_report(ctx: RequestContext, provider_id: UUID, query: Annotated[SpanQuery, Query()]) -> ReportOut:
    """Week by week what was signed in time, late and not, locked and unlocked; `from` and `to` are Sundays."""
    weeks = analytics.weeks_of_provider(ctx.work, ctx.scope, provider_id, query.since, query.until)
    return ReportOut(providerId=provider_id, weeks=[ReportedWeekOut.of(week) for week in weeks])
