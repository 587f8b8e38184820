"""How far each client's treatment plan is from its next review: of one client, and of all for whom it is due.

A plan counts by its reviews, those that came in with a bundle as well.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Date, Subquery, and_, false, func, literal, or_, select, tuple_

from practice.clinical.models.plans import TreatmentPlan, TreatmentPlanReview
from practice.clinical.plans.plans import plans_of
from practice.clinical.plans.rules import PlanDays, PlanState, on_that_day, plan_state
from practice.people.access import clients_within
from practice.people.clients import because, find_client
from practice.people.models.clients import Client
from practice.people.practice_time import local_today
from practice.people.settings import setting
from practice.security.permissions import Scope
from practice.security.work import Work
from practice.store.pages import Page, PageRequest, read_cursor, write_cursor

NEVER = date.min  # sorts before every review
MOST_URGENT = "last"


@dataclass(frozen=True)
class PlanStanding:
    client: Client
    state: PlanState
    last_reviewed_on: date | None
    days_since: int | None
    review_by: date | None
    plan: TreatmentPlan | None = None


def plan_standing(work: Work, scope: Scope, client_id: UUID, reason: str | None = None) -> PlanStanding:
    """Of one client, with the plan that they have today."""
    client = find_client(work, scope, client_id)
    today = local_today(work)
    last = last_reviews(work, today)
    found = work.db.scalar(select(last.c.reviewed_on).where(last.c.client_id == client_id))
    plans = [plan for plan in plans_of(work, client_id) if plan.starts_on <= today]
    work.record("client.read", "client", client_id, part="treatment plan", **because(reason))
    return standing(client, found, today, plan_days(work), plans[-1] if plans else None)


def plans_due(
    work: Work,
    scope: Scope,
    asked: PageRequest,
    *,
    clinician_id: UUID | None = None,
    state: PlanState | None = None,
    reason: str | None = None,
) -> Page:
    """Active clients whose plan is due for review, overdue or missing, the longest waiting first."""
    today, days = local_today(work), plan_days(work)
    last = last_reviews(work, today)
    since = func.coalesce(last.c.reviewed_on, literal(NEVER, Date))
    query = select(Client, last.c.reviewed_on).outerjoin(last, last.c.client_id == Client.id)
    query = query.where(Client.tenant_id == work.tenant_id, clients_within(work, scope, Client.id))
    query = query.where(active_on(today), since <= today - timedelta(days=min(days)))
    if clinician_id is not None:
        query = query.where(Client.primary_clinician_id == clinician_id)
    if state is not None:
        query = query.where(in_state(state, last.c.reviewed_on, today, days))
    work.record("plans.listed", part="plans due", **because(reason))
    found, cursor = by_urgency(work, query, since, asked)
    return Page([standing(row.Client, row.reviewed_on, today, days) for row in found], cursor, None)


def by_urgency(work: Work, query: Any, since: ColumnElement[Any], asked: PageRequest) -> tuple[list[Any], str | None]:
    """One page of clients, those in front who have waited longest or never had any."""
    order = (since.label("since"), Client.id.expression)
    if asked.cursor is not None:
        query = query.where(tuple_(since, Client.id) > tuple_(*read_cursor(asked.cursor, MOST_URGENT, order)))
    rows = list(work.db.execute(query.add_columns(order[0]).order_by(*order).limit(asked.limit + 1)))
    more = len(rows) > asked.limit
    rows = rows[: asked.limit]
    return rows, write_cursor(MOST_URGENT, [rows[-1].since, rows[-1].Client.id]) if more else None


def last_reviews(work: Work, today: date, since: date | None = None) -> Subquery:
    """Of each client the latest that is not in future; where nothing before a day matters, of those since then."""
    row = TreatmentPlanReview
    query = select(row.client_id, func.max(row.reviewed_on).label("reviewed_on")).where(
        row.tenant_id == work.tenant_id, row.voided_at.is_(None), row.reviewed_on <= today
    )
    if since is not None:
        query = query.where(row.reviewed_on >= since)
    return query.group_by(row.client_id).subquery("last")


def active_on(day: date) -> ColumnElement[bool]:
    return and_(Client.admitted_on <= day, or_(Client.ended_on.is_(None), Client.ended_on > day))


def in_state(state: PlanState, last: Any, today: date, days: PlanDays) -> ColumnElement[bool]:
    """The same as `plan_state` says of one."""
    overdue, due = today - timedelta(days=days.review), today - timedelta(days=days.remind)
    return {
        "missing": last.is_(None),
        "out_of_compliance": last < overdue,
        "alert": last == overdue,
        "due": and_(last > overdue, last <= due),
    }.get(state, false())


def plan_days(work: Work) -> PlanDays:
    return PlanDays(setting(work, "plan_reminder_days"), setting(work, "plan_review_days"))


def standing(
    client: Client, last: date | None, today: date, days: PlanDays, plan: TreatmentPlan | None = None
) -> PlanStanding:
    state = plan_state(last, on_that_day(client.admitted_on, client.ended_on, today), today, days)
    if last is None:
        return PlanStanding(client, state, None, None, None, plan)
    return PlanStanding(client, state, last, (today - last).days, last + timedelta(days=days.review), plan)
