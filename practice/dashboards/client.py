"""The page of one client for those who treat them: visits, notes, consents, plans, reports, and what is due."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select

from practice.clinical.models.notes import Note
from practice.clinical.models.reports import ProgressReport
from practice.clinical.notes import queries as notes
from practice.clinical.plans.review_status import PlanStatus, get_plan_status
from practice.clinical.plans.safety_plans import SafetyPlanStatus, get_safety_plan_status
from practice.clinical.reports import queries as reports
from practice.dashboards.needs import Need, sort_needs
from practice.dashboards.words import format_moment
from practice.people.access import can_see_client, visible_staff
from practice.people.clients import ClientView, get_client
from practice.people.consents import list_consents
from practice.people.models.clients import Client, Consent
from practice.people.practice_time import zone_of
from practice.scheduling.appointments.booking_context import load_booking_context
from practice.scheduling.appointments.queries import Filters, list_appointments, select_appointments
from practice.scheduling.appointments.rules.booking_eligibility import list_consent_warnings
from practice.scheduling.catalog.services import load_service_codes
from practice.scheduling.models.appointments import Appointment
from practice.security.permissions import Scope, find_scope
from practice.security.work import Work
from practice.store.pages import PageRequest
from practice.text import format_count

MAX_VISITS = 10
MAX_NOTES = 20
EXPECTED = ("SCHEDULED", "CONFIRMED", "CHECKED_IN", "IN_PROGRESS")
SHOWN = (*EXPECTED, "COMPLETED", "NO_SHOW")  # not those that were cancelled or moved
BY_WHOM = {Scope.OWN: " by you", Scope.TEAM: " by your team"}
WITH_WHOM = {Scope.OWN: " with you", Scope.TEAM: " with your team"}


@dataclass(frozen=True)
class Chart:
    """The part of the page that is for those who may read the chart without stating a reason."""

    notes: Sequence[Note]
    authors_with_drafts: set[UUID]
    reports: Sequence[ProgressReport]
    plan: PlanStatus | None
    safety_plan: SafetyPlanStatus | None


@dataclass(frozen=True)
class Booking:
    """The next visits within a scope, and when the client comes next to anybody, if that may be known."""

    next_visits: Sequence[Appointment]
    scope: Scope
    is_known: bool
    next_at: datetime | None


@dataclass(frozen=True)
class ClientPage:
    """Everything that the page shows at first."""

    client: ClientView
    next_visits: Sequence[Appointment]
    last_visits: Sequence[Appointment]
    consents: Sequence[Consent]
    consents_due: Sequence[str]
    chart: Chart | None
    brief: Sequence[str]
    needs: Sequence[Need]


def load_client_page(work: Work, scope: Scope, client_id: UUID) -> ClientPage:
    """Return the page of a client whom the actor can see, or raise NotFound.

    Each part is read, and recorded in the audit log, as by its own route.
    """
    client = get_client(work, scope, client_id)
    visits = find_scope(work.actor.roles, "appointments", "read") or Scope.OWN
    ahead = Filters(client_id=client_id, since=work.now, statuses=EXPECTED)
    before = Filters(client_id=client_id, until=work.now, statuses=SHOWN)
    next_visits = list_appointments(work, visits, PageRequest(limit=MAX_VISITS), ahead).items
    last_visits = list_appointments(work, visits, PageRequest(limit=MAX_VISITS, sort="-starts_at"), before).items
    booking = Booking(next_visits, visits, *find_next_visit(work, visits, client_id))
    consents_due = list_consents_due(work, next_visits, last_visits)
    chart = load_chart(work, client_id)
    needs = list_needs(work, client, booking, consents_due, chart)
    return ClientPage(
        client=client,
        next_visits=next_visits,
        last_visits=last_visits,
        consents=list_consents(work, scope, client_id),
        consents_due=consents_due,
        chart=chart,
        brief=[
            describe_visits(work, client_id, booking),
            *(f"{need.title}. {need.detail}" for need in needs[:2]),
        ],
        needs=needs,
    )


def load_chart(work: Work, client_id: UUID) -> Chart | None:
    """Return the client's notes, reports and plans, or None for those who read them for a reason only."""
    note_scope = find_scope(work.actor.roles, "notes", "read")
    plan_scope = find_scope(work.actor.roles, "plans", "read")
    if note_scope is None or not can_see_client(work, note_scope, client_id):
        return None
    listed = notes.list_notes(work, note_scope, PageRequest(limit=MAX_NOTES), notes.Filters(client_id=client_id)).items
    found = reports.list_reports(
        work, note_scope, PageRequest(limit=MAX_NOTES), reports.Filters(client_id=client_id)
    ).items
    return Chart(
        notes=listed,
        authors_with_drafts=notes.find_authors_with_drafts(work, note_scope, listed),
        reports=found,
        plan=get_plan_status(work, plan_scope, client_id) if plan_scope else None,
        safety_plan=get_safety_plan_status(work, plan_scope, client_id) if plan_scope else None,
    )


def list_consents_due(
    work: Work, next_visits: Sequence[Appointment], last_visits: Sequence[Appointment]
) -> Sequence[str]:
    """Return what is wrong with the consents of the visits booked, or for a visit now like the last one."""
    visit = next((visit for visit in (*next_visits, *last_visits)), None)
    if visit is None:
        return ()
    context = load_booking_context(
        work,
        client_id=visit.client_id,
        clinician_id=visit.clinician_id,
        service_code=load_service_codes(work, [visit.service_id])[visit.service_id],
        room_id=None,
        starts_at=visit.starts_at,
    )
    starts = [booked.starts_at for booked in next_visits] or [work.now]
    is_remote = any(booked.telehealth for booked in next_visits or [visit])
    return list_consent_warnings(context.client, starts=starts, telehealth=is_remote, now=work.now, zone=context.zone)


def find_next_visit(work: Work, visits: Scope, client_id: UUID) -> tuple[bool, datetime | None]:
    """Return whether all of the client's bookings may be known, and the start of the next one with anybody.

    Those who see every visit know them, and the primary clinician, who is asked to have their clients rebooked.
    """
    primary = select(Client.id).where(Client.tenant_id == work.tenant_id, Client.id == client_id)
    primary = primary.where(visible_staff(work, visits, Client.primary_clinician_id))
    if visits is not Scope.ALL and work.db.scalar(primary) is None:
        return False, None
    booked = select_appointments(work, Scope.ALL, Filters(client_id=client_id, since=work.now, statuses=EXPECTED))
    return True, work.db.scalar(booked.with_only_columns(func.min(Appointment.starts_at)))


def describe_visits(work: Work, client_id: UUID, booking: Booking) -> str:
    """Return when the client was seen last, and when they come next."""
    zone, scope = zone_of(work), booking.scope
    held = select_appointments(work, scope, Filters(client_id=client_id, until=work.now, statuses=("COMPLETED",)))
    seen = work.db.scalar(held.with_only_columns(func.max(Appointment.starts_at)))
    last = f"Last seen on {format_moment(seen, zone)}" if seen else f"Not seen{BY_WHOM.get(scope, '')} yet"
    if booking.next_visits:
        upcoming = f"next visit on {format_moment(booking.next_visits[0].starts_at, zone)}"
    elif booking.next_at is not None:
        upcoming = f"booked with another clinician on {format_moment(booking.next_at, zone)}"
    else:
        upcoming = f"nothing is booked{'' if booking.is_known else WITH_WHOM.get(scope, '')}"
    return f"{last}; {upcoming}."


def list_needs(
    work: Work,
    client: ClientView,
    booking: Booking,
    consents_due: Sequence[str],
    chart: Chart | None,
) -> list[Need]:
    """Return what is due for the client, the most pressing first."""
    needs = []
    if client.status == "ACTIVE" and booking.is_known and booking.next_at is None:
        needs.append(Need("rebook", "this_week", "No visit is booked", "Ask the front desk to book the next one.", 1))
    if consents_due:
        title = f"{format_count(len(consents_due), 'consent')} to obtain"
        needs.append(Need("consents", "this_week", title, " ".join(consents_due), len(consents_due)))
    if chart is not None:
        needs += list_chart_needs(work, chart)
    return sort_needs(needs)


def list_chart_needs(work: Work, chart: Chart) -> list[Need]:
    """Return the own drafts to sign, and the plans that are missing or due."""
    needs = []
    drafts = [note for note in chart.notes if note.status == "DRAFT" and note.clinician_id == work.actor.staff_id]
    if drafts:
        title = f"{format_count(len(drafts), 'note')} to sign"
        needs.append(Need("drafts", "today", title, "Open it among the notes, and sign it.", len(drafts)))
    if chart.safety_plan is not None and chart.safety_plan.state in ("missing", "expired"):
        detail = "The client is at high risk, and a safety plan is signed once a year."
        needs.append(Need("safety_plan", "today", f"The safety plan is {chart.safety_plan.state}", detail, 1))
    if chart.plan is not None and chart.plan.state in ("due", "alert", "out_of_compliance", "missing"):
        is_late = chart.plan.state in ("out_of_compliance", "missing")
        by = f"Review it by {chart.plan.review_by:%B} {chart.plan.review_by.day}." if chart.plan.review_by else ""
        title = (
            "There is no treatment plan" if chart.plan.state == "missing" else "The treatment plan is to be reviewed"
        )
        needs.append(Need("plan", "this_week" if is_late else "this_month", title, by or "Begin one.", 1))
    return needs
