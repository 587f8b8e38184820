"""Clinical notes: lists, drafts and their versions, what was signed, and looking for words in them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field, StringConstraints

from api.deps import Desk, Reason, Version, endpoint
from api.fields import PLAIN, WRITTEN, Day, Short, Why
from api.responses import Input, ListQuery, PageOut, page_out, some_of
from practice.clinical.documents.rules.content import MOST_DIAGNOSES, MOST_SECTIONS, SECTION_LENGTH, Content
from practice.clinical.errors import TOUCHING, WRITING, NoteIncomplete, NoteLocked, NoteNotSigned, NotYourNote
from practice.clinical.models.notes import Note
from practice.clinical.notes import amendments, drafts, queries, search, verification
from practice.clinical.notes.queries import Filters, Reading

router = APIRouter(prefix="/notes", tags=["notes"])

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


def shown(desk: Desk, note: Note) -> NoteOut:
    """To whoever has just changed it."""
    return note_out(queries.reading_of(desk.work, note))


def filters_of(asked: Any) -> Filters:
    return Filters(**{name: getattr(asked, name) for name in Filters._fields if hasattr(asked, name)})


@endpoint(router, "GET", "", may="notes.read")
def list_notes(desk: Desk, query: Annotated[NoteQuery, Query()], reason: Reason = None) -> PageOut[NoteInList]:
    """Notes without what they say, the newest first. Sorts by created_at or id. An admin says why in X-Reason."""
    found = queries.list_notes(
        desk.work, desk.scope, query.asked(), filters_of(query), voided=query.voided, reason=reason
    )
    return page_out(found, NoteState)


@endpoint(router, "POST", "", may="notes.write", status=201, refusals=[NoteLocked, NotYourNote])
def create_note(desk: Desk, body: NoteIn) -> NoteOut:
    """Begin a note about one of your clients, of a session that has begun or of none."""
    return shown(desk, drafts.create_note(desk.work, desk.scope, **body.model_dump()))


@endpoint(router, "POST", "/search", may="notes.read")
def search_notes(desk: Desk, body: SearchIn, reason: Reason = None) -> FindsOut:
    """Look for words in what you may read. What was looked for is kept nowhere. An admin says why in X-Reason."""
    found = search.search_notes(desk.work, desk.scope, body.query, filters_of(body), cursor=body.cursor, reason=reason)
    items = [FoundOut(note=NoteState.of(one.note), snippet=one.snippet) for one in found.items]
    return FindsOut(items=items, looked_at=found.looked_at, next_cursor=found.next_cursor)


@endpoint(router, "GET", "/{note_id}", may="notes.read")
def get_note(desk: Desk, note_id: UUID, reason: Reason = None) -> NoteOut:
    """What a note says. An admin says why in X-Reason, which goes into the audit log."""
    read = queries.read_note(desk.work, desk.scope, note_id, reason)
    return note_out(read, by_client=desk.actor.client_id is not None)


@endpoint(router, "PUT", "/{note_id}", may="notes.write", refusals=WRITING)
def save_note(desk: Desk, note_id: UUID, version: Version, body: ContentIn) -> NoteOut:
    """The draft as it now stands, as a further version. The earlier ones stay."""
    return shown(desk, drafts.save_note(desk.work, note_id, version, **body.model_dump()))


@endpoint(router, "DELETE", "/{note_id}", may="notes.write", status=204, refusals=WRITING)
def void_note(desk: Desk, note_id: UUID, reason: Annotated[Why, Query()]) -> None:
    """Take back a draft that was never handed in or signed. It stays on record; the reason names nobody."""
    drafts.void_note(desk.work, note_id, reason)


@endpoint(router, "GET", "/{note_id}/history", may="notes.read")
def get_note_history(desk: Desk, note_id: UUID, reason: Reason = None) -> HistoryOut:
    """All versions with what they say, the signatures under them, and why it was returned."""
    found = queries.history(desk.work, desk.scope, note_id, reason)
    by_client = desk.actor.client_id is not None
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


@endpoint(router, "GET", "/{note_id}/verification", may="notes.read")
def verify_note(desk: Desk, note_id: UUID, reason: Reason = None) -> VerificationOut:
    """Whether the note and its signatures are what was written and signed; if not, what is wrong and where."""
    found = verification.verify_note(desk.work, desk.scope, note_id, reason)
    return VerificationOut(
        note_id=note_id,
        intact=not found.problems,
        versions=found.versions,
        signatures=found.signatures,
        signed_elsewhere=found.signed_elsewhere,
        problems=[ProblemOut(where=one.where, sentence=one.sentence) for one in found.problems],
    )


@endpoint(router, "POST", "/{note_id}/amend", may="notes.write", refusals=[*TOUCHING, NoteNotSigned, NoteIncomplete])
def amend_note(desk: Desk, note_id: UUID, version: Version, body: AmendmentIn) -> NoteOut:
    """A signed note says something else from now on, under a signature of its own. What was signed stays."""
    return shown(desk, amendments.amend_note(desk.work, note_id, version, **body.model_dump()))


@endpoint(router, "POST", "/{note_id}/addendum", may="notes.write", refusals=[*TOUCHING, NoteNotSigned])
def add_addendum(desk: Desk, note_id: UUID, body: AddendumIn) -> NoteOut:
    """Add something below what a signed note says, under a signature of its own."""
    return shown(desk, amendments.add_addendum(desk.work, note_id, body.text, body.reason))


@endpoint(router, "POST", "/{note_id}/share", may="notes.write", refusals=[*TOUCHING, NoteNotSigned])
def share_note(desk: Desk, note_id: UUID) -> NoteOut:
    """Let the client read a signed note through the portal."""
    return shown(desk, drafts.share_note(desk.work, note_id))


@endpoint(router, "POST", "/{note_id}/unshare", may="notes.write", refusals=TOUCHING)
def unshare_note(desk: Desk, note_id: UUID) -> NoteOut:
    """Let the client read it no longer."""
    return shown(desk, drafts.unshare_note(desk.work, note_id))
