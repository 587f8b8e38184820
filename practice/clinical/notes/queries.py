"""Who may read which notes; lists of notes, one note with its words, and how it came to say them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, and_, false, or_, select, true
from sqlalchemy.orm import defer

from practice.clinical.models.notes import Note, NoteSignature
from practice.clinical.notes.review_returns import Return, returns_in
from practice.clinical.notes.versions import Version, all_versions, as_version, last_versions
from practice.errors import NotFound
from practice.local_time import start_of_day
from practice.people.access import clients_within, reaches, staff_within
from practice.people.clients import because
from practice.people.practice_time import zone_of
from practice.security.permissions import Scope, scope_of
from practice.security.work import Work
from practice.store.pages import Page, PageRequest, page_of

SORTABLE = {"created_at": Note.created_at, "id": Note.id}


def readable(
    work: Work, scope: Scope, reach: Callable[[Work, Scope, Any], ColumnElement[bool]] = reaches
) -> ColumnElement[bool]:
    """A condition. What is not signed yet is read by its author and their supervisor; what is signed, by whoever has
    the client as well; a client reads what is shared with them."""
    signed = Note.signed_at.is_not(None)
    if work.actor.client_id is not None:
        return and_(Note.client_id == work.actor.client_id, signed, Note.shared_at.is_not(None))
    return or_(staff_within(work, scope, Note.clinician_id), and_(signed, reach(work, scope, Note.client_id)))


def known_to(work: Work) -> ColumnElement[bool]:
    """A condition: that the note exists is no secret for them. Others are told that there is none."""
    if scope_of(work.actor.roles, "notes", "read_with_reason") is not None:
        return true()
    scope = scope_of(work.actor.roles, "notes", "read")
    return false() if scope is None else readable(work, scope)


class Filters(NamedTuple):
    """Dates are the practice's own, of when a note was begun; both count."""

    type: str | None = None
    status: str | None = None
    client_id: UUID | None = None
    clinician_id: UUID | None = None
    appointment_id: UUID | None = None
    since: date | None = None
    until: date | None = None


def list_notes(
    work: Work,
    scope: Scope,
    asked: PageRequest,
    filters: Filters,
    *,
    voided: bool = False,
    reason: str | None = None,
) -> Page:
    """Without what they say."""
    query = select(Note).where(*within(work, scope, filters)).options(defer(Note.text), defer(Note.return_reason))
    if not voided:
        query = query.where(Note.voided_at.is_(None))
    page = page_of(work.db, query, asked, SORTABLE, Note.id, "-created_at")
    if filters.client_id is not None:
        work.record("client.read", "client", filters.client_id, part="notes", **because(reason))
    else:
        work.record("notes.listed", found=len(page.items), **because(reason))
    return page


def within(work: Work, scope: Scope, filters: Filters) -> list[ColumnElement[bool]]:
    """Conditions of what somebody may read, and asks for."""
    conditions = [Note.tenant_id == work.tenant_id, readable(work, scope, clients_within)]
    for name in ("type", "status", "client_id", "clinician_id", "appointment_id"):
        value = getattr(filters, name)
        if value is not None:
            conditions.append(getattr(Note, name) == value)
    if filters.since is not None:
        conditions.append(Note.created_at >= start_of_day(filters.since, zone_of(work)))
    if filters.until is not None:
        conditions.append(Note.created_at < start_of_day(filters.until + timedelta(days=1), zone_of(work)))
    return conditions


@dataclass(frozen=True)
class Reading:
    """A note with its words. A client does not read why it was returned or amended: that is between colleagues."""

    note: Note
    base: Version
    addenda: Sequence[Version] = ()
    returns: Sequence[Return] = ()


def read_note(work: Work, scope: Scope, note_id: UUID, reason: str | None = None) -> Reading:
    note = find_note(work, scope, note_id)
    told(work, note, "note.read", reason)
    return reading_of(work, note)


def reading_of(work: Work, note: Note) -> Reading:
    bases, addenda = last_versions(work, [note.id])
    return Reading(note, bases.get(note.id) or as_version(work, note), addenda.get(note.id, []), returns_of(work, note))


def returns_of(work: Work, note: Note) -> list[Return]:
    return returns_in(work.unseal("notes", "return_reason", note.id, note.return_reason))


@dataclass(frozen=True)
class History:
    note: Note
    versions: Sequence[Version]
    signatures: Sequence[NoteSignature] = field(default_factory=list)
    returns: Sequence[Return] = ()


def history(work: Work, scope: Scope, note_id: UUID, reason: str | None = None) -> History:
    """Every version, signature and return, the first one first. A client sees it from what was signed on."""
    note = find_note(work, scope, note_id)
    told(work, note, "note.history_read", reason)
    versions = all_versions(work, note_id) or [as_version(work, note)]
    row = NoteSignature
    query = select(row).where(row.tenant_id == work.tenant_id, row.note_id == note_id).order_by(row.number)
    signatures = list(work.db.scalars(query))
    if work.actor.client_id is None:
        return History(note, versions, signatures, returns_of(work, note))
    signed = max(version.number for version in versions if version.kind == "CONTENT")
    return History(
        note,
        [version for version in versions if version.number >= signed],
        [signature for signature in signatures if signature.version_number >= signed],
    )


def find_note(work: Work, scope: Scope, note_id: UUID, *, settled: bool = False) -> Note:
    """`settled`: whoever writes to it at the moment is waited for."""
    query = select(Note).where(Note.tenant_id == work.tenant_id, Note.id == note_id, Note.voided_at.is_(None))
    query = query.where(readable(work, scope))
    note = work.db.scalar(query.with_for_update(read=True, of=Note) if settled else query)
    if note is None:
        raise NotFound
    return note


def told(work: Work, note: Note, action: str, reason: str | None) -> None:
    work.record(action, "client", note.client_id, note_id=str(note.id), **because(reason))
