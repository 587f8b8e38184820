"""Documents in a client's chart: add, read, download, file under another kind, void. Their contents are sealed.

Clinical documents exist only for those whose roles permit them for this client.
"""

import base64
import hashlib
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import undefer

from practice.errors import Invalid, NotFound, Refusal, Stale
from practice.people.access import can_see_client, client_visible
from practice.people.clients import lock_client
from practice.people.models.clients import Document
from practice.people.rules.documents import detect_media_type, file_problems, sanitize_name
from practice.security.permissions import Forbidden, Scope, find_scope
from practice.security.work import Work
from practice.store.ids import new_id
from practice.store.pages import Page, PageRequest, fetch_page
from practice.store.records import update_versioned

CLINICAL = "CLINICAL"


class DocumentExists(Refusal):
    """The file is already in the chart, possibly under another name.

    Fix: no action is needed.
    """

    code = "DOCUMENT_EXISTS"


def list_documents(
    work: Work,
    scope: Scope,
    client_id: UUID,
    page_request: PageRequest,
    *,
    kind: str | None = None,
    voided: bool = False,
) -> Page:
    if not can_see_client(work, scope, client_id):
        raise NotFound
    query = chart = select(Document).where(
        Document.tenant_id == work.tenant_id, Document.client_id == client_id, is_open_to_actor(work)
    )
    if kind is not None:
        query = query.where(Document.kind == kind)
    if not voided or work.actor.client_id is not None:  # clients never see voided documents
        query = query.where(Document.voided_at.is_(None))
    sortable = {"uploaded_at": Document.uploaded_at, "name": Document.name, "id": Document.id}
    work.record("client.read", "client", client_id, part="documents")
    return fetch_page(work.db, query, page_request, sortable, Document.id, "-uploaded_at", lookup=chart)


def add_document(work: Work, scope: Scope, client_id: UUID, kind: str, name: str, content: bytes) -> Document:
    lock_client(work, scope, client_id)  # so that the second of two concurrent uploads of a file finds the first
    refuse_clinical(work, client_id, kind)
    media_type = detect_media_type(content)
    problems = file_problems(content, media_type)
    if problems or media_type is None:
        raise Invalid(problems)
    digest = hashlib.sha256(content).digest()
    if work.db.scalar(select(Document.id).where(*build_chart_conditions(work, client_id), Document.sha256 == digest)):
        raise DocumentExists("This file is already in the chart, possibly under another name. Nothing was added.")
    document_id = new_id()
    document = Document(
        tenant_id=work.tenant_id,
        id=document_id,
        client_id=client_id,
        kind=kind,
        name=sanitize_name(name, media_type),
        media_type=media_type,
        size=len(content),
        sha256=digest,
        content=work.seal("documents", "content", document_id, base64.b64encode(content).decode()),
        uploaded_at=work.now,
        uploaded_by=work.actor.account_id,
        version=1,
    )
    work.db.add(document)
    work.record("document.added", "client", client_id, document_id=str(document_id), kind=kind, media_type=media_type)
    return document


def change_kind(work: Work, scope: Scope, client_id: UUID, document_id: UUID, version: int, kind: str) -> Document:
    """File a document under another kind."""
    document = find_document(work, scope, client_id, document_id, lock=True)
    if document.version != version:
        raise Stale
    refuse_clinical(work, client_id, kind)
    update_versioned(document, {"kind": kind})
    work.record("document.changed", "client", client_id, document_id=str(document_id), kind=kind)
    return document


def get_document(work: Work, scope: Scope, client_id: UUID, document_id: UUID) -> Document:
    document = find_document(work, scope, client_id, document_id)
    work.record("document.read", "client", client_id, document_id=str(document_id))
    return document


def download_document(work: Work, scope: Scope, client_id: UUID, document_id: UUID) -> tuple[Document, bytes]:
    """Return a document and its content."""
    document = find_document(work, scope, client_id, document_id, with_content=True)
    encoded = work.unseal("documents", "content", document_id, document.content)
    work.record("document.downloaded", "client", client_id, document_id=str(document_id))
    return document, base64.b64decode(encoded or "")


def void_document(work: Work, scope: Scope, client_id: UUID, document_id: UUID, reason: str) -> None:
    document = find_document(work, scope, client_id, document_id, lock=True)
    work.void(document, reason)
    work.record("document.voided", "client", client_id, document_id=str(document_id))


def is_open_to_actor(work: Work) -> ColumnElement[bool]:
    """Return the condition for documents whose kind the actor may see, also with several roles of different scopes."""
    scope = find_scope(work.actor.roles, "clients", "clinical_documents")
    is_other = Document.kind != CLINICAL
    return is_other if scope is None else or_(is_other, client_visible(work, scope, Document.client_id))


def can_see_clinical_documents(work: Work, client_id: UUID) -> bool:
    scope = find_scope(work.actor.roles, "clients", "clinical_documents")
    return scope is not None and can_see_client(work, scope, client_id)


def refuse_clinical(work: Work, client_id: UUID, kind: str) -> None:
    """Raise Forbidden if the kind is clinical and closed to the actor."""
    if kind == CLINICAL and not can_see_clinical_documents(work, client_id):
        raise Forbidden("Your roles do not permit clinical documents. Choose another kind, or ask the clinician.")


def build_chart_conditions(work: Work, client_id: UUID) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions for the documents in a client's chart that the actor can see and that are not voided."""
    chart = (Document.tenant_id == work.tenant_id, Document.client_id == client_id, Document.voided_at.is_(None))
    return *chart, is_open_to_actor(work)


def find_document(
    work: Work,
    scope: Scope,
    client_id: UUID,
    document_id: UUID,
    *,
    with_content: bool = False,
    lock: bool = False,
) -> Document:
    query = select(Document).where(*build_chart_conditions(work, client_id), Document.id == document_id)
    query = query.where(client_visible(work, scope, Document.client_id))
    if with_content:
        query = query.options(undefer(Document.content))
    document = work.db.scalar(query.with_for_update() if lock else query)
    if document is None:
        raise NotFound
    return document
