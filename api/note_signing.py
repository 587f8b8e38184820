"""What is done with a note once it is written: handing it in, returning it, signatures, and its session's lock."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from api.context import RequestContext, Version
from api.notes import Because, NoteOut, shown
from api.responses import Input
from api.routing import PermissionRouter
from practice.clinical.errors import (
    SIGNING,
    TOUCHING,
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
    int, Field(ge=1, le=PARAMETERS["note_unlock_hours"].most, description="Else as the practice has set.")
]


class Return(Input):
    reason: Because


class Several(Input):
    note_ids: Annotated[list[UUID], Field(min_length=1, max_length=signing.MOST_AT_ONCE)]


class Lock(Input):
    reason: Because


class Unlock(Lock):
    hours: Hours | None = None


class SignedOut(BaseModel):
    note_id: UUID
    signed: bool
    code: str | None
    message: str | None

    @classmethod
    def of(cls, result: signing.Signed) -> "SignedOut":
        no = result.refusal
        return cls(
            note_id=result.note_id, signed=no is None, code=no.code if no else None, message=no.message if no else None
        )


class SignedManyOut(BaseModel):
    items: list[SignedOut]


class LockOut(BaseModel):
    appointment_id: UUID
    kind: str
    at: datetime
    until: datetime | None

    @classmethod
    def of(cls, lock: SessionLock) -> "LockOut":
        return cls(**{name: getattr(lock, name) for name in cls.model_fields})


@router.post("/{note_id}/submit", permission="notes.write", errors=[*SIGNING, NoSupervisor])
def submit_note(ctx: RequestContext, note_id: UUID, version: Version) -> NoteOut:
    """Hand in what you have read, signed by you, for your supervisor's signature."""
    return shown(ctx, signing.submit_note(ctx.work, note_id, version))


@router.post("/{note_id}/withdraw", permission="notes.write", errors=[*TOUCHING, NotInReview])
def withdraw_note(ctx: RequestContext, note_id: UUID) -> NoteOut:
    """Take it back from review, to go on writing."""
    return shown(ctx, signing.withdraw_note(ctx.work, note_id))


@router.post("/{note_id}/return", permission="notes.co_sign", errors=[*TOUCHING, NotInReview])
def return_note(ctx: RequestContext, note_id: UUID, body: Return) -> NoteOut:
    """Give a note of your team back to its author, and say what is to be done."""
    return shown(ctx, signing.return_note(ctx.work, note_id, body.reason))


@router.post("/{note_id}/sign", permission="notes.write", errors=SIGNING)
def sign_note(ctx: RequestContext, note_id: UUID, version: Version) -> NoteOut:
    """Sign your note, as you have read it. What is signed never changes."""
    return shown(ctx, signing.sign_note(ctx.work, note_id, version))


@router.post("/{note_id}/co-sign", permission="notes.co_sign", errors=SIGNING)
def co_sign_note(ctx: RequestContext, note_id: UUID, version: Version) -> NoteOut:
    """Sign a note that was handed in to you, as you have read it. With this it is signed."""
    return shown(ctx, signing.sign_note(ctx.work, note_id, version))


@router.post("/bulk-sign", permission="notes.write")
def sign_many_notes(ctx: RequestContext, body: Several) -> SignedManyOut:
    """Sign several of your notes: each is signed, or says why not."""
    return signed_out(signing.sign_many(ctx.work, body.note_ids))


@router.post("/bulk-co-sign", permission="notes.co_sign")
def co_sign_many_notes(ctx: RequestContext, body: Several) -> SignedManyOut:
    """Sign several notes that were handed in to you: each is signed, or says why not."""
    return signed_out(signing.sign_many(ctx.work, body.note_ids))


def signed_out(results: list[signing.Signed]) -> SignedManyOut:
    return SignedManyOut(items=[SignedOut.of(one) for one in results])


@router.post("/{note_id}/unlock", permission="notes.unlock", errors=[NotLocked, NoteSigned, OwnSession])
def unlock_note(ctx: RequestContext, note_id: UUID, body: Unlock) -> LockOut:
    """Let the note of a session that was locked be written and signed, for some hours. Signatures stay as they are."""
    return LockOut.of(unlocking.unlock_note(ctx.work, ctx.scope, note_id, body.reason, body.hours))


@router.post("/{note_id}/lock", permission="notes.unlock", errors=[NotLocked, NoteSigned, NoteLocked])
def lock_note(ctx: RequestContext, note_id: UUID, body: Lock) -> LockOut:
    """Lock the session of an unsigned note before its deadline, or again."""
    return LockOut.of(unlocking.lock_note(ctx.work, ctx.scope, note_id, body.reason))
