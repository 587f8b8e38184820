"""Routes of note review: submitting, returning, signing, and the lock of a note's session."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from api.context import RequestContext, Version
from api.fields import EXAMPLE_ID, AppointmentId, NoteId, Reason1000, describe, example
from api.note_responses import NoteOut, to_response
from api.responses import Input
from api.routing import PermissionRouter
from practice.clinical.errors import (
    CHANGE_ERRORS,
    SIGN_ERRORS,
    NoSupervisor,
    NoteLocked,
    NoteSigned,
    NotInReview,
    NotLocked,
    OwnSession,
)
from practice.clinical.models.session_locks import SessionLock
from practice.clinical.notes import signing, unlocking
from practice.rule_settings import PARAMETERS

router = PermissionRouter(prefix="/notes", tags=["notes"])

Hours = Annotated[
    int, Field(ge=1, le=PARAMETERS["note_unlock_hours"].maximum, description="Default: a setting of the practice.")
]


class ReturnIn(Input):
    model_config = example(reason="The plan is missing.")

    reason: Annotated[Reason1000, describe("What the author has to change.")]


class NotesIn(Input):
    model_config = example(note_ids=[EXAMPLE_ID])

    note_ids: Annotated[
        list[UUID],
        Field(min_length=1, max_length=signing.MAX_BULK_SIGN),
        describe("The notes, each signed or refused by itself."),
    ]


class LockIn(Input):
    model_config = example(reason="Under review")

    reason: Annotated[Reason1000, describe("Why, for the audit log.")]


class UnlockIn(LockIn):
    model_config = example(reason="Was ill", hours=24)

    hours: Annotated[Hours | None, describe("Length in hours.")] = None


class SignedOut(BaseModel):
    note_id: NoteId
    succeeded: Annotated[bool, describe("Whether it was done for this record.")]
    code: Annotated[str | None, describe("A stable code of the refusal; null on success.")]
    message: Annotated[str | None, describe("What is wrong and what to do; null on success.")]

    @classmethod
    def of(cls, result: signing.SigningResult) -> "SignedOut":
        error = result.refusal
        return cls(
            note_id=result.note_id,
            succeeded=error is None,
            code=error.code if error else None,
            message=error.message if error else None,
        )


class SignedManyOut(BaseModel):
    items: Annotated[list[SignedOut], describe("One result for each note, in the order sent.")]


class SubmittedNoteOut(NoteOut):
    warnings: Annotated[list[str], describe("What to see to, although the note is submitted.")]


class ReturnedNoteOut(NoteOut):
    unlocked_until: Annotated[
        datetime | None, describe("Until when its locked session is unlocked for it; null if it was not locked.")
    ]


class LockOut(BaseModel):
    appointment_id: AppointmentId
    kind: Annotated[str, describe("`LOCKED` or `UNLOCKED`.")]
    at: Annotated[datetime, describe("When.")]
    until: Annotated[datetime | None, describe("Until when it is unlocked.")]

    @classmethod
    def of(cls, lock: SessionLock) -> "LockOut":
        return cls(**{name: getattr(lock, name) for name in cls.model_fields})


@router.post("/{note_id}/submit", permission="notes.write", errors=[*SIGN_ERRORS, NoSupervisor])
def submit_note(ctx: RequestContext, note_id: UUID, version: Version) -> SubmittedNoteOut:
    """Submit a note for review.

    Signed by its author, for the supervisor's signature. `warnings` says when no active supervisor can review it.
    """
    note, warnings = signing.submit_note(ctx.work, note_id, version)
    return SubmittedNoteOut(**to_response(ctx, note).model_dump(), warnings=warnings)


@router.post("/{note_id}/withdraw", permission="notes.write", errors=[*CHANGE_ERRORS, NotInReview, NoteLocked])
def withdraw_note(ctx: RequestContext, note_id: UUID) -> NoteOut:
    """Withdraw a note, or a change of it, from review.

    A note of a locked session stays in review until the session is unlocked.
    """
    return to_response(ctx, signing.withdraw_note(ctx.work, note_id))


@router.post("/{note_id}/return", permission="notes.co_sign", errors=[*CHANGE_ERRORS, NotInReview, OwnSession])
def return_note(ctx: RequestContext, note_id: UUID, body: ReturnIn) -> ReturnedNoteOut:
    """Return a note, or a change of it, to its author.

    The reason says what to change. A signed note stays as it was. A locked session is unlocked for the author, for as
    many hours as the practice has set.
    """
    note, unlock = signing.return_note(ctx.work, note_id, body.reason)
    return ReturnedNoteOut(**to_response(ctx, note).model_dump(), unlocked_until=unlock.until if unlock else None)


@router.post("/{note_id}/sign", permission="notes.write", errors=SIGN_ERRORS)
def sign_note(ctx: RequestContext, note_id: UUID, version: Version) -> NoteOut:
    """Sign a note.

    In the version you have read. A signed version never changes.
    """
    return to_response(ctx, signing.sign_note(ctx.work, note_id, version))


@router.post("/{note_id}/co-sign", permission="notes.co_sign", errors=SIGN_ERRORS)
def cosign_note(ctx: RequestContext, note_id: UUID, version: Version) -> NoteOut:
    """Co-sign a note.

    A note, amendment or addendum submitted to you, in the version you have read. Your signature completes it.
    """
    return to_response(ctx, signing.sign_note(ctx.work, note_id, version))


@router.post("/bulk-sign", permission="notes.write")
def sign_many_notes(ctx: RequestContext, body: NotesIn) -> SignedManyOut:
    """Sign several notes.

    Each result says whether the note was signed, and if not, why.
    """
    return to_results(signing.sign_many(ctx.work, body.note_ids))


@router.post("/bulk-co-sign", permission="notes.co_sign")
def cosign_many_notes(ctx: RequestContext, body: NotesIn) -> SignedManyOut:
    """Co-sign several notes.

    Each result says whether the note was signed, and if not, why.
    """
    return to_results(signing.sign_many(ctx.work, body.note_ids))


def to_results(results: list[signing.SigningResult]) -> SignedManyOut:
    """Return the result of each note."""
    return SignedManyOut(items=[SignedOut.of(result) for result in results])


@router.post("/{note_id}/unlock", permission="notes.unlock", errors=[NotLocked, NoteSigned, OwnSession])
def unlock_note(ctx: RequestContext, note_id: UUID, body: UnlockIn) -> LockOut:
    """Unlock the session of a note.

    The note can be written and signed for some hours. Existing signatures stay.
    """
    return LockOut.of(unlocking.unlock_note_session(ctx.work, ctx.scope, note_id, body.reason, body.hours))


@router.post("/{note_id}/lock", permission="notes.unlock", errors=[NotLocked, NoteSigned, NoteLocked])
def lock_note(ctx: RequestContext, note_id: UUID, body: LockIn) -> LockOut:
    """Lock the session of an unsigned note.

    Before its deadline, or again.
    """
    return LockOut.of(unlocking.lock_note_session(ctx.work, ctx.scope, note_id, body.reason))
