"""Security incidents and the notices that they require. Summaries are sealed."""

from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, not_, or_, select

from practice.errors import FieldProblem, Invalid, NotFound, Refusal, Stale
from practice.people.models.records import Incident, IncidentNotice
from practice.people.practice_time import zone_of
from practice.people.rules import incidents
from practice.people.rules.incidents import MEDIA_NOTICE_MINIMUM
from practice.people.settings import get_setting_on
from practice.security.work import Work
from practice.store.ids import new_id
from practice.store.pages import Page, PageRequest, fetch_page
from practice.store.records import update_versioned


class AlreadyResponded(Refusal):
    """The response to the incident is already recorded.

    Fix: nothing is left to do; it cannot be changed.
    """

    code = "ALREADY_RESPONDED"


class NoticeSent(Refusal):
    """The notice is already recorded as sent.

    Fix: nothing is left to do; it cannot be changed.
    """

    code = "NOTICE_SENT"


@dataclass(frozen=True)
class IncidentView:
    """An incident with its required and sent notices."""

    incident: Incident
    notices: list[IncidentNotice]
    summary: str | None = None

    @property
    def status(self) -> str:
        incident = self.incident
        unsent = sum(notice.sent_on is None for notice in self.notices)
        return incidents.derive_status(incident.responded_at, incident.people_affected, unsent)


# A notice that is no longer required, because fewer people are affected, stays on record but is ignored unless sent.
RELEVANT_NOTICE = or_(
    IncidentNotice.sent_on.is_not(None),
    and_(
        Incident.people_affected > 0,
        or_(IncidentNotice.recipients != "MEDIA", Incident.people_affected >= MEDIA_NOTICE_MINIMUM),
    ),
)


def list_incidents(
    work: Work,
    page_request: PageRequest,
    *,
    is_open: bool | None = None,
    first: date | None = None,
    last: date | None = None,
    voided: bool = False,
) -> Page:
    """Return incidents detected from the first to the last local date, without their summaries."""
    query = select(Incident).where(Incident.tenant_id == work.tenant_id)
    if not voided:
        query = query.where(Incident.voided_at.is_(None))
    if first is not None:
        query = query.where(Incident.detected_at >= start_of_day(work, first))
    if last is not None:
        query = query.where(Incident.detected_at < start_of_day(work, last + timedelta(days=1)))
    if is_open is not None:
        query = query.where(not_(is_closed()) if is_open else is_closed())
    sortable = {"detected_at": Incident.detected_at, "id": Incident.id}
    page = fetch_page(work.db, query, page_request, sortable, Incident.id, "-detected_at")
    notices = load_notices(work, [incident.id for incident in page.items])
    return replace(page, items=[IncidentView(incident, notices.get(incident.id, [])) for incident in page.items])


def is_closed() -> ColumnElement[bool]:
    """Return the condition that an incident was responded to and every notice was sent."""
    unsent = exists().where(
        IncidentNotice.tenant_id == Incident.tenant_id,
        IncidentNotice.incident_id == Incident.id,
        IncidentNotice.sent_on.is_(None),
        RELEVANT_NOTICE,
    )
    return and_(Incident.responded_at.is_not(None), Incident.people_affected.is_not(None), not_(unsent))


def get_incident(work: Work, incident_id: UUID) -> IncidentView:
    incident = find_incident(work, incident_id)
    work.record("incident.read", "incident", incident_id)
    return view_of(work, incident)


def report_incident(
    work: Work, *, kind: str, detected_at: datetime, summary: str, people_affected: int | None = None
) -> IncidentView:
    if problems := incidents.incident_problems(detected_at, None, work.now):
        raise Invalid(problems)
    incident_id = new_id()
    incident = Incident(
        tenant_id=work.tenant_id,
        id=incident_id,
        kind=kind,
        detected_at=detected_at,
        summary=work.seal("incidents", "summary", incident_id, summary),
        people_affected=people_affected,
        version=1,
    )
    work.db.add(incident)
    schedule_notices(work, incident)
    work.record("incident.reported", "incident", incident_id)
    return view_of(work, incident)


def change_incident(work: Work, incident_id: UUID, version: int, changes: dict[str, Any]) -> IncidentView:
    incident = find_incident(work, incident_id, lock=True)
    if incident.version != version:
        raise Stale
    detected_at = changes.get("detected_at", incident.detected_at)
    if problems := incidents.incident_problems(detected_at, incident.responded_at, work.now):
        raise Invalid(problems)
    fields = sorted(changes)
    if "summary" in changes:
        changes["summary"] = work.seal("incidents", "summary", incident_id, changes["summary"])
    update_versioned(incident, changes)
    schedule_notices(work, incident)
    work.record("incident.changed", "incident", incident_id, fields=fields)
    return view_of(work, incident)


def respond_to_incident(work: Work, incident_id: UUID, responded_at: datetime | None = None) -> IncidentView:
    incident = find_incident(work, incident_id, lock=True)
    if incident.responded_at is not None:
        raise AlreadyResponded("The response to this incident is already recorded and cannot be changed.")
    responded_at = responded_at or work.now
    if problems := incidents.incident_problems(incident.detected_at, responded_at, work.now):
        raise Invalid(problems)
    update_versioned(incident, {"responded_at": responded_at})
    work.record("incident.responded", "incident", incident_id)
    return view_of(work, incident)


def record_notice_sent(work: Work, incident_id: UUID, notice_id: UUID, sent_on: date) -> IncidentView:
    incident = find_incident(work, incident_id, lock=True)
    notice = work.db.get(IncidentNotice, (work.tenant_id, notice_id))
    if notice is None or notice.incident_id != incident_id:
        raise NotFound
    if notice.sent_on is not None:
        raise NoticeSent("This notice is already recorded as sent and cannot be changed.")
    zone = zone_of(work)
    if not incident.detected_at.astimezone(zone).date() <= sent_on <= work.now.astimezone(zone).date():
        raise Invalid([FieldProblem("sent_on", "Choose a date between the detection and today.")])
    update_versioned(notice, {"sent_on": sent_on})
    update_versioned(incident, {})
    work.record("incident.notice_sent", "incident", incident_id, recipients=notice.recipients)
    return view_of(work, incident)


def void_incident(work: Work, incident_id: UUID, reason: str) -> None:
    incident = find_incident(work, incident_id, lock=True)
    work.void(incident, reason)
    work.record("incident.voided", "incident", incident_id, reason=reason)


def schedule_notices(work: Work, incident: Incident) -> None:
    """Add the notices that the incident requires and update due dates of those not sent."""
    work.db.flush()
    detected_on = incident.detected_at.astimezone(zone_of(work)).date()
    days = get_setting_on(work, "incident_notice_days", detected_on)
    query = select(IncidentNotice).where(
        IncidentNotice.tenant_id == work.tenant_id, IncidentNotice.incident_id == incident.id
    )
    existing = {notice.recipients: notice for notice in work.db.scalars(query)}
    for recipients, due_on in incidents.compute_notice_deadlines(incident.people_affected, detected_on, days).items():
        notice = existing.get(recipients)
        if notice is None:
            notice = IncidentNotice(
                tenant_id=work.tenant_id, id=new_id(), incident_id=incident.id, recipients=recipients, due_on=due_on
            )
            work.db.add(notice)
        elif notice.sent_on is None and notice.due_on != due_on:
            update_versioned(notice, {"due_on": due_on})


def load_notices(work: Work, incident_ids: list[UUID]) -> dict[UUID, list[IncidentNotice]]:
    """Return required and sent notices by incident id."""
    query = select(IncidentNotice).join(
        Incident, and_(Incident.tenant_id == IncidentNotice.tenant_id, Incident.id == IncidentNotice.incident_id)
    )
    query = query.where(IncidentNotice.tenant_id == work.tenant_id, IncidentNotice.incident_id.in_(incident_ids))
    notices: dict[UUID, list[IncidentNotice]] = {}
    for notice in work.db.scalars(
        query.where(RELEVANT_NOTICE).order_by(IncidentNotice.due_on, IncidentNotice.recipients)
    ):
        notices.setdefault(notice.incident_id, []).append(notice)
    return notices


def view_of(work: Work, incident: Incident) -> IncidentView:
    """Return the incident with its notices and summary."""
    work.db.flush()
    notices = load_notices(work, [incident.id]).get(incident.id, [])
    return IncidentView(incident, notices, work.unseal("incidents", "summary", incident.id, incident.summary))


def find_incident(work: Work, incident_id: UUID, *, lock: bool = False) -> Incident:
    query = select(Incident).where(
        Incident.tenant_id == work.tenant_id, Incident.id == incident_id, Incident.voided_at.is_(None)
    )
    incident = work.db.scalar(query.with_for_update(key_share=True) if lock else query)
    if incident is None:
        raise NotFound
    return incident


def start_of_day(work: Work, day: date) -> datetime:
    """Return the first instant of a local date."""
    return datetime.combine(day, time(), zone_of(work))
