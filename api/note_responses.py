"""Responses about clinical notes: their state, content, versions and signers."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from api.context import RequestContext
from api.fields import (
    AccountId,
    AppointmentId,
    ClientId,
    CreatedAt,
    RecordId,
    RecordVersion,
    VoidedAt,
    VoidReason,
    describe,
)
from api.names import ClientName, PersonOf, StaffName, from_record
from practice.clinical.documents.rules.content import Content
from practice.clinical.models.notes import Note, NoteSignature
from practice.clinical.notes import queries
from practice.clinical.notes.queries import NoteView
from practice.clinical.notes.review_returns import ReviewReturn
from practice.clinical.notes.versions import Version

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
Status = Literal["DRAFT", "IN_REVIEW", "SIGNED", "AMENDED", "ENTERED_IN_ERROR"]


class NoteState(BaseModel):
    """The state of a note, without its content.

    `signed_at` and `signed_by_id` are of the signature that completed the note; amendments have their own signatures.
    A note entered in error keeps them, and does not count.
    """

    id: RecordId
    client_id: ClientId
    client_name: ClientName = None
    clinician_id: Annotated[UUID, describe("The author, a staff member.")]
    clinician_name: StaffName = None
    appointment_id: AppointmentId | None
    type: Annotated[Type, describe("The type of note.")]
    status: Annotated[Status, describe("`DRAFT`, `IN_REVIEW`, `SIGNED` or `AMENDED`.")]
    created_at: CreatedAt
    submitted_at: Annotated[datetime | None, describe("When it was submitted for review.")]
    returned_at: Annotated[
        datetime | None,
        describe("When the supervisor last returned it; for the author, the supervisor and admins."),
    ]
    signed_at: Annotated[datetime | None, describe("When it was first signed.")]
    signed_by_id: Annotated[UUID | None, describe("Who signed it, a staff member.")]
    signed_by_name: StaffName = None
    version_in_review: Annotated[
        int | None,
        Field(
            description="The amendment or addendum that waits for the supervisor's co-signature; for the author, the "
            "supervisor and admins."
        ),
    ]
    shared_at: Annotated[datetime | None, describe("Since when the client can read it; null if not shared.")]
    entered_in_error_at: Annotated[datetime | None, describe("When it was marked as entered in error; null otherwise.")]
    entered_in_error_by_id: Annotated[UUID | None, describe("Who marked it as entered in error, a staff member.")]
    entered_in_error_by_name: StaffName = None
    voided_at: VoidedAt | None
    voided_by: AccountId | None
    voided_by_person: PersonOf = None
    void_reason: VoidReason | None
    version: RecordVersion

    @classmethod
    def of(cls, note: Note, authors_with_drafts: Collection[UUID]) -> "NoteState":
        """Return the state; of the review, to those who see the drafts of the author."""
        review = {} if note.clinician_id in authors_with_drafts else {"version_in_review": None, "returned_at": None}
        return from_record(NoteState, note, **review)

    @classmethod
    def shown(cls, note: Note, *, with_drafts: bool) -> "NoteState":
        return cls.of(note, [note.clinician_id] if with_drafts else [])


class SectionOut(BaseModel):
    key: Annotated[str, describe("The key of the section.")]
    title: Annotated[str, describe("The title of the section.")]
    text: Annotated[str, describe("What was written.")]


class SignerOut(BaseModel):
    """Who signed a version, when, and as what. IMPORTED: signed before the import, not verifiable here."""

    kind: Annotated[
        Literal["AUTHOR", "CO_SIGNATURE", "AMENDMENT", "ADDENDUM", "IMPORTED"], describe("What kind of record it is.")
    ]
    signed_by_id: Annotated[UUID, describe("Who signed it, a staff member.")]
    signed_by_name: StaffName = None
    signed_at: Annotated[datetime, describe("When it was signed.")]


class AddendumOut(BaseModel):
    number: Annotated[int, describe("The number of the addendum, from 1.")]
    text: Annotated[str, describe("What was added.")]
    reason: Annotated[str | None, describe("Why it was added.")]
    written_at: Annotated[datetime, describe("When it was written.")]
    written_by_id: Annotated[UUID | None, describe("Who wrote it, a staff member.")]
    written_by_name: StaffName = None
    signatures: Annotated[list[SignerOut], describe("All signatures, oldest first.")]


class ReturnOut(BaseModel):
    at: Annotated[datetime, describe("When it happened.")]
    by_id: Annotated[UUID, describe("Who returned it, a staff member.")]
    by_name: StaffName = None
    reason: Annotated[str, describe("What has to be changed.")]


class VersionOut(BaseModel):
    number: Annotated[int, describe("The version, counted from 1.")]
    kind: Annotated[Literal["CONTENT", "AMENDMENT", "ADDENDUM"], describe("What kind of version it is.")]
    sections: Annotated[list[SectionOut], describe("The sections, in the order of the template.")]
    diagnoses: Annotated[list[str], describe("ICD-10 codes, the main one first.")]
    reason: Annotated[str | None, describe("Why it was amended or added.")]
    generated: Annotated[bool, describe("Whether a model wrote it.")]
    written_at: Annotated[datetime, describe("When it was written.")]
    written_by_id: Annotated[UUID | None, describe("Who wrote it, a staff member.")]
    written_by_name: StaffName = None
    signatures: Annotated[list[SignerOut], describe("All signatures, oldest first.")]
    review: Annotated[
        Literal["IN_REVIEW", "APPROVED", "NOT_APPROVED"] | None,
        Field(description="Of a supervised amendment or addendum, which counts once it is APPROVED."),
    ]


class NoteOut(NoteState):
    """A note with the content that is in force.

    `signatures` are of this content; earlier content has its own, in the history. `generated`: a model wrote it, and it
    stays a draft until a person signs it. `in_review` is a change that waits for the supervisor, for them and the
    author.
    """

    sections: Annotated[list[SectionOut], describe("The sections, in the order of the template.")]
    diagnoses: Annotated[list[str], describe("ICD-10 codes, the main one first.")]
    generated: Annotated[bool, describe("Whether a model wrote the current version.")]
    signatures: Annotated[list[SignerOut], describe("All signatures, oldest first.")]
    addenda: Annotated[list[AddendumOut], describe("The addenda, oldest first.")]
    in_review: Annotated[VersionOut | None, describe("The amendment that waits for the supervisor; null if none.")]
    review_returns: Annotated[list[ReturnOut], describe("Returns from review, oldest first.")]
    entered_in_error_reason: Annotated[str | None, describe("Why it was entered in error.")]


class SignatureOut(BaseModel):
    number: Annotated[int, describe("The number of the signature, from 1.")]
    version_number: Annotated[int, describe("The version that was signed.")]
    kind: Annotated[Literal["AUTHOR", "CO_SIGNATURE", "AMENDMENT", "ADDENDUM"], describe("As what it was signed.")]
    signed_at: Annotated[datetime, describe("When it was signed.")]
    signed_by_id: Annotated[UUID, describe("Who signed it, a staff member.")]
    signed_by_name: StaffName = None
    hash: Annotated[str, describe("SHA-256 over the content and the signature before.")]


def to_sections(content: Content) -> list[SectionOut]:
    return [SectionOut(key=section.key, title=section.title, text=section.text) for section in content.sections]


def to_returns(returns: Sequence[ReviewReturn]) -> list[ReturnOut]:
    return [ReturnOut(at=item.at, by_id=UUID(item.by_id), reason=item.reason) for item in returns]


def to_signers(note: Note, version: Version, signatures: Sequence[NoteSignature]) -> list[SignerOut]:
    """Return who signed a version. Of an imported note, the text that came with it has the imported signature."""
    signers = [
        from_record(SignerOut, signature) for signature in signatures if signature.version_number == version.number
    ]
    if not signers and version.written_by_id is None and note.signed_at and note.signed_by_id:
        return [SignerOut(kind="IMPORTED", signed_by_id=note.signed_by_id, signed_at=note.signed_at)]
    return signers


def to_version(
    note: Note, version: Version, signatures: Sequence[NoteSignature], *, by_client: bool = False
) -> VersionOut:
    """Return a version with its signers and, if it needs one, its review. A client does not see its reason."""
    signers = to_signers(note, version, signatures)
    review = None
    if version.needs_review:
        is_co_signed = any(signer.kind == "CO_SIGNATURE" for signer in signers)
        is_open = version.number == note.version_in_review
        review = "APPROVED" if is_co_signed else "IN_REVIEW" if is_open else "NOT_APPROVED"
    return VersionOut(
        **{name: getattr(version, name) for name in ("number", "kind", "generated", "written_at", "written_by_id")},
        sections=to_sections(version.content),
        diagnoses=list(version.content.diagnoses),
        reason=None if by_client else version.reason,
        signatures=signers,
        review=review,
    )


def view_response(view: NoteView, *, by_client: bool = False) -> NoteOut:
    """Return a note as read. A client does not see reasons of returns and addenda."""
    addenda = [
        AddendumOut(
            number=addendum.number,
            text=addendum.content.sections[0].text,
            reason=None if by_client else addendum.reason,
            written_at=addendum.written_at,
            written_by_id=addendum.written_by_id,
            signatures=to_signers(view.note, addendum, view.signatures),
        )
        for addendum in view.addenda
    ]
    return NoteOut(
        **NoteState.shown(view.note, with_drafts=view.with_drafts).model_dump(),
        sections=to_sections(view.base.content),
        diagnoses=list(view.base.content.diagnoses),
        generated=view.base.generated,
        signatures=to_signers(view.note, view.base, view.signatures),
        addenda=addenda,
        in_review=to_version(view.note, view.in_review, view.signatures) if view.in_review else None,
        review_returns=[] if by_client else to_returns(view.returns),
        entered_in_error_reason=view.error_reason,
    )


def to_response(ctx: RequestContext, note: Note) -> NoteOut:
    """Return a note to the caller who has just changed it."""
    return view_response(queries.load_note_view(ctx.work, note))
