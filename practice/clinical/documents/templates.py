"""Templates of notes and reports: the one in force, and setting others for the practice or for a service."""

from collections.abc import Collection
from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from sqlalchemy import or_, select

from practice.clinical.documents.rules.templates import DEFAULT_TEMPLATES, TemplateSection, template_problems
from practice.clinical.models.documents import NoteTemplate
from practice.errors import FieldProblem, Invalid, NotFound
from practice.scheduling.catalog.services import load_service_ids
from practice.security.work import Work
from practice.store.ids import new_id

TemplateKey = tuple[str, UUID | None, datetime]  # kind, service, moment


def find_template(
    work: Work, kind: str, service_id: UUID | None = None, at: datetime | None = None
) -> tuple[TemplateSection, ...]:
    """Return the template of the service, else of the practice, else the default, as last set before `at`."""
    key = (kind, service_id, at or work.now)
    return find_templates(work, [key])[key]


def find_templates(work: Work, keys: Collection[TemplateKey]) -> dict[TemplateKey, tuple[TemplateSection, ...]]:
    """Return several templates by key in one statement."""
    kinds, services = {kind for kind, _, _ in keys}, {service for _, service, _ in keys if service}
    query = select(NoteTemplate.kind, NoteTemplate.service_id, NoteTemplate.set_at, NoteTemplate.sections).where(
        NoteTemplate.tenant_id == work.tenant_id,
        NoteTemplate.kind.in_(kinds),
        or_(NoteTemplate.service_id.is_(None), NoteTemplate.service_id.in_(services)),
    )
    newest_first = work.db.execute(
        query.order_by(NoteTemplate.service_id.is_(None), NoteTemplate.set_at.desc(), NoteTemplate.id.desc())
    ).all()

    def find(kind: str, service_id: UUID | None, at: datetime) -> tuple[TemplateSection, ...]:
        for template in newest_first:
            if template.kind == kind and template.service_id in (None, service_id) and template.set_at <= at:
                return tuple(TemplateSection(**section) for section in template.sections)
        return DEFAULT_TEMPLATES[kind]

    return {key: find(*key) for key in keys}


def set_template(
    work: Work, kind: str, sections: list[TemplateSection], service_code: str | None = None
) -> NoteTemplate:
    """Set a template from now on. Existing documents keep theirs."""
    if kind not in DEFAULT_TEMPLATES:
        raise NotFound
    problems = template_problems(kind, sections)
    service_id = load_service_ids(work, [service_code]).get(service_code) if service_code else None
    if service_code is not None and service_id is None:
        problems.append(FieldProblem("service_code", "There is no such service."))
    if problems:
        raise Invalid(problems)
    template = NoteTemplate(
        tenant_id=work.tenant_id,
        id=new_id(),
        kind=kind,
        service_id=service_id,
        sections=[asdict(section) for section in sections],
        set_at=work.now,
        set_by=work.actor.account_id,
    )
    work.db.add(template)
    work.record("note_template.set", "note_template", template.id, kind=kind, service_code=service_code)
    return template


def list_templates(work: Work, kind: str | None = None) -> list[NoteTemplate]:
    """Return the templates that the practice has set, newest first."""
    query = select(NoteTemplate).where(NoteTemplate.tenant_id == work.tenant_id)
    if kind is not None:
        query = query.where(NoteTemplate.kind == kind)
    return list(work.db.scalars(query.order_by(NoteTemplate.set_at.desc(), NoteTemplate.id.desc())))
