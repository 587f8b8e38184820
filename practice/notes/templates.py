"""Verbs about templates: the one that a note or report is written by, and setting others, for all or for a service."""

from dataclasses import asdict
from uuid import UUID

from sqlalchemy import or_, select

from practice.notes.models import NoteTemplate
from practice.notes.template_rules import USUAL, Place, template_problems
from practice.people.service import Invalid, NotFound
from practice.scheduling.models import Service
from practice.security.work import Work
from practice.store.ids import new_id


def template_for(work: Work, kind: str, service_id: UUID | None = None) -> tuple[Place, ...]:
    """The service's own, else the practice's, else the usual one; of each the last set."""
    row = NoteTemplate
    whose = (
        row.service_id.is_(None) if service_id is None else or_(row.service_id == service_id, row.service_id.is_(None))
    )
    query = select(row.sections).where(row.tenant_id == work.tenant_id, row.kind == kind, whose)
    found = work.db.scalar(query.order_by(row.service_id.is_(None), row.set_at.desc(), row.id.desc()).limit(1))
    return USUAL[kind] if found is None else tuple(Place(**place) for place in found)


def set_template(work: Work, kind: str, places: list[Place], service_id: UUID | None = None) -> NoteTemplate:
    """From now on. What was written by another template stays as it was written."""
    if kind not in USUAL:
        raise NotFound
    problems = template_problems(kind, places)
    if service_id is not None and work.db.get(Service, (work.tenant_id, service_id)) is None:
        problems.append("service_id: there is no such service.")
    if problems:
        raise Invalid(problems)
    template = NoteTemplate(
        tenant_id=work.tenant_id,
        id=new_id(),
        kind=kind,
        service_id=service_id,
        sections=[asdict(place) for place in places],
        set_at=work.now,
        set_by=work.actor.account_id,
    )
    work.db.add(template)
    work.record("note_template.set", "note_template", template.id, kind=kind, service_id=service_id and str(service_id))
    return template
