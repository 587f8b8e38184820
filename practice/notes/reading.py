"""Who may read which notes; lists of notes, one note with its words, and how it came to say them."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, false, or_, true

from practice.notes.models import Note
from practice.people.reach import reaches, staff_within
from practice.security.permissions import Scope, scope_of
from practice.security.work import Work


def readable(
    work: Work, scope: Scope, reach: Callable[[Work, Scope, Any], ColumnElement[bool]] = reaches
) -> ColumnElement[bool]:
    """A condition. What is not signed yet is read by its author and their supervisor; what is signed, by whoever has
    the client as well; a client reads what is shared with them."""
    signed = Note.signed_at.is_not(None)
    if work.actor.client_id is not None:
        return and_(Note.client_id == work.actor.client_id, signed, Note.shared_at.is_not(None))
    return or_(staff_within(work, scope, Note.clinician_id), and_(signed, reach(work, scope, Note.client_id)))


def known_to(work: Work, note_id: UUID | None = None) -> ColumnElement[bool]:
    """A condition: there is no secret for them in that the note exists. Others are told that there is none."""
    if scope_of(work.actor.roles, "notes", "read_with_reason") is not None:
        return true()
    scope = scope_of(work.actor.roles, "notes", "read")
    return false() if scope is None else readable(work, scope)
