"""Routes of clinical notes: lists, drafts, versions, amendments, verification and full-text search."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from api.context import Reason, RequestContext, Version
from api.field_problems import describe_pattern
from api.fields import EXAMPLE_ID, MULTILINE, PLAIN, Day, NoteId, Reason1000, Text40, Text20000, describe, example
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

    model_config = example(sections={"subjective": "Slept better.", "plan": "Weekly sessions."}, diagnoses=["F51.01"])

    sections: Annotated[
        dict[Key, SectionText],
        Field(max_length=MAX_SECTIONS),
        describe("The text by the keys of the template's sections."),
    ]
    diagnoses: Annotated[
        list[Text40], Field(max_length=MAX_DIAGNOSES), describe("ICD-10 codes, the main one first.")
    ] = Field(default_factory=list)


class NoteIn(ContentIn):
    model_config = example(client_id=EXAMPLE_ID, type="SOAP_NOTE", sections={"subjective": "Slept better."})

    client_id: Annotated[UUID, describe("Whom it is about.")]
    type: Annotated[Type, describe("The type of note.")]
    appointment_id: Annotated[UUID | None, describe("The session that it is about.")] = None


class AmendmentIn(ContentIn):
    model_config = example(sections={"subjective": "Slept worse."}, reason="A slip of the pen")

    reason: Annotated[Reason1000, describe("Why the note is amended.")]


class AddendumIn(Input):
    model_config = example(text="The lab called: values are normal.", reason="Arrived later")

    text: Annotated[Text20000, describe("What is added.")]
    reason: Annotated[Reason1000, describe("Why it is added.")]


class ErrorIn(Input):
    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "Written in the wrong client's chart"}]})

    reason: Annotated[Reason1000, Field(description="Why the note was entered in error.")]


class NoteFilters(Input):
    """Local days on which a note was begun, both inclusive."""

    client_id: Annotated[UUID | None, describe("Only of this client.")] = None
    type: Annotated[Type | None, describe("Only of this type.")] = None
    since: Annotated[Day | None, Field(alias="from"), describe("Begun on this local day or later.")] = None
    until: Annotated[Day | None, Field(alias="to"), describe("Begun on this local day or earlier.")] = None


class NoteQuery(ListQuery, NoteFilters):
    status: Annotated[Status | None, describe("Only with this status.")] = None
    clinician_id: Annotated[UUID | None, describe("Only by this author.")] = None
    appointment_id: Annotated[UUID | None, describe("Only about this session.")] = None
    in_review: Annotated[
        bool | None,
        Field(
            description="Whether the note, or a change of it, waits for the supervisor's co-signature, as far as you "
            "may know it: of your own notes, those of your team, or as an admin."
        ),
    ] = None
    voided: Annotated[bool, describe("Also list voided records.")] = False


class NoteSearchIn(NoteFilters):
    """Every word must occur as a prefix of a word, ignoring case and accents."""

    model_config = example(**{"query": "sleep", "from": "2026-01-01"})

    query: Annotated[
        str,
        StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=PLAIN),
        describe("Words that must all occur, each as the beginning of a word."),
    ]
    cursor: Annotated[str | None, Field(max_length=500), describe("The `next_cursor` of the page before.")] = None


class NoteHistoryOut(BaseModel):
    note: Annotated[NoteState, describe("The note, without its content.")]
    versions: Annotated[list[VersionOut], describe("All versions, oldest first.")]
    signatures: Annotated[list[SignatureOut], describe("All signatures, oldest first.")]
    review_returns: Annotated[list[ReturnOut], describe("Returns from review, oldest first.")]


class NoteProblemOut(BaseModel):
    where: Annotated[str, describe("Which part does not match.")]
    message: Annotated[str, describe("What does not match.")]


class VerificationOut(BaseModel):
    """`has_imported_signature`: it was signed before its import, and that signature cannot be verified."""

    note_id: NoteId
    intact: Annotated[bool, describe("Whether nothing was altered.")]
    versions: Annotated[int, describe("The number of versions checked that you may see.")]
    signatures: Annotated[int, describe("The number of signatures checked that you may see.")]
    has_imported_signature: Annotated[bool, describe("It was signed before its import, which cannot be verified.")]
    problems: Annotated[list[NoteProblemOut], describe("What is wrong; empty if nothing.")]


class NoteMatchOut(BaseModel):
    note: Annotated[NoteState, describe("The note, without its content.")]
    snippet: Annotated[str, describe("The text around the first match.")]


class NoteSearchOut(BaseModel):
    """The number of notes scanned, newest first. With a cursor there are more to scan."""

    items: Annotated[list[NoteMatchOut], describe("The matches, newest first.")]
    scanned_count: Annotated[int, describe("The number of notes scanned in this call.")]
    next_cursor: Annotated[str | None, describe("Send it as `cursor` for the next page; null on the last page.")]


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
    return to_page(page, NoteState, queries.find_authors_with_drafts(ctx.work, ctx.scope, page.items))


@router.post("", permission="notes.write", status_code=201, errors=[NoteLocked, NotYourNote])
def create_note(ctx: RequestContext, body: NoteIn) -> NoteOut:
    """Create a note.

    A draft about one of your clients, for a session that has begun or without one.
    """
    return to_response(ctx, drafts.create_note(ctx.work, ctx.scope, **body.model_dump()))


@router.post("/search", permission="notes.read")
def search_notes(ctx: RequestContext, body: NoteSearchIn, reason: Reason = None) -> NoteSearchOut:
    """Search notes.

    Looks for words in the notes you may read. The query is not stored. An admin states a reason in X-Reason, which
    goes into the audit log.
    """
    result = search.search_notes(ctx.work, ctx.scope, body.query, to_filters(body), cursor=body.cursor, reason=reason)
    authors = queries.find_authors_with_drafts(ctx.work, ctx.scope, [match.note for match in result.items])
    items = [NoteMatchOut(note=NoteState.of(match.note, authors), snippet=match.snippet) for match in result.items]
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
def get_note_history(ctx: RequestContext, note_id: UUID, reason: Reason = None) -> NoteHistoryOut:
    """Get the history of a note.

    All versions with their content, the signatures, and the returns from review. Other clinicians of the client see
    what is or was in force. An admin states a reason in X-Reason, which goes into the audit log.
    """
    history = queries.read_history(ctx.work, ctx.scope, note_id, reason)
    by_client = ctx.actor.client_id is not None
    versions = [
        to_version(history.note, version, history.signatures, by_client=by_client) for version in history.versions
    ]
    signatures = [from_record(SignatureOut, signature, hash=signature.hash.hex()) for signature in history.signatures]
    return NoteHistoryOut(
        note=NoteState.shown(history.note, with_drafts=history.with_drafts),
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
        problems=[NoteProblemOut(where=problem.where, message=problem.message) for problem in verdict.problems],
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


@router.post("/{note_id}/entered-in-error", permission="notes.strike", errors=CHANGE_ERRORS)
def mark_note_entered_in_error(ctx: RequestContext, note_id: UUID, body: ErrorIn) -> NoteOut:
    """Mark a note as entered in error.

    It stays readable, with who and why, and no longer counts: its session is unsigned again and can get a new note.
    Its author or the author's supervisor does it, also after the author has left.
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
