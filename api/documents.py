"""The files of a client's chart."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, UploadFile
from pydantic import BaseModel
from starlette.formparsers import MultiPartParser

from api.context import RequestContext
from api.fields import Why
from api.responses import FileOut, ListQuery, PageOut, page_out, some_of
from api.routing import PermissionRouter
from practice.people import documents
from practice.people.documents import DocumentExists
from practice.people.models.clients import Document
from practice.people.rules.documents import LARGEST

router = PermissionRouter(prefix="/clients/{client_id}/documents", tags=["documents"])

LARGEST_UPLOAD = LARGEST + 64 * 1024  # the form around the file
MultiPartParser.spool_max_size = LARGEST_UPLOAD  # what is sent here is not put down on a disk before it is sealed


class DocumentQuery(ListQuery):
    voided: bool = False


class DocumentOut(BaseModel):
    id: UUID
    client_id: UUID
    name: str
    media_type: str
    size: int
    sha256: str
    uploaded_at: datetime
    uploaded_by: UUID | None
    voided_at: datetime | None
    void_reason: str | None

    @classmethod
    def of(cls, document: Document) -> "DocumentOut":
        plain = {name: getattr(document, name) for name in cls.model_fields}
        return cls(**plain | {"sha256": document.sha256.hex()})


DocumentInList: Any = some_of(DocumentOut)


@router.get("", permission="clients.read")
def list_documents(
    ctx: RequestContext, client_id: UUID, query: Annotated[DocumentQuery, Query()]
) -> PageOut[DocumentInList]:
    """The documents of a client, newest first. Sorts by uploaded_at, name or id."""
    found = documents.list_documents(ctx.work, ctx.scope, client_id, query.asked(), voided=query.voided)
    return page_out(found, DocumentOut)


@router.post(
    "", permission="clients.documents", status_code=201, errors=[DocumentExists], max_body_bytes=LARGEST_UPLOAD
)
def add_document(ctx: RequestContext, client_id: UUID, file: UploadFile) -> DocumentOut:
    """Put a file into the chart: PDF, PNG, JPEG, HEIC, text or Word, up to 10 MiB. Its bytes say what it is."""
    content = file.file.read()
    return DocumentOut.of(documents.add_document(ctx.work, ctx.scope, client_id, file.filename or "", content))


@router.get("/{document_id}", permission="clients.read")
def get_document(ctx: RequestContext, client_id: UUID, document_id: UUID) -> DocumentOut:
    """What is known of a document."""
    return DocumentOut.of(documents.get_document(ctx.work, ctx.scope, client_id, document_id))


@router.get("/{document_id}/content", permission="clients.read")
def get_document_content(ctx: RequestContext, client_id: UUID, document_id: UUID) -> FileOut:
    """The file itself, for saving."""
    document, content = documents.take_out(ctx.work, ctx.scope, client_id, document_id)
    return FileOut(document.name, document.media_type, content)


@router.delete("/{document_id}", permission="clients.documents", status_code=204)
def void_document(ctx: RequestContext, client_id: UUID, document_id: UUID, reason: Annotated[Why, Query()]) -> None:
    """Take a document out of the chart. It stays on record with who, when and why; the reason names nobody."""
    documents.void_document(ctx.work, ctx.scope, client_id, document_id, reason)
