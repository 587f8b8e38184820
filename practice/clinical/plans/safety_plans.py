"""Clients who need a safety plan and whether they have a current one.

The plan's content is a note of type SAFETY_PLAN.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, DateTime, Subquery, and_, func, literal, or_, select

from practice.clinical.models.notes import Note
from practice.clinical.plans.review_status import is_active_on, page_by_urgency
from practice.clinical.plans.rules import SafetyState, compute_safety_state, is_in_effect
from practice.local_time import date_of, start_of_day
from practice.people.access import visible_clients
from practice.people.clients import find_client, reason_detail
from practice.people.models.clients import Client
from practice.people.practice_time import local_today, zone_of
from practice.people.settings import get_setting
from practice.security.permissions import Scope
from practice.security.work import Work
from practice.store.pages import Page, PageRequest

NEVER = datetime(1, 1, 2, tzinfo=UTC)


@dataclass(frozen=True)
class SafetyPlanStatus:
    """Whether a client needs a safety plan and until when the signed one is current."""

    client: Client
    state: SafetyState
    signed_at: datetime | None
    current_until: date | None


def get_safety_plan_status(work: Work, scope: Scope, client_id: UUID, reason: str | None = None) -> SafetyPlanStatus:
    """Return the safety plan status of one client."""
    client = find_client(work, scope, client_id)
    signed = select_signed_plans(work)
    signed_at = work.db.scalar(select(signed.c.signed_at).where(signed.c.client_id == client_id))
    work.record("client.read", "client", client_id, part="safety plan", **reason_detail(reason))
    return build_status(client, signed_at, local_today(work), get_setting(work, "safety_plan_days"), zone_of(work))


def list_missing_safety_plans(
    work: Work,
    scope: Scope,
    page_request: PageRequest,
    *,
    clinician_id: UUID | None = None,
    state: Literal["missing", "expired"] | None = None,
    reason: str | None = None,
) -> Page:
    """Return active clients at high risk without a current safety plan, those without any first."""
    today, days, zone = local_today(work), get_setting(work, "safety_plan_days"), zone_of(work)
    signed = select_signed_plans(work)
    since = func.coalesce(signed.c.signed_at, literal(NEVER, DateTime(timezone=True)))
    expired = signed.c.signed_at < start_of_day(today - timedelta(days=days), zone)
    query = select(Client, signed.c.signed_at).outerjoin(signed, signed.c.client_id == Client.id)
    query = query.where(Client.tenant_id == work.tenant_id, visible_clients(work, scope, Client.id))
    query = query.where(is_active_on(today), is_at_high_risk(today), or_(signed.c.signed_at.is_(None), expired))
    if clinician_id is not None:
        query = query.where(Client.primary_clinician_id == clinician_id)
    if state is not None:
        query = query.where(expired if state == "expired" else signed.c.signed_at.is_(None))
    rows, cursor = page_by_urgency(work, query, since, page_request)
    work.record_list("plans.listed", (row.Client.id for row in rows), part="safety plans", **reason_detail(reason))
    return Page([build_status(row.Client, row.signed_at, today, days, zone) for row in rows], cursor, None)


def select_signed_plans(work: Work) -> Subquery:
    """Return the subquery of when each client's latest safety plan was signed. Amended plans stay signed."""
    query = select(Note.client_id, func.max(Note.signed_at).label("signed_at")).where(
        Note.tenant_id == work.tenant_id,
        Note.type == "SAFETY_PLAN",
        Note.voided_at.is_(None),
        Note.entered_in_error_at.is_(None),
        Note.signed_at <= work.now,
    )
    return query.group_by(Note.client_id).subquery("signed")


def is_at_high_risk(day: date) -> ColumnElement[bool]:
    """Return the condition for clients at high risk on the day."""
    ended_on: Any = Client.high_risk_until
    return and_(Client.high_risk_since <= day, or_(ended_on.is_(None), ended_on > day))


def build_status(
    client: Client, signed_at: datetime | None, today: date, days: int, zone: ZoneInfo
) -> SafetyPlanStatus:
    is_active = is_in_effect(client.admitted_on, client.ended_on, today)
    is_needed = is_active and is_in_effect(client.high_risk_since, client.high_risk_until, today)
    until = None if signed_at is None else date_of(signed_at, zone) + timedelta(days=days)
    return SafetyPlanStatus(client, compute_safety_state(is_needed, signed_at, days, today, zone), signed_at, until)
