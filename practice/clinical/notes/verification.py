"""Verification of notes: versions and signatures are recomputed and compared with the audit log.

The audit log has its own verification (`practice/security/audit.py`).
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, text, tuple_

from practice.clinical.chart_audit import audit_chart_access
from practice.clinical.documents.rules.content import full_text
from practice.clinical.models.notes import Note, NoteSignature, NoteVersion
from practice.clinical.notes.queries import can_see_drafts, find_note, list_numbers_in_force, load_signatures
from practice.clinical.notes.rules.signing import SignatureFacts
from practice.clinical.notes.rules.verification import (
    VERIFIED_ACTIONS,
    NoteState,
    Problem,
    StoredSignature,
    StoredVersion,
    TrailEntry,
    VerificationResult,
    check_note,
)
from practice.clinical.notes.versions import Version, open_version, select_versions
from practice.security.doctor import Finding
from practice.security.encryption import DecryptionRefused
from practice.security.installation import Installation
from practice.security.models import AuditEntry
from practice.security.permissions import Scope
from practice.security.retired_actions import current_name, list_names
from practice.security.work import Actor, Work
from practice.text import format_count

BATCH_SIZE = 500
TRAIL_DETAILS = ("version", "content", "signature", "hash", "type", "appointment_id")
DELETED_NOTES_SQL = text("""
    select cast(a.details ->> 'note_id' as uuid) from audit_log as a
    where a.tenant_id = :tenant_id and a.action = 'note.created' and not exists (
        select from notes as n where n.tenant_id = :tenant_id and n.id = cast(a.details ->> 'note_id' as uuid)
    )
    order by a.seq limit :most
""")
MAX_NAMED = 100  # suspect notes that are rechecked and named


def verify_note(work: Work, scope: Scope, note_id: UUID, reason: str | None = None) -> VerificationResult:
    """Verify one note and record the access in the audit log.

    For those who cannot see the author's drafts, only what is or was in force is counted; all of it is verified.
    """
    note = find_note(work, scope, note_id, wait_for_writers=True)
    audit_chart_access(work, note, "note.verified", reason)
    result = verify_notes(work, [note])[note_id]
    if can_see_drafts(work, scope, note):
        return result
    versions = list(work.db.scalars(select_versions(work, [note_id])))
    signatures = load_signatures(work, note_id)
    numbers = list_numbers_in_force(versions, signatures)
    signed = [signature for signature in signatures if signature.version_number in numbers]
    return replace(result, version_count=len(numbers), signature_count=len(signed))


def verify_notes(work: Work, notes: Sequence[Note]) -> dict[UUID, VerificationResult]:
    """Return the verification results by note."""
    ids = [note.id for note in notes]
    versions = group_by_note(work.db.scalars(select_versions(work, ids)))
    query = (
        select(NoteSignature)
        .where(NoteSignature.tenant_id == work.tenant_id, NoteSignature.note_id.in_(ids))
        .order_by(NoteSignature.number)
    )
    signatures = group_by_note(work.db.scalars(query))
    trail = load_trail(work, ids, {note.client_id for note in notes})
    return {
        note.id: verify_records(
            work, note, versions.get(note.id, []), signatures.get(note.id, []), trail.get(note.id, [])
        )
        for note in notes
    }


def verify_records(
    work: Work,
    note: Note,
    versions: Sequence[NoteVersion],
    signatures: Sequence[NoteSignature],
    trail: Sequence[TrailEntry],
) -> VerificationResult:
    """Return the verification result of a note from its stored versions, signatures and audit entries."""
    opened_versions = [(row, try_open_version(work, row)) for row in versions]
    co_signed = {row.version_number for row in signatures if row.kind == "CO_SIGNATURE"}
    in_force = [version for row, version in opened_versions if not row.needs_review or row.number in co_signed]
    text_matches = has_matching_text(work, note, in_force)
    state = NoteState(
        note.status,
        note.signed_at,
        note.signed_by_id,
        text_matches,
        note.client_id,
        note.clinician_id,
        note.type,
        note.appointment_id,
        note.voided_at is not None,
        note.version_in_review,
    )
    stored_versions = [
        StoredVersion(row.number, row.kind, version.hash if version else None, row.written_by_id, row.needs_review)
        for row, version in opened_versions
    ]
    return check_note(state, stored_versions, [to_stored_signature(signature) for signature in signatures], trail)


def try_open_version(work: Work, row: NoteVersion) -> Version | None:
    """Return the decrypted version, or None if it was tampered with."""
    try:
        return open_version(work, row)
    except (
        DecryptionRefused,
        ValueError,
        KeyError,
        TypeError,
    ):  # authentic encryption of something other than a version
        return None


def has_matching_text(work: Work, note: Note, versions: Sequence[Version | None]) -> bool:
    """Return whether the displayed text equals the versions.

    Unreadable versions are reported elsewhere, and an imported note that never changed has no versions.
    """
    if None in versions or not versions:
        return True
    opened = [version for version in versions if version is not None]
    base = [version.content for version in opened if version.kind != "ADDENDUM"][-1:]
    addenda = [version.content for version in opened if version.kind == "ADDENDUM"]
    try:
        return bool(base) and work.unseal("notes", "text", note.id, note.text) == full_text(base[0], addenda)
    except DecryptionRefused:
        return False


def to_stored_signature(row: NoteSignature) -> StoredSignature:
    facts = SignatureFacts(
        row.tenant_id,
        row.note_id,
        row.number,
        row.version_number,
        row.kind,
        row.signed_by_id,
        row.account_id,
        row.signed_at,
    )
    return StoredSignature(facts, row.content_hash, row.previous_hash, row.hash)


def group_by_note(rows: Any) -> dict[UUID, list[Any]]:
    groups: dict[UUID, list[Any]] = {}
    for row in rows:
        groups.setdefault(row.note_id, []).append(row)
    return groups


def load_trail(work: Work, note_ids: Collection[UUID], client_ids: Collection[UUID]) -> dict[UUID, list[TrailEntry]]:
    """Return the audit entries about the notes by note, in order of sequence."""
    query = select(AuditEntry.action, AuditEntry.subject_id, AuditEntry.details).where(
        AuditEntry.tenant_id == work.tenant_id,
        AuditEntry.subject_id.in_(client_ids),
        AuditEntry.action.in_(list_names(VERIFIED_ACTIONS)),
    )
    ids = {str(note_id): note_id for note_id in note_ids}
    trail: dict[UUID, list[TrailEntry]] = {}
    for action, client_id, details in work.db.execute(query.order_by(AuditEntry.seq)):
        note_id = ids.get(details.get("note_id"))
        if note_id is not None:
            values = (details.get(name) for name in TRAIL_DETAILS)
            trail.setdefault(note_id, []).append(TrailEntry(current_name(action), client_id, *values))
    return trail


# All notes of a practice, for `caseload doctor`


def examine_notes(installation: Installation, now: datetime, tenant_id: UUID, name: str) -> Iterator[Finding]:
    """Yield the finding of `caseload doctor` about all notes of a practice.

    Notes with problems are verified a second time under a lock, because they may have been written during the first
    pass.
    """
    note_count = signature_count = 0
    suspects: list[UUID] = []
    with installation.work(Actor(tenant_id), now) as work:
        for batch in iterate_batches(work):
            results = verify_notes(work, batch)
            note_count += len(results)
            signature_count += sum(result.signature_count for result in results.values())
            suspects += [note_id for note_id, result in results.items() if result.problems]
            work.db.expunge_all()
    wrong = dict(recheck_notes(installation, now, tenant_id, suspects[:MAX_NAMED]))
    wrong |= find_deleted_notes(installation, now, tenant_id)
    facts: dict[str, Any] = {"tenant_id": str(tenant_id), "notes": note_count, "signatures": signature_count}
    notes = format_count(note_count, "note")
    if wrong:
        examples = "; ".join(
            f"{note_id}, {result.problems[0].where}: {result.problems[0].message.removesuffix('.')}"
            for note_id, result in list(wrong.items())[:3]
        )
        message = (
            f"{name}: {format_count(len(wrong), 'note')} not as written and signed ({examples}). Do not change the "
            "database, and compare it with a backup to find what was changed."
        )
        yield Finding("notes", False, message, facts | {"wrong": [str(note_id) for note_id in wrong]})
    else:
        yield Finding(
            "notes",
            True,
            f"{name}: {notes} with {format_count(signature_count, 'signature')}, all intact.",
            facts,
        )


def iterate_batches(work: Work) -> Iterator[Sequence[Note]]:
    """Yield the practice's notes in batches, client by client, so that each chart's audit entries are read once."""
    position, order = None, (Note.client_id, Note.id)
    while True:
        query = select(Note).where(Note.tenant_id == work.tenant_id).order_by(*order).limit(BATCH_SIZE)
        if position is not None:
            query = query.where(tuple_(*order) > position)
        batch = work.db.scalars(query).all()
        if not batch:
            return
        yield batch
        position = tuple_(batch[-1].client_id, batch[-1].id)


def recheck_notes(
    installation: Installation, now: datetime, tenant_id: UUID, note_ids: Sequence[UUID]
) -> Iterator[tuple[UUID, VerificationResult]]:
    """Yield the notes that still have problems when nobody can write to them."""
    for note_id in note_ids:
        with installation.work(Actor(tenant_id), now) as work:
            query = select(Note).where(Note.tenant_id == tenant_id, Note.id == note_id).with_for_update(read=True)
            result = verify_notes(work, [work.db.scalars(query).one()])[note_id]
        if result.problems:
            yield note_id, result


def find_deleted_notes(installation: Installation, now: datetime, tenant_id: UUID) -> dict[UUID, VerificationResult]:
    """Return notes that the audit log has seen created and that no longer exist."""
    result = VerificationResult(0, 0, has_imported_signature=False, problems=[Problem("note", "The note was deleted.")])
    with installation.work(Actor(tenant_id), now) as work:
        note_ids = work.db.scalars(DELETED_NOTES_SQL, {"tenant_id": tenant_id, "most": MAX_NAMED})
        return dict.fromkeys(note_ids, result)
