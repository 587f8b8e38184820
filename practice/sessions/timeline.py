"""A client's chart as it came about: what happened when, in our words, and none of what was written or said there."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import DateTime, Uuid, column, text

from practice.errors import NotFound
from practice.people.access import is_within, reads_chart_notes
from practice.people.practice_time import zone_of
from practice.security.permissions import Scope, scope_of
from practice.security.work import Work
from practice.store.pages import Page, PageRequest, read_cursor, write_cursor

# Each kind as `at`, `id`, and what its sentence is made of: `what`, `how` and `until`. What counts from a date, stands
# at that day's first instant.
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
    "document": "select uploaded_at, id, media_type, null, null from documents where voided_at is null",
    "status": f"select {DAY.format('effective_on')}, id, null, status, null from client_statuses where true",
    "primary_clinician": f"""
        select {DAY.format("effective_on")}, id, null,
            case when clinician_id is null then 'NONE' else 'CHOSEN' end, null
        from primary_clinicians where true""",
    "intake_form": "select started_at, id, null, status, null from intake_forms where true",
}
CLINICAL = {"note", "treatment_plan", "treatment_plan_review", "progress_report"}
ORDER = (column("at", DateTime(timezone=True)), column("id", Uuid()))


@dataclass(frozen=True)
class Event:
    at: datetime
    kind: str
    id: UUID
    summary: str


def timeline(
    work: Work,
    scope: Scope,
    client_id: UUID,
    asked: PageRequest,
    *,
    since: date | None = None,
    until: date | None = None,
    kinds: Sequence[str] | None = None,
) -> Page:
    """Newest first, from one day to another (both count)."""
    if not is_within(work, scope, client_id):
        raise NotFound
    wanted = [kind for kind in BRANCHES if kinds is None or kind in kinds]
    if not sees_clinical(work, client_id):
        wanted = [kind for kind in wanted if kind not in CLINICAL]
    zone = zone_of(work)
    place = read_cursor(asked.cursor, "-at", ORDER) if asked.cursor else (None, None)
    values = {
        "tenant_id": work.tenant_id,
        "client_id": client_id,
        "zone": zone.key,
        "since": since,
        "until": until,
        "place": place[0],
        "place_id": place[1],
        "limit": asked.limit + 1,
    }
    rows = work.db.execute(text(statement(wanted)), values).all() if wanted else []
    events = [Event(row.at, row.kind, row.id, SENTENCES[row.kind](row, zone)) for row in rows[: asked.limit]]
    more = len(rows) > asked.limit
    work.record("client.read", "client", client_id, part="timeline")
    return Page(events, write_cursor("-at", [events[-1].at, events[-1].id]) if more else None, None)


def sees_clinical(work: Work, client_id: UUID) -> bool:
    """That there are notes and plans, and how far they are; what they say stands elsewhere and asks for more."""
    may = scope_of(work.actor.roles, "notes", "read_with_reason") is not None
    return may or reads_chart_notes(work, client_id)


def statement(kinds: Sequence[str]) -> str:
    """Of each kind no more rows than the page can show, so that a long history costs no more than a short one."""
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
    return " union all ".join(branches) + " order by at desc, id desc limit :limit"


# In our words


def words(value: str) -> str:
    return value.replace("_", " ").lower()


def note(row: Any, _zone: ZoneInfo) -> str:
    kind = words(row.what).capitalize().replace("Soap", "SOAP")
    return f"{kind}: {words(row.how)}"


def appointment(row: Any, zone: ZoneInfo) -> str:
    start, end = row.at.astimezone(zone), datetime.fromisoformat(row.until).astimezone(zone)
    return f"Appointment {row.what}, {start:%Y-%m-%d %H:%M} to {end:%H:%M}: {words(row.how)}"


def coverage(row: Any, zone: ZoneInfo) -> str:
    rank = {"1": "Primary", "2": "Secondary", "3": "Tertiary"}[row.what]
    return f"{rank} coverage begins, {words(row.how)}" + (f", until {row.until}" if row.until else "")


SENTENCES: dict[str, Callable[[Any, ZoneInfo], str]] = {
    "appointment": appointment,
    "coverage": coverage,
    "note": note,
    "treatment_plan": lambda _row, _: "Treatment plan begun",
    "treatment_plan_review": lambda _row, _: "Treatment plan reviewed",
    "progress_report": lambda row, _: f"Progress report: {words(row.how)}",
    "consent": lambda row, _: f"{words(row.what).capitalize()} consent: {words(row.how)}",
    "document": lambda row, _: f"Document added ({row.what})",
    "status": lambda row, _: f"Status: {words(row.how)}",
    "primary_clinician": lambda row, _: "Primary clinician " + ("chosen" if row.how == "CHOSEN" else "taken off"),
    "intake_form": lambda row, _: f"Intake form: {words(row.how)}",
}
