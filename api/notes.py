"""Routes of clinical notes: lists, drafts, versions, amendments, verification and full-text search."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field, StringConstraints

from api.context import Reason, RequestContext, Version
from api.field_problems import describe_pattern
from api.fields import MULTILINE, PLAIN, Day, Reason1000, Text40, Text20000
from api.responses import Input, ListQuery, PageOut, VoidIn, partial_model, to_page
from api.routing import PermissionRouter
from practice.clinical.documents.rules.content import MAX_DIAGNOSES, MAX_SECTION_LENGTH, MAX_SECTIONS, Content
from practice.clinical.documents.rules.templates import KEY_HINT
from practice.clinical.errors import CHANGE_ERRORS, WRITE_ERRORS, NoteIncomplete, NoteLocked, NoteNotSigned, NotYourNote
from practice.clinical.models.notes import Note
from practice.clinical.notes import amendments, drafts, queries, search, verification
from practice.clinical.notes.queries import Filters, NoteView

router = PermissionRouter(prefix="/notes", tags=["notes"])

Type = Literal[
    "SOAP_NOTE",
    "PROGRESS_NOTE",
    "INTAKE_ASSESSMENT",
    "PSYCHIATRIC_EVALUATION",
    "TREATMENT_PLAN",
    "SAFETY_PLAN",
    "DISCHARGE_SUMMARY",
    "CRISIS_INTERVENTION",
]
Status = Literal["DRAFT", "IN_REVIEW", "SIGNED", "AMENDED"]
Key = Annotated[str, StringConstraints(pattern=describe_pattern(r"^[a-z][a-z0-9_]{0,39}$", KEY_HINT))]
SectionText = Annotated[str, StringConstraints(max_length=MAX_SECTION_LENGTH, pattern=MULTILINE)]


class ContentIn(Input):
    """Sections by their keys in the template; omitted ones are empty."""

    sections: Annotated[dict[Key, SectionText], Field(max_length=MAX_SECTIONS)]
    diagnoses: Annotated[list[Text40], Field(max_length=MAX_DIAGNOSES)] = Field(default_factory=list)


class NoteIn(ContentIn):
    client_id: UUID
    type: Type
    appointment_id: UUID | None = None


class AmendmentIn(ContentIn):
    reason: Reason1000


class AddendumIn(Input):
    text: Text20000
    reason: Reason1000


class NoteFilters(Input):
    """Local days on which a note was begun, both inclusive."""

    client_id: UUID | None = None
    type: Type | None = None
    since: Annotated[Day | None, Field(alias="from")] = None
    until: Annotated[Day | None, Field(alias="to")] = None


class NoteQuery(ListQuery, NoteFilters):
    status: Status | None = None
    clinician_id: UUID | None = None
    appointment_id: UUID | None = None
    voided: bool = False


class SearchIn(NoteFilters):
    """Every word must occur as a prefix of a word, ignoring case and accents."""

    query: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=PLAIN)]
    cursor: Annotated[str | None, Field(max_length=500)] = None


class NoteState(BaseModel):
    """The state of a note, without its content."""

    id: UUID
    client_id: UUID
    clinician_id: UUID
    appointment_id: UUID | None
    type: Type
    status: Status
    created_at: datetime
    submitted_at: datetime | None
    returned_at: datetime | None
    signed_at: datetime | None
    signed_by_id: UUID | None
    shared_at: datetime | None
    voided_at: datetime | None
    void_reason: str | None
    version: int

    @classmethod
    def of(cls, note: Note) -> "NoteState":
        return NoteState(**{name: getattr(note, name) for name in NoteState.model_fields})


class SectionOut(BaseModel):
    key: str
    title: str
    text: str


class AddendumOut(BaseModel):
    number: int
    text: str
    reason: str | None
    written_at: datetime
    written_by_id: UUID | None


class ReturnOut(BaseModel):
    at: datetime
    by_id: UUID
    reason: str


class NoteOut(NoteState):
    """`generated`: a model wrote the current version. It stays a draft until a person signs it."""

    sections: list[SectionOut]
    diagnoses: list[str]
    generated: bool
    addenda: list[AddendumOut]
    review_returns: list[ReturnOut]


class VersionOut(BaseModel):
    number: int
    kind: Literal["CONTENT", "AMENDMENT", "ADDENDUM"]
    sections: list[SectionOut]
    diagnoses: list[str]
    reason: str | None
    generated: bool
    written_at: datetime
    written_by_id: UUID | None


class SignatureOut(BaseModel):
    number: int
    version_number: int
    kind: Literal["AUTHOR", "CO_SIGNATURE", "AMENDMENT", "ADDENDUM"]
    signed_at: datetime
    signed_by_id: UUID
    hash: str


class HistoryOut(BaseModel):
    note: NoteState
    versions: list[VersionOut]
    signatures: list[SignatureOut]
    review_returns: list[ReturnOut]


class ProblemOut(BaseModel):
    where: str
    message: str


class VerificationOut(BaseModel):
    """`has_imported_signature`: it was signed before its import, and that signature cannot be verified."""

    note_id: UUID
    intact: bool
    versions: int
    signatures: int
    has_imported_signature: bool
    problems: list[ProblemOut]


class NoteMatchOut(BaseModel):
    note: NoteState
    snippet: str


class NoteSearchOut(BaseModel):
    """The number of notes scanned, newest first. With a cursor there are more to scan."""

    items: list[NoteMatchOut]
    scanned_count: int
    next_cursor: str | None


NoteInList: Any = partial_model(NoteState)


def to_sections(content: Content) -> list[SectionOut]:
    return [SectionOut(key=section.key, title=section.title, text=section.text) for section in content.sections]


def to_returns(returns: Sequence[Any]) -> list[ReturnOut]:
    return [ReturnOut(at=item.at, by_id=UUID(item.by_id), reason=item.reason) for item in returns]


def view_response(view: NoteView, *, by_client: bool = False) -> NoteOut:
    """Return a note as read. A client does not see reasons of returns and addenda."""
    addenda = [
        AddendumOut(
            number=addendum.number,
            text=addendum.content.sections[0].text,
            reason=None if by_client else addendum.reason,
            written_at=addendum.written_at,
            written_by_id=addendum.written_by_id,
        )
        for addendum in view.addenda
    ]
    return NoteOut(
        **NoteState.of(view.note).model_dump(),
        sections=to_sections(view.base.content),
        diagnoses=list(view.base.content.diagnoses),
        generated=view.base.generated,
        addenda=addenda,
        review_returns=[] if by_client else to_returns(view.returns),
    )


def to_response(ctx: RequestContext, note: Note) -> NoteOut:
    """Return a note to the caller who has just changed it."""
    return view_response(queries.load_note_view(ctx.work, note))


def to_filters(query: Any) -> Filters:
    """Return the filters of a list or search."""
    return Filters(**{name: getattr(query, name) for name in Filters._fields if hasattr(query, name)})


@router.get("", permission="notes.read")
def list_notes(ctx: RequestContext, query: Annotated[NoteQuery, Query()], reason: Reason = None) -> PageOut[NoteInList]:
    """List notes.

    Without their content, newest first. Sorts by created_at or id. An admin states a reason in X-Reason, which goes
    into the audit log.
    """
    page = queries.list_notes(
        ctx.work, ctx.scope, query.page_request(), to_filters(query), voided=query.voided, reason=reason
    )
    return to_page(page, NoteState)


@router.post("", permission="notes.write", status_code=201, errors=[NoteLocked, NotYourNote])
def create_note(ctx: RequestContext, body: NoteIn) -> NoteOut:
    """Create a note.

    A draft about one of your clients, for a session that has begun or without one.
    """
    return to_response(ctx, drafts.create_note(ctx.work, ctx.scope, **body.model_dump()))


@router.post("/search", permission="notes.read")
def search_notes(ctx: RequestContext, body: SearchIn, reason: Reason = None) -> NoteSearchOut:
    """Search notes.

    Looks for words in the notes you may read. The query is not stored. An admin states a reason in X-Reason, which
    goes into the audit log.
    """
    result = search.search_notes(ctx.work, ctx.scope, body.query, to_filters(body), cursor=body.cursor, reason=reason)
    items = [NoteMatchOut(note=NoteState.of(match.note), snippet=match.snippet) for match in result.items]
    return NoteSearchOut(items=items, scanned_count=result.scanned_count, next_cursor=result.next_cursor)


@router.get("/{note_id}", permission="notes.read")
def get_note(ctx: RequestContext, note_id: UUID, reason: Reason = None) -> NoteOut:
    """Get a note.

    An admin states a reason in X-Reason, which goes into the audit log.
    """
    view = queries.read_note(ctx.work, ctx.scope, note_id, reason)
    return view_response(view, by_client=ctx.actor.client_id is not None)


@router.put("/{note_id}", permission="notes.write", errors=WRITE_ERRORS)
def save_note(ctx: RequestContext, note_id: UUID, version: Version, body: ContentIn) -> NoteOut:
    """Save a draft note.

    Replaces its content as a new version; earlier versions stay.
    """
    return to_response(ctx, drafts.save_note(ctx.work, note_id, version, **body.model_dump()))


@router.delete("/{note_id}", permission="notes.write", status_code=204, errors=WRITE_ERRORS)
def void_note(ctx: RequestContext, note_id: UUID, body: VoidIn) -> None:
    """Void a draft note.

    Only if it was never submitted or signed. It stays on record with who, when and why. Do not put personal data in
    `reason`.
    """
    drafts.void_note(ctx.work, note_id, body.reason)


@router.get("/{note_id}/history", permission="notes.read")
def get_note_history(ctx: RequestContext, note_id: UUID, reason: Reason = None) -> HistoryOut:
    """Get the history of a note.

    All versions with their content, the signatures, and the returns from review. An admin states a reason in X-Reason,
    which goes into the audit log.
    """
    history = queries.read_history(ctx.work, ctx.scope, note_id, reason)
    by_client = ctx.actor.client_id is not None
    versions = [
        VersionOut(
            **{name: getattr(version, name) for name in ("number", "kind", "generated", "written_at", "written_by_id")},
            sections=to_sections(version.content),
            diagnoses=list(version.content.diagnoses),
            reason=None if by_client else version.reason,
        )
        for version in history.versions
    ]
    signatures = [
        SignatureOut(
            **{name: getattr(signature, name) for name in SignatureOut.model_fields if name != "hash"},
            hash=signature.hash.hex(),
        )
        for signature in history.signatures
    ]
    return HistoryOut(
        note=NoteState.of(history.note),
        versions=versions,
        signatures=signatures,
        review_returns=to_returns(history.returns),
    )


@router.get("/{note_id}/verification", permission="notes.read")
def verify_note(ctx: RequestContext, note_id: UUID, reason: Reason = None) -> VerificationOut:
    """Verify a note.

    Checks that the note and its signatures are what was written and signed; lists what is wrong and where. An admin
    states a reason in X-Reason, which goes into the audit log.
    """
    verdict = verification.verify_note(ctx.work, ctx.scope, note_id, reason)
    return VerificationOut(
        note_id=note_id,
        intact=not verdict.problems,
        versions=verdict.version_count,
        signatures=verdict.signature_count,
        has_imported_signature=verdict.has_imported_signature,
        problems=[ProblemOut(where=problem.where, message=problem.message) for problem in verdict.problems],
    )


@router.post("/{note_id}/amend", permission="notes.write", errors=[*CHANGE_ERRORS, NoteNotSigned, NoteIncomplete])
def amend_note(ctx: RequestContext, note_id: UUID, version: Version, body: AmendmentIn) -> NoteOut:
    """Amend a signed note.

    Replaces its content under a new signature. The signed versions stay.
    """
    return to_response(ctx, amendments.amend_note(ctx.work, note_id, version, **body.model_dump()))


@router.post("/{note_id}/addendum", permission="notes.write", errors=[*CHANGE_ERRORS, NoteNotSigned])
def add_addendum(ctx: RequestContext, note_id: UUID, body: AddendumIn) -> NoteOut:
    """Add an addendum to a signed note.

    Signed on its own.
    """
    return to_response(ctx, amendments.add_addendum(ctx.work, note_id, body.text, body.reason))


@router.post("/{note_id}/share", permission="notes.write", errors=[*CHANGE_ERRORS, NoteNotSigned])
def share_note(ctx: RequestContext, note_id: UUID) -> NoteOut:
    """Share a signed note with the client.

    The client can read it in the portal.
    """
    return to_response(ctx, drafts.share_note(ctx.work, note_id))


@router.post("/{note_id}/unshare", permission="notes.write", errors=CHANGE_ERRORS)
def unshare_note(ctx: RequestContext, note_id: UUID) -> NoteOut:
    """Stop sharing a note with the client."""
    return to_response(ctx, drafts.unshare_note(ctx.work, note_id))
