"""Documents in a client's chart: add, read, download, void. Their contents are sealed."""

import base64
import hashlib
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import undefer

from practice.errors import Invalid, NotFound, Refusal
from practice.people.access import can_see_client, client_visible
from practice.people.clients import lock_client
from practice.people.models.clients import Document
from practice.people.rules.documents import detect_media_type, file_problems, sanitize_name
from practice.security.permissions import Scope
from practice.security.work import Work
from practice.store.ids import new_id
from practice.store.pages import Page, PageRequest, fetch_page


class DocumentExists(Refusal):
    """The file is already in the chart, possibly under another name.

    Fix: no action is needed.
    """

    code = "DOCUMENT_EXISTS"


def list_documents(
    work: Work, scope: Scope, client_id: UUID, page_request: PageRequest, *, voided: bool = False
) -> Page:
    if not can_see_client(work, scope, client_id):
        raise NotFound
    query = chart = select(Document).where(Document.tenant_id == work.tenant_id, Document.client_id == client_id)
    if not voided or work.actor.client_id is not None:  # clients never see voided documents
        query = query.where(Document.voided_at.is_(None))
    sortable = {"uploaded_at": Document.uploaded_at, "name": Document.name, "id": Document.id}
    work.record("client.read", "client", client_id, part="documents")
    return fetch_page(work.db, query, page_request, sortable, Document.id, "-uploaded_at", lookup=chart)


def add_document(work: Work, scope: Scope, client_id: UUID, name: str, content: bytes) -> Document:
    lock_client(work, scope, client_id)  # so that the second of two concurrent uploads of a file finds the first
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
        name=sanitize_name(name, media_type),
        media_type=media_type,
        size=len(content),
        sha256=digest,
        content=work.seal("documents", "content", document_id, base64.b64encode(content).decode()),
        uploaded_at=work.now,
        uploaded_by=work.actor.account_id,
    )
    work.db.add(document)
    work.record("document.added", "client", client_id, document_id=str(document_id), media_type=media_type)
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
    work.record("document.voided", "client", client_id, document_id=str(document_id), reason=reason)


def build_chart_conditions(work: Work, client_id: UUID) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions for the documents in a client's chart that are not voided."""
    return Document.tenant_id == work.tenant_id, Document.client_id == client_id, Document.voided_at.is_(None)


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
