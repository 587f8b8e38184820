"""More of the page of a clinician: own requests, clients who need a progress report, own pay statements."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import select, text

from practice.dashboards.needs import MAX_LISTED, Need, NeedRecord
from practice.payroll.models import PayLine, PayPeriod
from practice.people.practice_time import local_today
from practice.people.settings import get_setting
from practice.scheduling.models.appointments import RescheduleRequest
from practice.scheduling.reschedule_requests import list_requests, load_visits
from practice.security.permissions import Scope
from practice.security.work import Work
from practice.store.pages import PageRequest
from practice.text import format_count

MAX_REQUESTS = 10
MAX_STATEMENTS = 6

# A report is due as often as the plan is reviewed: its reader wants to know what the review found.
REPORTS_DUE_SQL = text("""
    select c.id, c.first_name || ' ' || c.last_name as name
    from clients as c
    cross join lateral (
        select coalesce(max(r.reported_on), c.admitted_on) as reported_on from progress_reports as r
        where r.tenant_id = :tenant_id and r.client_id = c.id and r.status = 'FINAL' and r.voided_at is null
    ) as r
    where c.tenant_id = :tenant_id and c.primary_clinician_id = :clinician_id
        and c.admitted_on <= :today and (c.ended_on is null or c.ended_on > :today) and r.reported_on < :reported_before
        and exists (
            select from appointments as a
            where a.tenant_id = :tenant_id and a.client_id = c.id and a.status = 'COMPLETED'
                and a.starts_at >= r.reported_on
        )
    order by r.reported_on, c.id
    limit :limit
""")


class Requests(NamedTuple):
    """Requests to move visits, and the visits by id."""

    items: Sequence[RescheduleRequest]
    visits: dict[UUID, Any]


def list_own_requests(work: Work) -> Requests:
    """Return the actor's latest requests to move visits, newest first."""
    items = list_requests(work, Scope.OWN, PageRequest(limit=MAX_REQUESTS)).items
    return Requests(items, load_visits(work, items))


def list_pending_requests(work: Work) -> Requests:
    """Return the requests to move visits that wait for the front desk, oldest first."""
    items = list_requests(work, Scope.ALL, PageRequest(limit=MAX_LISTED, sort="asked_at"), "PENDING").items
    return Requests(items, load_visits(work, items))


def list_own_statements(work: Work, staff_id: UUID) -> Sequence[date]:
    """Return the latest closed weeks that paid the staff member something, latest first."""
    query = select(PayPeriod.week).where(
        PayPeriod.tenant_id == work.tenant_id,
        PayPeriod.closed_at.is_not(None),
        PayPeriod.id.in_(
            select(PayLine.period_id).where(PayLine.tenant_id == work.tenant_id, PayLine.staff_id == staff_id)
        ),
    )
    return list(work.db.scalars(query.order_by(PayPeriod.week.desc()).limit(MAX_STATEMENTS)))


def build_reports_need(work: Work, staff_id: UUID) -> Need | None:
    """Return the clients of a primary clinician who were seen and had no progress report for a review's time."""
    days, today = get_setting(work, "plan_review_days"), local_today(work)
    parameters = {
        "tenant_id": work.tenant_id,
        "clinician_id": staff_id,
        "today": today,
        "reported_before": today - timedelta(days=days),
        "limit": MAX_LISTED,
    }
    clients = [NeedRecord(*row) for row in work.db.execute(REPORTS_DUE_SQL, parameters)]
    if not clients:
        return None
    work.record_list("clients.listed", (client.id for client in clients), part="reports due", found=len(clients))
    count = len(clients)
    return Need(
        "progress_reports",
        "this_month",
        f"{format_count(count, 'client')} {'needs' if count == 1 else 'need'} a progress report",
        f"None was finished for {days} days, as long as a plan goes without a review.",
        count,
        "show_clients",
        "Show clients",
        clients,
    )
