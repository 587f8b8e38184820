"""Verbs about templates: the one that a note or report is written by, and setting others, for all or for a service."""

from collections.abc import Collection
from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from sqlalchemy import or_, select

from practice.clinical.documents.rules.templates import USUAL, Place, template_problems
from practice.clinical.models.documents import NoteTemplate
from practice.errors import Invalid, NotFound
from practice.scheduling.models.catalog import Service
from practice.security.work import Work
from practice.store.ids import new_id

Wanted = tuple[str, UUID | None, datetime]  # kind, service, moment


def template_for(
    work: Work, kind: str, service_id: UUID | None = None, at: datetime | None = None
) -> tuple[Place, ...]:
    """The service's own, else the practice's, else the usual one; of each the last set, until now or until a moment."""
    wanted = (kind, service_id, at or work.now)
    return templates_for(work, [wanted])[wanted]


def templates_for(work: Work, wanted: Collection[Wanted]) -> dict[Wanted, tuple[Place, ...]]:
    """The templates of several kinds, services and moments, in one look."""
    row = NoteTemplate
    kinds, services = {kind for kind, _, _ in wanted}, {service for _, service, _ in wanted if service}
    query = select(row.kind, row.service_id, row.set_at, row.sections).where(
        row.tenant_id == work.tenant_id,
        row.kind.in_(kinds),
        or_(row.service_id.is_(None), row.service_id.in_(services)),
    )
    last_first = work.db.execute(query.order_by(row.service_id.is_(None), row.set_at.desc(), row.id.desc())).all()

    def find(kind: str, service_id: UUID | None, at: datetime) -> tuple[Place, ...]:
        for found in last_first:
            if found.kind == kind and found.service_id in (None, service_id) and found.set_at <= at:
                return tuple(Place(**place) for place in found.sections)
        return USUAL[kind]

    return {one: find(*one) for one in wanted}


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


def list_templates(work: Work, kind: str | None = None) -> list[NoteTemplate]:
    """Those that the practice has set, the last first."""
    query = select(NoteTemplate).where(NoteTemplate.tenant_id == work.tenant_id)
    if kind is not None:
        query = query.where(NoteTemplate.kind == kind)
    return list(work.db.scalars(query.order_by(NoteTemplate.set_at.desc(), NoteTemplate.id.desc())))
