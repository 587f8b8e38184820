"""Routes of the files of a client's chart."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import File, Form, Query, UploadFile
from pydantic import BaseModel, ConfigDict, Field
from starlette.formparsers import MultiPartParser

from api.context import RequestContext, Version
from api.fields import AccountId, ClientId, RecordId, RecordVersion, VoidedAt, VoidReason, describe
from api.names import ClientName, PersonOf, from_record
from api.responses import FileOut, Input, ListQuery, PageOut, VoidIn, partial_model, to_page
from api.routing import PermissionRouter
from practice.people import documents
from practice.people.documents import DocumentExists
from practice.people.models.clients import Document
from practice.people.rules.documents import MAX_BYTES

router = PermissionRouter(prefix="/clients/{client_id}/documents", tags=["documents"])

MAX_UPLOAD_BYTES = MAX_BYTES + 64 * 1024  # the form around the file
MultiPartParser.spool_max_size = MAX_UPLOAD_BYTES  # an upload stays in memory: it is never on disk unencrypted


KIND = "Clinical documents are closed to the front desk and to billing."
Kind = Literal["CLINICAL", "INSURANCE", "CONSENT", "OTHER"]


class DocumentQuery(ListQuery):
    kind: Annotated[Kind | None, Field(description="Only documents of this kind.")] = None
    voided: Annotated[bool, describe("Also list voided records.")] = False


class DocumentChange(Input):
    model_config = ConfigDict(json_schema_extra={"examples": [{"kind": "INSURANCE"}]})

    kind: Annotated[Kind, Field(description=KIND)]


class DocumentOut(BaseModel):
    id: RecordId
    client_id: ClientId
    client_name: ClientName = None
    kind: Annotated[Kind, describe("What kind of record it is.")]
    name: Annotated[str, describe("The file's name.")]
    media_type: Annotated[str, describe("The media type, found by its content.")]
    size: Annotated[int, describe("Size in bytes.")]
    sha256: Annotated[str, describe("SHA-256 of the content.")]
    uploaded_at: Annotated[datetime, describe("When it was uploaded.")]
    uploaded_by: AccountId | None
    uploaded_by_person: PersonOf = None
    voided_at: VoidedAt | None
    voided_by: AccountId | None
    voided_by_person: PersonOf = None
    void_reason: VoidReason | None
    version: RecordVersion

    @classmethod
    def of(cls, document: Document) -> "DocumentOut":
        return from_record(cls, document, sha256=document.sha256.hex())


DocumentInList: Any = partial_model(DocumentOut)


@router.get("", permission="clients.read")
def list_documents(
    ctx: RequestContext, client_id: UUID, query: Annotated[DocumentQuery, Query()]
) -> PageOut[DocumentInList]:
    """List a client's documents.

    Newest first. Sorts by uploaded_at, name or id. Clinical ones only for those who treat the client, the admins and
    the client.
    """
    page = documents.list_documents(
        ctx.work, ctx.scope, client_id, query.page_request(), kind=query.kind, voided=query.voided
    )
    return to_page(page, DocumentOut)


@router.post(
    "", permission="clients.documents", status_code=201, errors=[DocumentExists], max_body_bytes=MAX_UPLOAD_BYTES
)
def add_document(
    ctx: RequestContext,
    client_id: UUID,
    file: Annotated[UploadFile, File(description="The file, up to 10 MiB.", examples=["letter.pdf"])],
    kind: Annotated[Kind, Form(description=KIND, examples=["CLINICAL"])],
) -> DocumentOut:
    """Add a document.

    PDF, PNG, JPEG, HEIC, text or Word, up to 10 MiB. The type is detected from the content.
    """
    content = file.file.read()
    document = documents.add_document(ctx.work, ctx.scope, client_id, kind, file.filename or "", content)
    return DocumentOut.of(document)


@router.get("/{document_id}", permission="clients.read")
def get_document(ctx: RequestContext, client_id: UUID, document_id: UUID) -> DocumentOut:
    """Get a document's metadata."""
    return DocumentOut.of(documents.get_document(ctx.work, ctx.scope, client_id, document_id))


@router.patch("/{document_id}", permission="clients.documents")
def change_document(
    ctx: RequestContext, client_id: UUID, document_id: UUID, version: Version, body: DocumentChange
) -> DocumentOut:
    """File a document under another kind."""
    return DocumentOut.of(documents.change_kind(ctx.work, ctx.scope, client_id, document_id, version, body.kind))


@router.get("/{document_id}/content", permission="clients.read")
def get_document_content(ctx: RequestContext, client_id: UUID, document_id: UUID) -> FileOut:
    """Download a document."""
    document, content = documents.download_document(ctx.work, ctx.scope, client_id, document_id)
    return FileOut(document.name, document.media_type, content)


@router.delete("/{document_id}", permission="clients.documents", status_code=204)
def void_document(ctx: RequestContext, client_id: UUID, document_id: UUID, body: VoidIn) -> None:
    """Void a document.

    It stays on record with who, when and why. Do not put personal data in `reason`.
    """
    documents.void_document(ctx.work, ctx.scope, client_id, document_id, body.reason)
