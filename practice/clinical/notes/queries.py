"""Access rules for notes, lists of notes, one note with its content, and its history."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, and_, false, or_, select, true
from sqlalchemy.orm import defer

from practice.clinical.chart_audit import audit_chart_access
from practice.clinical.models.notes import Note, NoteSignature
from practice.clinical.notes.review_returns import ReviewReturn, parse_review_returns
from practice.clinical.notes.versions import (
    CurrentVersions,
    Version,
    build_imported_version,
    load_current_versions,
    load_versions,
)
from practice.errors import NotFound
from practice.local_time import start_of_day
from practice.people.access import client_visible, find_shown_client, visible_clients, visible_staff
from practice.people.clients import reason_detail
from practice.people.models.practices import Staff
from practice.people.practice_time import zone_of
from practice.security.permissions import Scope, find_scope
from practice.security.work import Work
from practice.store.pages import Page, PageRequest, fetch_page

SORTABLE = {"created_at": Note.created_at, "id": Note.id}


def is_readable(
    work: Work, scope: Scope, is_visible: Callable[[Work, Scope, Any], ColumnElement[bool]] = client_visible
) -> ColumnElement[bool]:
    """Return the condition for notes that the actor may read.

    Drafts are visible to the author and the author's supervisor, signed notes also to everybody who can see the client.
    Clients read the signed notes that are shared with them, unless they were entered in error.
    """
    signed = Note.signed_at.is_not(None)
    if work.actor.client_id is not None:
        is_shared = and_(signed, Note.shared_at.is_not(None), Note.entered_in_error_at.is_(None))
        return and_(Note.client_id == work.actor.client_id, is_shared)
    return or_(visible_staff(work, scope, Note.clinician_id), and_(signed, is_visible(work, scope, Note.client_id)))


def is_known_to_actor(work: Work) -> ColumnElement[bool]:
    """Return the condition for notes whose existence the actor may know. All others answer NotFound."""
    if find_scope(work.actor.roles, "notes", "read_with_reason") is not None:
        return true()
    scope = find_scope(work.actor.roles, "notes", "read")
    return false() if scope is None else is_readable(work, scope)


class Filters(NamedTuple):
    """Filters of a list of notes. `since` and `until` are local dates of creation, both inclusive."""

    type: str | None = None
    status: str | None = None
    client_id: UUID | None = None
    clinician_id: UUID | None = None
    appointment_id: UUID | None = None
    in_review: bool | None = None
    since: date | None = None
    until: date | None = None


def list_notes(
    work: Work,
    scope: Scope,
    page_request: PageRequest,
    filters: Filters,
    *,
    voided: bool = False,
    reason: str | None = None,
) -> Page:
    """Return a page of notes without their content."""
    query = (
        select(Note)
        .where(*build_conditions(work, scope, filters))
        .options(defer(Note.text), defer(Note.return_reason), defer(Note.error_reason))
    )
    if not voided:
        query = query.where(Note.voided_at.is_(None))
    page = fetch_page(work.db, query, page_request, SORTABLE, Note.id, "-created_at")
    shown_id = find_shown_client(work, scope, filters.client_id, page.items)
    if shown_id is not None:
        work.record("client.read", "client", shown_id, part="notes", **reason_detail(reason))
    else:
        client_ids = (note.client_id for note in page.items)
        work.record_list("notes.listed", client_ids, found=len(page.items), **reason_detail(reason))
    return page


def build_conditions(work: Work, scope: Scope, filters: Filters) -> list[ColumnElement[bool]]:
    """Return the conditions for notes that the actor may read and that match the filters."""
    conditions = [Note.tenant_id == work.tenant_id, is_readable(work, scope, visible_clients)]
    for name in ("type", "status", "client_id", "clinician_id", "appointment_id"):
        value = getattr(filters, name)
        if value is not None:
            conditions.append(getattr(Note, name) == value)
    if filters.in_review is not None:
        in_review = and_(or_(Note.status == "IN_REVIEW", Note.version_in_review.is_not(None)), sees_drafts(work, scope))
        conditions.append(in_review if filters.in_review else ~in_review)
    if filters.since is not None:
        conditions.append(Note.created_at >= start_of_day(filters.since, zone_of(work)))
    if filters.until is not None:
        conditions.append(Note.created_at < start_of_day(filters.until + timedelta(days=1), zone_of(work)))
    return conditions


@dataclass(frozen=True)
class NoteView:
    """A note with its content and who signed it. Clients never see the reasons for addenda.

    The review returns, and `in_review`, an amendment or addendum that waits for the supervisor, are for those who can
    see the author's drafts (`with_drafts`).
    """

    note: Note
    base: Version
    addenda: Sequence[Version] = ()
    returns: Sequence[ReviewReturn] = ()
    signatures: Sequence[NoteSignature] = ()
    in_review: Version | None = None
    error_reason: str | None = None
    with_drafts: bool = True


def read_note(work: Work, scope: Scope, note_id: UUID, reason: str | None = None) -> NoteView:
    """Return a note with its content and record the access in the audit log."""
    note = find_note(work, scope, note_id)
    audit_chart_access(work, note, "note.read", reason)
    return load_note_view(work, note, with_drafts=can_see_drafts(work, scope, note))


def load_note_view(work: Work, note: Note, *, with_drafts: bool = True) -> NoteView:
    """Return the note with its content in force, addenda and signatures, and `with_drafts` the version in review and
    the review returns.
    """
    versions = load_current_versions(work, [note.id]).get(note.id)
    versions = versions or CurrentVersions(build_imported_version(work, note))
    return NoteView(
        note,
        versions.base,
        versions.addenda,
        load_review_returns(work, note) if with_drafts else (),
        load_signatures(work, note.id),
        versions.in_review if with_drafts else None,
        work.unseal("notes", "error_reason", note.id, note.error_reason),
        with_drafts,
    )


def can_see_drafts(work: Work, scope: Scope, note: Note) -> bool:
    """Return whether the actor can see what the note's author has not signed alone: the author and their supervisor."""
    return note.clinician_id in find_authors_with_drafts(work, scope, [note])


def sees_drafts(work: Work, scope: Scope) -> ColumnElement[bool]:
    """Return the condition for notes of which the actor can see drafts and the review."""
    return false() if work.actor.client_id is not None else visible_staff(work, scope, Note.clinician_id)


def find_authors_with_drafts(work: Work, scope: Scope, notes: Collection[Note]) -> set[UUID]:
    """Return the authors of these notes whose drafts and reviews the actor can see."""
    if work.actor.client_id is not None or not notes:
        return set()
    query = select(Staff.id).where(
        Staff.tenant_id == work.tenant_id, Staff.id.in_({note.clinician_id for note in notes})
    )
    return set(work.db.scalars(query.where(visible_staff(work, scope, Staff.id))))


def load_signatures(work: Work, note_id: UUID) -> list[NoteSignature]:
    """Return the signatures of a note in order."""
    query = select(NoteSignature).where(NoteSignature.tenant_id == work.tenant_id, NoteSignature.note_id == note_id)
    return list(work.db.scalars(query.order_by(NoteSignature.number)))


def load_review_returns(work: Work, note: Note) -> list[ReviewReturn]:
    """Return why the note was returned to its author, oldest first."""
    return parse_review_returns(work.unseal("notes", "return_reason", note.id, note.return_reason))


@dataclass(frozen=True)
class NoteHistory:
    """A note with its versions, signatures and review returns; all of them only `with_drafts`."""

    note: Note
    versions: Sequence[Version]
    signatures: Sequence[NoteSignature] = field(default_factory=list)
    returns: Sequence[ReviewReturn] = ()
    with_drafts: bool = True


def read_history(work: Work, scope: Scope, note_id: UUID, reason: str | None = None) -> NoteHistory:
    """Return every version, signature and review return, oldest first.

    Clients, and staff who cannot see the author's drafts, see it from the first signed version on, without amendments
    that were not co-signed and without returns.
    """
    note = find_note(work, scope, note_id)
    audit_chart_access(work, note, "note.history_read", reason)
    versions = load_versions(work, note_id) or [build_imported_version(work, note)]
    signatures = load_signatures(work, note_id)
    if can_see_drafts(work, scope, note):
        return NoteHistory(note, versions, signatures, load_review_returns(work, note))
    numbers = list_numbers_in_force(versions, signatures)
    shown = [version for version in versions if version.number in numbers]
    signed = [signature for signature in signatures if signature.version_number in numbers]
    return NoteHistory(note, shown, signed, with_drafts=False)


def list_numbers_in_force(versions: Collection[Any], signatures: Collection[NoteSignature]) -> set[int]:
    """Return the numbers of the versions that are or were in force, from the first signed one on."""
    first_signed = max((version.number for version in versions if version.kind == "CONTENT"), default=1)
    co_signed = {signature.version_number for signature in signatures if signature.kind == "CO_SIGNATURE"}
    return {
        version.number
        for version in versions
        if version.number >= first_signed and (not version.needs_review or version.number in co_signed)
    }


def find_note(work: Work, scope: Scope, note_id: UUID, *, wait_for_writers: bool = False) -> Note:
    """Return a readable note, or raise NotFound. `wait_for_writers` waits for transactions that are changing it."""
    query = select(Note).where(Note.tenant_id == work.tenant_id, Note.id == note_id, Note.voided_at.is_(None))
    query = query.where(is_readable(work, scope))
    note = work.db.scalar(query.with_for_update(read=True, of=Note) if wait_for_writers else query)
    if note is None:
        raise NotFound
    return note
