"""The timeline of a client's chart: events with fixed summaries that never contain clinical or personal text."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import DateTime, Uuid, column, text

from practice.errors import NotFound
from practice.people.access import can_read_chart_notes, can_see_client
from practice.people.documents import can_see_clinical_documents
from practice.people.practice_time import zone_of
from practice.security.permissions import Scope, find_scope
from practice.security.work import Work
from practice.store.pages import Page, PageRequest, decode_cursor, encode_cursor

# Each kind selects `at`, `id`, and the values of its summary: `what`, `how` and `until`. A record with only a date is
# placed at the first instant of that day.
DAY = "(cast({} as timestamp) at time zone :zone)"
BRANCHES = {
    "appointment": "select starts_at, id, reference, status, cast(ends_at as text) from appointments where true",
    "note": "select created_at, id, type, status, null from notes where voided_at is null",
    "treatment_plan": f"""
        select {DAY.format("starts_on")}, id, null, null, null from treatment_plans where voided_at is null""",
    "treatment_plan_review": f"""
        select {DAY.format("reviewed_on")}, id, null, null, null from treatment_plan_reviews
        where voided_at is null""",
    "progress_report": f"""
        select {DAY.format("reported_on")}, id, null, status, null from progress_reports where voided_at is null""",
    "consent": """
        select signed_at, id, kind, case when revoked_at is null then 'SIGNED' else 'REVOKED' end, null
        from consents where voided_at is null""",
    "coverage": f"""
        select {DAY.format("effective_on")}, id, cast(rank as text),
            case when verified_at is null then 'UNVERIFIED' else 'VERIFIED' end, cast(ends_on as text)
        from coverages where voided_at is null""",
    "document": """
        select uploaded_at, id, media_type, null, null from documents
        where voided_at is null and (kind <> 'CLINICAL' or :clinical_documents)""",
    "status": f"""
        select {DAY.format("effective_on")}, id, null, status, null from client_statuses as s
        where not exists (
            select from client_statuses as n
            where n.tenant_id = s.tenant_id and n.client_id = s.client_id
                and n.effective_on <= s.effective_on and (n.set_at, n.id) > (s.set_at, s.id)
        )""",
    "primary_clinician": f"""
        select {DAY.format("effective_on")}, id, null,
            case when clinician_id is null then 'NONE' else 'CHOSEN' end, null
        from primary_clinicians where true""",
    "intake_form": """
        select started_at, id, case when treatment_declined then 'DECLINED' end, status, null
        from intake_forms where true""",
}
CLINICAL = {"note", "treatment_plan", "treatment_plan_review", "progress_report"}
ORDER = (column("at", DateTime(timezone=True)), column("id", Uuid()))


@dataclass(frozen=True)
class Event:
    """An event of a client's chart."""

    at: datetime
    kind: str
    id: UUID
    summary: str


def load_timeline(
    work: Work,
    scope: Scope,
    client_id: UUID,
    page_request: PageRequest,
    *,
    since: date | None = None,
    until: date | None = None,
    kinds: Sequence[str] | None = None,
) -> Page:
    """Return a page of the client's events between two days (inclusive), newest first."""
    if not can_see_client(work, scope, client_id):
        raise NotFound
    kinds = [kind for kind in BRANCHES if kinds is None or kind in kinds]
    if not can_see_clinical(work, client_id):
        kinds = [kind for kind in kinds if kind not in CLINICAL]
    zone = zone_of(work)
    position = decode_cursor(page_request.cursor, "-at", ORDER) if page_request.cursor else (None, None)
    parameters = {
        "tenant_id": work.tenant_id,
        "client_id": client_id,
        "zone": zone.key,
        "since": since,
        "until": until,
        "place": position[0],
        "place_id": position[1],
        "limit": page_request.limit + 1,
        "clinical_documents": can_see_clinical_documents(work, client_id),
    }
    rows = work.db.execute(text(build_statement(kinds)), parameters).all() if kinds else []
    events = [Event(row.at, row.kind, row.id, SUMMARIES[row.kind](row, zone)) for row in rows[: page_request.limit]]
    has_next_page = len(rows) > page_request.limit
    next_cursor = encode_cursor("-at", [events[-1].at, events[-1].id]) if has_next_page else None
    work.record("client.read", "client", client_id, part="timeline")
    return Page(events, next_cursor, None)


def can_see_clinical(work: Work, client_id: UUID) -> bool:
    """Return whether the caller may know that notes and plans exist, and their status. Their text requires more."""
    can_read_with_reason = find_scope(work.actor.roles, "notes", "read_with_reason") is not None
    return can_read_with_reason or can_read_chart_notes(work, client_id)


def build_statement(kinds: Sequence[str]) -> str:
    """Return a SQL statement that reads at most one page of each kind, so that a long history costs no more."""
    branches = [
        f"""(
            select '{kind}' as kind, b.* from (
                {BRANCHES[kind]} and tenant_id = :tenant_id and client_id = :client_id
            ) as b (at, id, what, how, until)
            where (cast(:since as date) is null or at >= {DAY.format("cast(:since as date)")})
                and (cast(:until as date) is null or at < {DAY.format("cast(:until as date) + 1")})
                and (cast(:place as timestamptz) is null
                    or (at, id) < (cast(:place as timestamptz), cast(:place_id as uuid)))
            order by at desc, id desc limit :limit
        )"""
        for kind in kinds
    ]
    return f"select * from ({' union all '.join(branches)}) as events order by at desc, id desc limit :limit"


# Summaries


def humanize(value: str) -> str:
    return value.replace("_", " ").lower()


def describe_note(row: Any, _zone: ZoneInfo) -> str:
    kind = humanize(row.what).capitalize().replace("Soap", "SOAP")
    return f"{kind}: {humanize(row.how)}"


def describe_appointment(row: Any, zone: ZoneInfo) -> str:
    start, end = row.at.astimezone(zone), datetime.fromisoformat(row.until).astimezone(zone)
    return f"Appointment {row.what}, {start:%Y-%m-%d %H:%M} to {end:%H:%M}: {humanize(row.how)}"


def describe_coverage(row: Any, zone: ZoneInfo) -> str:
    rank = {"1": "Primary", "2": "Secondary", "3": "Tertiary"}[row.what]
    return f"{rank} coverage begins, {humanize(row.how)}" + (f", until {row.until}" if row.until else "")


SUMMARIES: dict[str, Callable[[Any, ZoneInfo], str]] = {
    "appointment": describe_appointment,
    "coverage": describe_coverage,
    "note": describe_note,
    "treatment_plan": lambda _row, _: "Treatment plan started",
    "treatment_plan_review": lambda _row, _: "Treatment plan reviewed",
    "progress_report": lambda row, _: f"Progress report: {humanize(row.how)}",
    "consent": lambda row, _: f"{humanize(row.what).capitalize()} consent: {humanize(row.how)}",
    "document": lambda row, _: f"Document added ({row.what})",
    "status": lambda row, _: f"Status: {humanize(row.how)}",
    "primary_clinician": lambda row, _: "Primary clinician " + ("assigned" if row.how == "CHOSEN" else "removed"),
    "intake_form": lambda row, _: f"Intake form: {humanize(row.how)}" + (", treatment declined" if row.what else ""),
}
