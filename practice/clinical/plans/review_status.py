"""Review status of treatment plans, for one client and as the list of plans that are due.

A plan is judged by its reviews, imported ones included.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Date, Subquery, and_, false, func, literal, or_, select, tuple_

from practice.clinical.models.plans import TreatmentPlan, TreatmentPlanReview
from practice.clinical.plans.plans import load_plans
from practice.clinical.plans.rules import PlanDays, PlanState, compute_plan_state, is_in_effect
from practice.people.access import visible_clients
from practice.people.clients import find_client, reason_detail
from practice.people.models.clients import Client
from practice.people.practice_time import local_today
from practice.people.settings import get_setting
from practice.security.permissions import Scope
from practice.security.work import Work
from practice.store.pages import Page, PageRequest, decode_cursor, encode_cursor

NEVER = date.min  # sorts before every review
URGENCY_ORDER = "last"


@dataclass(frozen=True)
class PlanStatus:
    """How far a client's plan is from its next review."""

    client: Client
    state: PlanState
    last_reviewed_on: date | None
    days_since: int | None
    review_by: date | None
    plan: TreatmentPlan | None = None


def get_plan_status(work: Work, scope: Scope, client_id: UUID, reason: str | None = None) -> PlanStatus:
    """Return the review status of one client, with the plan in force today."""
    client = find_client(work, scope, client_id)
    today = local_today(work)
    last = select_last_reviews(work, today)
    last_reviewed_on = work.db.scalar(select(last.c.reviewed_on).where(last.c.client_id == client_id))
    plans = [plan for plan in load_plans(work, client_id) if plan.starts_on <= today]
    work.record("client.read", "client", client_id, part="treatment plan", **reason_detail(reason))
    return build_status(client, last_reviewed_on, today, load_plan_days(work), plans[-1] if plans else None)


def list_due_plans(
    work: Work,
    scope: Scope,
    page_request: PageRequest,
    *,
    clinician_id: UUID | None = None,
    state: PlanState | None = None,
    reason: str | None = None,
) -> Page:
    """Return active clients whose plan is due, overdue or missing, longest waiting first."""
    today, days = local_today(work), load_plan_days(work)
    last = select_last_reviews(work, today)
    since = func.coalesce(last.c.reviewed_on, literal(NEVER, Date))
    query = select(Client, last.c.reviewed_on).outerjoin(last, last.c.client_id == Client.id)
    query = query.where(Client.tenant_id == work.tenant_id, visible_clients(work, scope, Client.id))
    query = query.where(is_active_on(today), since <= today - timedelta(days=min(days)))
    if clinician_id is not None:
        query = query.where(Client.primary_clinician_id == clinician_id)
    if state is not None:
        query = query.where(is_in_state(state, last.c.reviewed_on, today, days))
    rows, cursor = page_by_urgency(work, query, since, page_request)
    work.record_list("plans.listed", (row.Client.id for row in rows), part="plans due", **reason_detail(reason))
    return Page([build_status(row.Client, row.reviewed_on, today, days) for row in rows], cursor, None)


def page_by_urgency(
    work: Work, query: Any, since: ColumnElement[Any], page_request: PageRequest
) -> tuple[list[Any], str | None]:
    """Return one page of rows, longest waiting first, and the next cursor. Rows without any date come first."""
    order = (since.label("since"), Client.id.expression)
    if page_request.cursor is not None:
        query = query.where(
            tuple_(since, Client.id) > tuple_(*decode_cursor(page_request.cursor, URGENCY_ORDER, order))
        )
    rows = list(work.db.execute(query.add_columns(order[0]).order_by(*order).limit(page_request.limit + 1)))
    has_more = len(rows) > page_request.limit
    rows = rows[: page_request.limit]
    return rows, encode_cursor(URGENCY_ORDER, [rows[-1].since, rows[-1].Client.id]) if has_more else None


def select_last_reviews(work: Work, today: date, since: date | None = None) -> Subquery:
    """Return the subquery of each client's latest review that is not in the future, optionally only since a date."""
    query = select(TreatmentPlanReview.client_id, func.max(TreatmentPlanReview.reviewed_on).label("reviewed_on")).where(
        TreatmentPlanReview.tenant_id == work.tenant_id,
        TreatmentPlanReview.voided_at.is_(None),
        TreatmentPlanReview.reviewed_on <= today,
    )
    if since is not None:
        query = query.where(TreatmentPlanReview.reviewed_on >= since)
    return query.group_by(TreatmentPlanReview.client_id).subquery("last")


def is_active_on(day: date) -> ColumnElement[bool]:
    """Return the condition for clients in treatment on the day."""
    return and_(Client.admitted_on <= day, or_(Client.ended_on.is_(None), Client.ended_on > day))


def is_in_state(state: PlanState, last: Any, today: date, days: PlanDays) -> ColumnElement[bool]:
    """Return the condition that matches `compute_plan_state` for active clients."""
    overdue, due = today - timedelta(days=days.review), today - timedelta(days=days.remind)
    return {
        "missing": last.is_(None),
        "out_of_compliance": last < overdue,
        "alert": last == overdue,
        "due": and_(last > overdue, last <= due),
    }.get(state, false())


def load_plan_days(work: Work) -> PlanDays:
    return PlanDays(get_setting(work, "plan_reminder_days"), get_setting(work, "plan_review_days"))


def build_status(
    client: Client, last: date | None, today: date, days: PlanDays, plan: TreatmentPlan | None = None
) -> PlanStatus:
    state = compute_plan_state(last, is_in_effect(client.admitted_on, client.ended_on, today), today, days)
    if last is None:
        return PlanStatus(client, state, None, None, None, plan)
    return PlanStatus(client, state, last, (today - last).days, last + timedelta(days=days.review), plan)
