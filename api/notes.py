"""Clinical notes: lists, drafts and their versions, what was signed, and looking for words in them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field, StringConstraints

from api.context import Reason, RequestContext, Version
from api.fields import PLAIN, WRITTEN, Day, Short, Why
from api.responses import Input, ListQuery, PageOut, page_out, some_of
from api.routing import PermissionRouter
from practice.clinical.documents.rules.content import MOST_DIAGNOSES, MOST_SECTIONS, SECTION_LENGTH, Content
from practice.clinical.errors import TOUCHING, WRITING, NoteIncomplete, NoteLocked, NoteNotSigned, NotYourNote
from practice.clinical.models.notes import Note
from practice.clinical.notes import amendments, drafts, queries, search, verification
from practice.clinical.notes.queries import Filters, Reading

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
Key = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
SectionText = Annotated[str, StringConstraints(max_length=SECTION_LENGTH, pattern=WRITTEN)]
Passage = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=SECTION_LENGTH, pattern=WRITTEN)
]
Because = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=1000, pattern=WRITTEN)]


class ContentIn(Input):
    """By the keys of the template's sections; those that are left out are empty."""

    sections: Annotated[dict[Key, SectionText], Field(max_length=MOST_SECTIONS)]
    diagnoses: Annotated[list[Short], Field(max_length=MOST_DIAGNOSES)] = Field(default_factory=list)


class NoteIn(ContentIn):
    client_id: UUID
    type: Type
    appointment_id: UUID | None = None


class AmendmentIn(ContentIn):
    reason: Because


class AddendumIn(Input):
    text: Passage
    reason: Because


class NoteFilters(Input):
    """Days are the practice's own, of when a note was begun; both count."""

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
    """Every word has to be there, as the beginning of a word; capitals and accents make no difference."""

    query: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=PLAIN)]
    cursor: Annotated[str | None, Field(max_length=500)] = None


class NoteState(BaseModel):
    """How far a note is, without what it says."""

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
    """`generated`: what it says now was written by a model. A person signs it, or it stays a draft."""

    sections: list[SectionOut]
    diagnoses: list[str]
    generated: bool
    addenda: list[AddendumOut]
    returns: list[ReturnOut]


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
    returns: list[ReturnOut]


class ProblemOut(BaseModel):
    where: str
    sentence: str


class VerificationOut(BaseModel):
    """`signed_elsewhere`: it was signed before it came here, and of that signature there is nothing to verify."""

    note_id: UUID
    intact: bool
    versions: int
    signatures: int
    signed_elsewhere: bool
    problems: list[ProblemOut]


class FoundOut(BaseModel):
    note: NoteState
    snippet: str


class FindsOut(BaseModel):
    """So many notes were looked at, the newest first. With a cursor there are more to look at."""

    items: list[FoundOut]
    looked_at: int
    next_cursor: str | None


NoteInList: Any = some_of(NoteState)


def sections_out(content: Content) -> list[SectionOut]:
    return [SectionOut(key=one.key, title=one.title, text=one.text) for one in content.sections]


def returns_out(returns: Sequence[Any]) -> list[ReturnOut]:
    return [ReturnOut(at=one.at, by_id=UUID(one.by_id), reason=one.reason) for one in returns]


def note_out(read: Reading, *, by_client: bool = False) -> NoteOut:
    """A client does not read why colleagues returned it, or why it was added to."""
    addenda = [
        AddendumOut(
            number=addendum.number,
            text=addendum.content.sections[0].text,
            reason=None if by_client else addendum.reason,
            written_at=addendum.written_at,
            written_by_id=addendum.written_by_id,
        )
        for addendum in read.addenda
    ]
    return NoteOut(
        **NoteState.of(read.note).model_dump(),
        sections=sections_out(read.base.content),
        diagnoses=list(read.base.content.diagnoses),
        generated=read.base.generated,
        addenda=addenda,
        returns=[] if by_client else returns_out(read.returns),
    )


def shown(ctx: RequestContext, note: Note) -> NoteOut:
    """To whoever has just changed it."""
    return note_out(queries.reading_of(ctx.work, note))


def filters_of(asked: Any) -> Filters:
    return Filters(**{name: getattr(asked, name) for name in Filters._fields if hasattr(asked, name)})


@router.get("", permission="notes.read")
def list_notes(ctx: RequestContext, query: Annotated[NoteQuery, Query()], reason: Reason = None) -> PageOut[NoteInList]:
    """Notes without what they say, the newest first. Sorts by created_at or id. An admin says why in X-Reason."""
    found = queries.list_notes(
        ctx.work, ctx.scope, query.asked(), filters_of(query), voided=query.voided, reason=reason
    )
    return page_out(found, NoteState)


@router.post("", permission="notes.write", status_code=201, errors=[NoteLocked, NotYourNote])
def create_note(ctx: RequestContext, body: NoteIn) -> NoteOut:
    """Begin a note about one of your clients, of a session that has begun or of none."""
    return shown(ctx, drafts.create_note(ctx.work, ctx.scope, **body.model_dump()))


@router.post("/search", permission="notes.read")
def search_notes(ctx: RequestContext, body: SearchIn, reason: Reason = None) -> FindsOut:
    """Look for words in what you may read. What was looked for is kept nowhere. An admin says why in X-Reason."""
    found = search.search_notes(ctx.work, ctx.scope, body.query, filters_of(body), cursor=body.cursor, reason=reason)
    items = [FoundOut(note=NoteState.of(one.note), snippet=one.snippet) for one in found.items]
    return FindsOut(items=items, looked_at=found.looked_at, next_cursor=found.next_cursor)


@router.get("/{note_id}", permission="notes.read")
def get_note(ctx: RequestContext, note_id: UUID, reason: Reason = None) -> NoteOut:
    """What a note says. An admin says why in X-Reason, which goes into the audit log."""
    read = queries.read_note(ctx.work, ctx.scope, note_id, reason)
    return note_out(read, by_client=ctx.actor.client_id is not None)


@router.put("/{note_id}", permission="notes.write", errors=WRITING)
def save_note(ctx: RequestContext, note_id: UUID, version: Version, body: ContentIn) -> NoteOut:
    """The draft as it now stands, as a further version. The earlier ones stay."""
    return shown(ctx, drafts.save_note(ctx.work, note_id, version, **body.model_dump()))


@router.delete("/{note_id}", permission="notes.write", status_code=204, errors=WRITING)
def void_note(ctx: RequestContext, note_id: UUID, reason: Annotated[Why, Query()]) -> None:
    """Take back a draft that was never handed in or signed. It stays on record; the reason names nobody."""
    drafts.void_note(ctx.work, note_id, reason)


@router.get("/{note_id}/history", permission="notes.read")
def get_note_history(ctx: RequestContext, note_id: UUID, reason: Reason = None) -> HistoryOut:
    """All versions with what they say, the signatures under them, and why it was returned."""
    found = queries.history(ctx.work, ctx.scope, note_id, reason)
    by_client = ctx.actor.client_id is not None
    versions = [
        VersionOut(
            **{name: getattr(version, name) for name in ("number", "kind", "generated", "written_at", "written_by_id")},
            sections=sections_out(version.content),
            diagnoses=list(version.content.diagnoses),
            reason=None if by_client else version.reason,
        )
        for version in found.versions
    ]
    signatures = [
        SignatureOut(
            **{name: getattr(one, name) for name in SignatureOut.model_fields if name != "hash"}, hash=one.hash.hex()
        )
        for one in found.signatures
    ]
    return HistoryOut(
        note=NoteState.of(found.note), versions=versions, signatures=signatures, returns=returns_out(found.returns)
    )


@router.get("/{note_id}/verification", permission="notes.read")
def verify_note(ctx: RequestContext, note_id: UUID, reason: Reason = None) -> VerificationOut:
    """Whether the note and its signatures are what was written and signed; if not, what is wrong and where."""
    found = verification.verify_note(ctx.work, ctx.scope, note_id, reason)
    return VerificationOut(
        note_id=note_id,
        intact=not found.problems,
        versions=found.versions,
        signatures=found.signatures,
        signed_elsewhere=found.signed_elsewhere,
        problems=[ProblemOut(where=one.where, sentence=one.sentence) for one in found.problems],
    )


@router.post("/{note_id}/amend", permission="notes.write", errors=[*TOUCHING, NoteNotSigned, NoteIncomplete])
def amend_note(ctx: RequestContext, note_id: UUID, version: Version, body: AmendmentIn) -> NoteOut:
    """A signed note says something else from now on, under a signature of its own. What was signed stays."""
    return shown(ctx, amendments.amend_note(ctx.work, note_id, version, **body.model_dump()))


@router.post("/{note_id}/addendum", permission="notes.write", errors=[*TOUCHING, NoteNotSigned])
def add_addendum(ctx: RequestContext, note_id: UUID, body: AddendumIn) -> NoteOut:
    """Add something below what a signed note says, under a signature of its own."""
    return shown(ctx, amendments.add_addendum(ctx.work, note_id, body.text, body.reason))


@router.post("/{note_id}/share", permission="notes.write", errors=[*TOUCHING, NoteNotSigned])
def share_note(ctx: RequestContext, note_id: UUID) -> NoteOut:
    """Let the client read a signed note through the portal."""
    return shown(ctx, drafts.share_note(ctx.work, note_id))


@router.post("/{note_id}/unshare", permission="notes.write", errors=TOUCHING)
def unshare_note(ctx: RequestContext, note_id: UUID) -> NoteOut:
    """Let the client read it no longer."""
    return shown(ctx, drafts.unshare_note(ctx.work, note_id))
