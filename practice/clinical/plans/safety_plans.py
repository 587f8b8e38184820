"""Who needs a safety plan and whether they have one. What it says is a note of type SAFETY_PLAN."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, DateTime, Subquery, and_, func, literal, or_, select

from practice.clinical.models.notes import Note
from practice.clinical.plans.review_status import active_on, by_urgency
from practice.clinical.plans.rules import SafetyState, on_that_day, safety_state
from practice.local_time import date_of, start_of_day
from practice.people.access import clients_within
from practice.people.clients import because, find_client
from practice.people.models.clients import Client
from practice.people.practice_time import local_today, zone_of
from practice.people.settings import setting
from practice.security.permissions import Scope
from practice.security.work import Work
from practice.store.pages import Page, PageRequest

NEVER = datetime(1, 1, 2, tzinfo=UTC)


@dataclass(frozen=True)
class SafetyStanding:
    client: Client
    state: SafetyState
    signed_at: datetime | None
    current_until: date | None


def safety_standing(work: Work, scope: Scope, client_id: UUID, reason: str | None = None) -> SafetyStanding:
    client = find_client(work, scope, client_id)
    signed = signed_plans(work)
    signed_at = work.db.scalar(select(signed.c.signed_at).where(signed.c.client_id == client_id))
    work.record("client.read", "client", client_id, part="safety plan", **because(reason))
    return standing(client, signed_at, local_today(work), setting(work, "safety_plan_days"), zone_of(work))


def without_safety_plan(
    work: Work,
    scope: Scope,
    asked: PageRequest,
    *,
    clinician_id: UUID | None = None,
    state: Literal["missing", "expired"] | None = None,
    reason: str | None = None,
) -> Page:
    """Active clients at high risk who have no current one: those without any in front."""
    today, days, zone = local_today(work), setting(work, "safety_plan_days"), zone_of(work)
    signed = signed_plans(work)
    since = func.coalesce(signed.c.signed_at, literal(NEVER, DateTime(timezone=True)))
    expired = signed.c.signed_at < start_of_day(today - timedelta(days=days), zone)
    query = select(Client, signed.c.signed_at).outerjoin(signed, signed.c.client_id == Client.id)
    query = query.where(Client.tenant_id == work.tenant_id, clients_within(work, scope, Client.id))
    query = query.where(active_on(today), at_high_risk(today), or_(signed.c.signed_at.is_(None), expired))
    if clinician_id is not None:
        query = query.where(Client.primary_clinician_id == clinician_id)
    if state is not None:
        query = query.where(expired if state == "expired" else signed.c.signed_at.is_(None))
    work.record("plans.listed", part="safety plans", **because(reason))
    found, cursor = by_urgency(work, query, since, asked)
    return Page([standing(row.Client, row.signed_at, today, days, zone) for row in found], cursor, None)


def signed_plans(work: Work) -> Subquery:
    """Of each client when the newest was signed. An amended one stays signed."""
    query = select(Note.client_id, func.max(Note.signed_at).label("signed_at")).where(
        *(Note.tenant_id == work.tenant_id, Note.type == "SAFETY_PLAN"),
        *(Note.voided_at.is_(None), Note.signed_at <= work.now),
    )
    return query.group_by(Note.client_id).subquery("signed")


def at_high_risk(day: date) -> ColumnElement[bool]:
    ended: Any = Client.high_risk_until
    return and_(Client.high_risk_since <= day, or_(ended.is_(None), ended > day))


def standing(client: Client, signed_at: datetime | None, today: date, days: int, zone: ZoneInfo) -> SafetyStanding:
    active = on_that_day(client.admitted_on, client.ended_on, today)
    needed = active and on_that_day(client.high_risk_since, client.high_risk_until, today)
    until = None if signed_at is None else date_of(signed_at, zone) + timedelta(days=days)
    return SafetyStanding(client, safety_state(needed, signed_at, days, today, zone), signed_at, until)
