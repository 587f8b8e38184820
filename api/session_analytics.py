"""Routes of a clinician's session figures: deadlines, pay, dashboard, analytics. Fields as in `session_completions`."""

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from fastapi import Path, Query
from pydantic import BaseModel, Field

from api.context import RequestContext
from api.fields import Day, IdOrMe, MoneyOut, describe
from api.filters import resolve_me
from api.names import StaffName
from api.pay_periods import PayWeekStatus
from api.responses import Input
from api.routing import PermissionRouter
from api.session_completions import SessionCompletionOut
from practice.payroll.lines import Line, PayWeek
from practice.sessions import analytics
from practice.sessions.analytics import Analytics, ClinicianWeek, Dashboard

router = PermissionRouter(prefix="/compliance/session-completion", tags=["session completion"])

Provider = Annotated[IdOrMe, Path(description="A clinician's id, or `me` for yourself.")]
Sunday = Annotated[Day | None, Field(description="A Sunday; default: the week with the next deadline.")]


class WeekQuery(Input):
    week: Sunday = None


class SpanQuery(Input):
    since: Annotated[Day | None, Field(alias="from"), describe("The first day, or the Sunday of the first week.")] = (
        None
    )
    until: Annotated[Day | None, Field(alias="to"), describe("The last day, or the Sunday of the last week.")] = None


class WeekSessionsOut(BaseModel):
    signed: Annotated[list[SessionCompletionOut], describe("Sessions whose note is signed.")]
    unsigned: Annotated[list[SessionCompletionOut], describe("Sessions whose note is not signed.")]


class DeadlinesOut(BaseModel):
    payPeriodWeek: Annotated[date, describe("The Sunday on which the week begins.")]
    totalSessions: Annotated[int, describe("Completed sessions of the week.")]
    signedSessions: Annotated[int, describe("Those whose note is signed.")]
    unsignedSessions: Annotated[int, describe("Those whose note is not signed.")]
    deadline: Annotated[datetime, describe("When the week's notes are due, and its pay is cut off.")]
    isDeadlinePassed: Annotated[bool, describe("Whether the deadline has passed.")]
    sessions: Annotated[WeekSessionsOut, describe("The sessions of the week.")]

    @classmethod
    def of(cls, week: ClinicianWeek) -> "DeadlinesOut":
        signed, unsigned = (
            [SessionCompletionOut.of(session) for session in sessions]
            for sessions in (week.signed_sessions, week.unsigned_sessions)
        )
        return cls(
            payPeriodWeek=week.week,
            totalSessions=len(week.sessions),
            signedSessions=len(signed),
            unsignedSessions=len(unsigned),
            deadline=week.deadline,
            isDeadlinePassed=week.deadline_passed,
            sessions=WeekSessionsOut(signed=signed, unsigned=unsigned),
        )


class SessionPayLineOut(BaseModel):
    appointmentId: Annotated[UUID, describe("The appointment, which is the session's id.")]
    kind: Annotated[str, describe("Whether it is `regular`, `late`, an `adjustment`, or on `standby`.")]
    reason: Annotated[str | None, describe("Why it is adjusted.")]
    sessionDate: Annotated[date, describe("The local day of the session.")]
    durationMinutes: Annotated[int, describe("The service's minutes.")]
    multiplier: Annotated[str, describe("Factor on the base rate for the kind of service.")]
    rate: Annotated[MoneyOut, describe("The base rate for an hour.")]
    amount: Annotated[MoneyOut, describe("Pay for the session.")]

    @classmethod
    def of(cls, line: Line) -> "SessionPayLineOut":
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
    providerId: Annotated[UUID, describe("The clinician, a staff member.")]
    providerName: StaffName = None
    payPeriodWeek: Annotated[date, describe("The Sunday on which the week begins.")]
    cutOff: Annotated[datetime, describe("When the week is cut off.")]
    status: PayWeekStatus
    totalAmount: Annotated[MoneyOut, describe("What the week pays.")]
    standbyAmount: Annotated[MoneyOut, describe("What waits for a signature.")]
    lines: Annotated[list[SessionPayLineOut], describe("One line for each session.")]
    standby: Annotated[list[SessionPayLineOut], describe("Sessions that wait for their signature.")]
    problems: Annotated[list[str], describe("What prevents the pay, such as a missing rate.")]

    @classmethod
    def of(cls, provider_id: UUID, preview: PayWeek) -> "PaymentOut":
        return cls(
            providerId=provider_id,
            payPeriodWeek=preview.week,
            cutOff=preview.cut_off,
            status=preview.status,
            totalAmount=sum_amounts(preview.lines),
            standbyAmount=sum_amounts(preview.pending),
            lines=[SessionPayLineOut.of(line) for line in preview.lines],
            standby=[SessionPayLineOut.of(line) for line in preview.pending],
            problems=preview.problems,
        )


class WeekOut(BaseModel):
    payPeriodWeek: Annotated[date, describe("The Sunday on which the week begins.")]
    deadline: Annotated[datetime, describe("When the week's notes are due, and its pay is cut off.")]
    isDeadlinePassed: Annotated[bool, describe("Whether the deadline has passed.")]
    totalSessions: Annotated[int, describe("Completed sessions of the week.")]
    signedSessions: Annotated[int, describe("Those whose note is signed.")]
    unsignedSessions: Annotated[int, describe("Those whose note is not signed.")]
    lockedSessions: Annotated[int, describe("Those locked by the deadline or by hand.")]
    earned: Annotated[MoneyOut | None, describe("What the week pays; null without access to pay.")]
    standby: Annotated[MoneyOut | None, describe("What waits for a signature; null without access to pay.")]

    @classmethod
    def of(cls, week: ClinicianWeek) -> "WeekOut":
        return WeekOut(
            payPeriodWeek=week.week,
            deadline=week.deadline,
            isDeadlinePassed=week.deadline_passed,
            totalSessions=len(week.sessions),
            signedSessions=len(week.signed_sessions),
            unsignedSessions=len(week.unsigned_sessions),
            lockedSessions=week.locked_count,
            earned=week.sum_amounts(week.signed_sessions),
            standby=week.sum_amounts(week.unsigned_sessions),
        )


class DashboardOut(WeekOut):
    """The week with the next deadline and the weeks before it.

    Amounts are only for callers who may read the clinician's pay: for the current week its payment calculation, for
    earlier weeks the value of their own sessions.
    """

    providerId: Annotated[UUID, describe("The clinician, a staff member.")]
    providerName: StaffName = None
    secondsLeft: Annotated[int, describe("Seconds until the deadline.")]
    lastWeeks: Annotated[list[WeekOut], describe("The weeks before, oldest first.")]

    @classmethod
    def of_dashboard(cls, provider_id: UUID, dashboard: Dashboard, now: datetime) -> "DashboardOut":
        week, pay = WeekOut.of(dashboard.week).model_dump(exclude={"earned", "standby"}), dashboard.pay
        return cls(
            **week,
            earned=None if pay is None else sum_amounts(pay.lines),
            standby=None if pay is None else sum_amounts(pay.pending),
            providerId=provider_id,
            secondsLeft=int((dashboard.week.deadline - now).total_seconds()),
            lastWeeks=[WeekOut.of(week) for week in reversed(dashboard.previous_weeks)],
        )


class ReportedWeekOut(BaseModel):
    payPeriodWeek: Annotated[date, describe("The Sunday on which the week begins.")]
    deadline: Annotated[datetime, describe("When the week's notes are due, and its pay is cut off.")]
    isDeadlinePassed: Annotated[bool, describe("Whether the deadline has passed.")]
    totalSessions: Annotated[int, describe("Completed sessions of the week.")]
    signedInTime: Annotated[int, describe("Those signed before the deadline.")]
    signedLate: Annotated[int, describe("Those signed after it.")]
    unsignedSessions: Annotated[int, describe("Those whose note is not signed.")]
    lockedSessions: Annotated[int, describe("Those locked by the deadline or by hand.")]
    overrides: Annotated[int, describe("The number of unlocks.")]
    complianceRate: Annotated[float | None, describe("Signed in time, divided by all; null without sessions.")]

    @classmethod
    def of(cls, week: ClinicianWeek) -> "ReportedWeekOut":
        return cls(
            payPeriodWeek=week.week,
            deadline=week.deadline,
            isDeadlinePassed=week.deadline_passed,
            totalSessions=len(week.sessions),
            signedInTime=week.in_time_count,
            signedLate=week.late_count,
            unsignedSessions=len(week.unsigned_sessions),
            lockedSessions=week.locked_count,
            overrides=week.override_count,
            complianceRate=to_float(week.on_time_rate),
        )


class ComplianceReportOut(BaseModel):
    providerId: Annotated[UUID, describe("The clinician, a staff member.")]
    providerName: StaffName = None
    weeks: Annotated[list[ReportedWeekOut], describe("The weeks, oldest first.")]


class AnalyticsOut(BaseModel):
    """Figures of appointments that have begun. `revenue` is only for callers who may read the clinician's charges."""

    providerId: Annotated[UUID, describe("The clinician, a staff member.")]
    providerName: StaffName = None
    startDate: Annotated[date, describe("The first day.")]
    endDate: Annotated[date, describe("The last day.")]
    totalSessions: Annotated[int, describe("Appointments that have begun.")]
    completedSessions: Annotated[int, describe("Those completed.")]
    cancelledSessions: Annotated[int, describe("Those cancelled.")]
    noShowSessions: Annotated[int, describe("Those missed by the client.")]
    revenue: Annotated[MoneyOut | None, describe("What they brought in; null without access to billing.")]
    averageDuration: Annotated[float | None, describe("Average minutes of those completed.")]
    completionRate: Annotated[float | None, describe("Completed, divided by all.")]

    @classmethod
    def of(cls, provider_id: UUID, figures: Analytics) -> "AnalyticsOut":
        return cls(
            providerId=provider_id,
            startDate=figures.since,
            endDate=figures.until,
            totalSessions=figures.totals.total,
            completedSessions=figures.totals.completed,
            cancelledSessions=figures.totals.cancelled,
            noShowSessions=figures.totals.no_show,
            revenue=figures.revenue_cents,
            averageDuration=to_float(figures.average_minutes),
            completionRate=to_float(figures.completion_rate),
        )


def resolve_provider(ctx: RequestContext, provider_id: Provider) -> UUID:
    """Return the clinician's id, the caller's own for `me`, or raise Forbidden when they have none."""
    staff_id = resolve_me(provider_id, ctx.actor.staff_id)
    assert staff_id is not None  # noqa: S101 - `resolve_me` returns None only for None
    return staff_id


def to_float(value: Decimal | None) -> float | None:
    return None if value is None else float(value)


def sum_amounts(lines: Iterable[Line]) -> int:
    return sum(line.amount_cents for line in lines)


@router.get("/compliance/deadlines/{provider_id}", permission="session_completions.read")
def get_compliance_deadlines(
    ctx: RequestContext, provider_id: Provider, query: Annotated[WeekQuery, Query()]
) -> DeadlinesOut:
    """Get the note deadline of a week.

    With the clinician's signed and unsigned sessions.
    """
    staff_id = resolve_provider(ctx, provider_id)
    return DeadlinesOut.of(analytics.get_week(ctx.work, ctx.scope, staff_id, query.week))


@router.get("/payment/calculation/{provider_id}", permission="pay.read")
def get_payment_calculation(
    ctx: RequestContext, provider_id: Provider, query: Annotated[WeekQuery, Query()]
) -> PaymentOut:
    """Calculate a clinician's pay for a week.

    As known now, and what would be paid if everything were signed.
    """
    staff_id = resolve_provider(ctx, provider_id)
    return PaymentOut.of(staff_id, analytics.get_pay_week(ctx.work, ctx.scope, staff_id, query.week))


@router.get("/dashboard/{provider_id}", permission="session_completions.read")
def get_session_dashboard(ctx: RequestContext, provider_id: Provider) -> DashboardOut:
    """Get a clinician's dashboard.

    The current week, its pay, the time left to sign, and the weeks before.
    """
    staff_id = resolve_provider(ctx, provider_id)
    return DashboardOut.of_dashboard(staff_id, analytics.get_dashboard(ctx.work, ctx.scope, staff_id), ctx.now)


@router.get("/analytics/{provider_id}", permission="session_completions.read")
def get_session_analytics(
    ctx: RequestContext, provider_id: Provider, query: Annotated[SpanQuery, Query()]
) -> AnalyticsOut:
    """Get analytics of a clinician's appointments.

    Between two local days, both inclusive; default: the last thirty days.
    """
    staff_id = resolve_provider(ctx, provider_id)
    figures = analytics.get_analytics(ctx.work, ctx.scope, staff_id, query.since, query.until)
    return AnalyticsOut.of(staff_id, figures)


@router.get("/compliance/report/{provider_id}", permission="session_completions.read")
def get_compliance_report(
    ctx: RequestContext, provider_id: Provider, query: Annotated[SpanQuery, Query()]
) -> ComplianceReportOut:
    """Get a clinician's compliance report.

    Week by week: signed on time, late or not at all, locked and unlocked. `from` and `to` are Sundays.
    """
    staff_id = resolve_provider(ctx, provider_id)
    weeks = analytics.list_weeks(ctx.work, ctx.scope, staff_id, query.since, query.until)
    return ComplianceReportOut(providerId=staff_id, weeks=[ReportedWeekOut.of(week) for week in weeks])
