"""Verbs about incidents and the notices that they call for. What happened is sealed."""

from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, not_, or_, select

from practice.errors import Invalid, NotFound, Refusal, Stale
from practice.people.models.records import Incident, IncidentNotice
from practice.people.practice_time import zone_of
from practice.people.rules import incidents
from practice.people.rules.incidents import MEDIA_FROM
from practice.people.settings import value_on
from practice.security.work import Work
from practice.store.ids import new_id
from practice.store.pages import Page, PageRequest, page_of
from practice.store.records import apply


class AlreadyResponded(Refusal):
    code = "ALREADY_RESPONDED"


class NoticeSent(Refusal):
    code = "NOTICE_SENT"


@dataclass(frozen=True)
class Seen:
    """An incident with the notices that it calls for, and those that were sent."""

    incident: Incident
    notices: list[IncidentNotice]
    summary: str | None = None

    @property
    def status(self) -> str:
        incident = self.incident
        unsent = sum(notice.sent_on is None for notice in self.notices)
        return incidents.status_of(incident.responded_at, incident.people_affected, unsent)


# A notice that a lower number of people made needless stays on record, and counts no more unless it was sent.
CALLED_FOR = or_(
    IncidentNotice.sent_on.is_not(None),
    and_(
        Incident.people_affected > 0,
        or_(IncidentNotice.recipients != "MEDIA", Incident.people_affected >= MEDIA_FROM),
    ),
)


def list_incidents(
    work: Work,
    asked: PageRequest,
    *,
    is_open: bool | None = None,
    first: date | None = None,
    last: date | None = None,
    voided: bool = False,
) -> Page:
    """Detected on local dates from the first to the last. What happened is told of one at a time."""
    query = select(Incident).where(Incident.tenant_id == work.tenant_id)
    if not voided:
        query = query.where(Incident.voided_at.is_(None))
    if first is not None:
        query = query.where(Incident.detected_at >= midnight(work, first))
    if last is not None:
        query = query.where(Incident.detected_at < midnight(work, last + timedelta(days=1)))
    if is_open is not None:
        query = query.where(not_(is_closed()) if is_open else is_closed())
    sortable = {"detected_at": Incident.detected_at, "id": Incident.id}
    page = page_of(work.db, query, asked, sortable, Incident.id, "-detected_at")
    notices = notices_of(work, [incident.id for incident in page.items])
    return replace(page, items=[Seen(incident, notices.get(incident.id, [])) for incident in page.items])


def is_closed() -> ColumnElement[bool]:
    unsent = exists().where(
        IncidentNotice.tenant_id == Incident.tenant_id,
        IncidentNotice.incident_id == Incident.id,
        IncidentNotice.sent_on.is_(None),
        CALLED_FOR,
    )
    return and_(Incident.responded_at.is_not(None), Incident.people_affected.is_not(None), not_(unsent))


def get_incident(work: Work, incident_id: UUID) -> Seen:
    seen = view(work, find_incident(work, incident_id))
    work.record("incident.read", "incident", incident_id)
    return seen


def report_incident(
    work: Work, *, kind: str, detected_at: datetime, summary: str, people_affected: int | None = None
) -> Seen:
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
    make_due(work, incident)
    work.record("incident.reported", "incident", incident_id)
    return view(work, incident)


def change_incident(work: Work, incident_id: UUID, version: int, changes: dict[str, Any]) -> Seen:
    incident = find_incident(work, incident_id, lock=True)
    if incident.version != version:
        raise Stale
    detected_at = changes.get("detected_at", incident.detected_at)
    if problems := incidents.incident_problems(detected_at, incident.responded_at, work.now):
        raise Invalid(problems)
    fields = sorted(changes)
    if "summary" in changes:
        changes["summary"] = work.seal("incidents", "summary", incident_id, changes["summary"])
    apply(incident, changes)
    make_due(work, incident)
    work.record("incident.changed", "incident", incident_id, fields=fields)
    return view(work, incident)


def respond_to_incident(work: Work, incident_id: UUID, responded_at: datetime | None = None) -> Seen:
    incident = find_incident(work, incident_id, lock=True)
    if incident.responded_at is not None:
        raise AlreadyResponded("This incident was responded to already; that moment stays.")
    responded_at = responded_at or work.now
    if problems := incidents.incident_problems(incident.detected_at, responded_at, work.now):
        raise Invalid(problems)
    apply(incident, {"responded_at": responded_at})
    work.record("incident.responded", "incident", incident_id)
    return view(work, incident)


def notice_sent(work: Work, incident_id: UUID, notice_id: UUID, sent_on: date) -> Seen:
    incident = find_incident(work, incident_id, lock=True)
    notice = work.db.get(IncidentNotice, (work.tenant_id, notice_id))
    if notice is None or notice.incident_id != incident_id:
        raise NotFound
    if notice.sent_on is not None:
        raise NoticeSent("This notice is recorded as sent already.")
    zone = zone_of(work)
    if not incident.detected_at.astimezone(zone).date() <= sent_on <= work.now.astimezone(zone).date():
        raise Invalid(["sent_on: choose a date from the detection to today."])
    apply(notice, {"sent_on": sent_on})
    apply(incident, {})
    work.record("incident.notice_sent", "incident", incident_id, recipients=notice.recipients)
    return view(work, incident)


def void_incident(work: Work, incident_id: UUID, reason: str) -> None:
    incident = find_incident(work, incident_id, lock=True)
    work.void(incident, reason)
    work.record("incident.voided", "incident", incident_id, reason=reason)


def make_due(work: Work, incident: Incident) -> None:
    """Its notices as they now are due; what was sent stays as it was."""
    work.db.flush()
    detected_on = incident.detected_at.astimezone(zone_of(work)).date()
    days = value_on(work, "incident_notice_days", detected_on)
    query = select(IncidentNotice).where(
        IncidentNotice.tenant_id == work.tenant_id, IncidentNotice.incident_id == incident.id
    )
    there = {notice.recipients: notice for notice in work.db.scalars(query)}
    for recipients, due_on in incidents.notices_due(incident.people_affected, detected_on, days).items():
        notice = there.get(recipients)
        if notice is None:
            notice = IncidentNotice(
                tenant_id=work.tenant_id, id=new_id(), incident_id=incident.id, recipients=recipients, due_on=due_on
            )
            work.db.add(notice)
        elif notice.sent_on is None and notice.due_on != due_on:
            apply(notice, {"due_on": due_on})


def notices_of(work: Work, incident_ids: list[UUID]) -> dict[UUID, list[IncidentNotice]]:
    """Those called for or sent, by incident."""
    query = select(IncidentNotice).join(
        Incident, and_(Incident.tenant_id == IncidentNotice.tenant_id, Incident.id == IncidentNotice.incident_id)
    )
    query = query.where(IncidentNotice.tenant_id == work.tenant_id, IncidentNotice.incident_id.in_(incident_ids))
    found: dict[UUID, list[IncidentNotice]] = {}
    for notice in work.db.scalars(query.where(CALLED_FOR).order_by(IncidentNotice.due_on, IncidentNotice.recipients)):
        found.setdefault(notice.incident_id, []).append(notice)
    return found


def view(work: Work, incident: Incident) -> Seen:
    work.db.flush()
    notices = notices_of(work, [incident.id]).get(incident.id, [])
    return Seen(incident, notices, work.unseal("incidents", "summary", incident.id, incident.summary))


def find_incident(work: Work, incident_id: UUID, *, lock: bool = False) -> Incident:
    query = select(Incident).where(
        Incident.tenant_id == work.tenant_id, Incident.id == incident_id, Incident.voided_at.is_(None)
    )
    incident = work.db.scalar(query.with_for_update(key_share=True) if lock else query)
    if incident is None:
        raise NotFound
    return incident


def midnight(work: Work, day: date) -> datetime:
    """The first instant with that local date."""
    return datetime.combine(day, time(), zone_of(work))
