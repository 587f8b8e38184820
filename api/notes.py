"""Routes of clinical notes: lists, drafts, versions, amendments, verification and full-text search."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from api.context import Reason, RequestContext, Version
from api.field_problems import describe_pattern
from api.fields import MULTILINE, PLAIN, Day, Reason1000, Text40, Text20000
from api.names import from_record
from api.note_responses import (
    NoteOut,
    NoteState,
    ReturnOut,
    SignatureOut,
    Status,
    Type,
    VersionOut,
    to_response,
    to_returns,
    to_version,
    view_response,
)
from api.responses import Input, ListQuery, PageOut, VoidIn, partial_model, to_page
from api.routing import PermissionRouter
from practice.clinical.documents.rules.content import MAX_DIAGNOSES, MAX_SECTION_LENGTH, MAX_SECTIONS
from practice.clinical.documents.rules.templates import KEY_HINT
from practice.clinical.errors import (
    CHANGE_ERRORS,
    WRITE_ERRORS,
    NoteIncomplete,
    NoteInReview,
    NoteLocked,
    NoteNotSigned,
    NotYourNote,
)
from practice.clinical.notes import amendments, drafts, entered_in_error, queries, search, verification
from practice.clinical.notes.queries import Filters

router = PermissionRouter(prefix="/notes", tags=["notes"])

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


class ErrorIn(Input):
    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "Written in the wrong client's chart"}]})

    reason: Annotated[Reason1000, Field(description="Why the note was entered in error.")]


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
    in_review: Annotated[
        bool | None, Field(description="Whether the note, or a change of it, waits for the supervisor's co-signature.")
    ] = None
    voided: bool = False


class SearchIn(NoteFilters):
    """Every word must occur as a prefix of a word, ignoring case and accents."""

    query: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=PLAIN)]
    cursor: Annotated[str | None, Field(max_length=500)] = None


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
        to_version(history.note, version, history.signatures, by_client=by_client) for version in history.versions
    ]
    signatures = [from_record(SignatureOut, signature, hash=signature.hash.hex()) for signature in history.signatures]
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


@router.post(
    "/{note_id}/amend",
    permission="notes.write",
    errors=[*CHANGE_ERRORS, NoteNotSigned, NoteIncomplete, NoteInReview],
)
def amend_note(ctx: RequestContext, note_id: UUID, version: Version, body: AmendmentIn) -> NoteOut:
    """Amend a signed note.

    Replaces its content under a new signature. The signed versions stay. An amendment by a supervised clinician waits
    for the supervisor's co-signature; until then the note stays as it was.
    """
    return to_response(ctx, amendments.amend_note(ctx.work, note_id, version, **body.model_dump()))


@router.post("/{note_id}/addendum", permission="notes.write", errors=[*CHANGE_ERRORS, NoteNotSigned, NoteInReview])
def add_addendum(ctx: RequestContext, note_id: UUID, body: AddendumIn) -> NoteOut:
    """Add an addendum to a signed note.

    Signed on its own, and reviewed like an amendment.
    """
    return to_response(ctx, amendments.add_addendum(ctx.work, note_id, body.text, body.reason))


@router.post("/{note_id}/entered-in-error", permission="notes.write", errors=CHANGE_ERRORS)
def mark_note_entered_in_error(ctx: RequestContext, note_id: UUID, body: ErrorIn) -> NoteOut:
    """Mark a note as entered in error.

    It stays readable, with who and why, and no longer counts: its session is unsigned again and can get a new note.
    Pay of a closed week is corrected in the next.
    """
    return to_response(ctx, entered_in_error.mark_entered_in_error(ctx.work, note_id, body.reason))


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
