"""Verifying notes: everything that was kept of one, recomputed, beside what the audit trail remembers of it.

The trail is whole as far as its own verification says so (`practice/security/audit.py`).
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, text, tuple_

from practice.clinical.documents.rules.content import composed
from practice.clinical.models.notes import Note, NoteSignature, NoteVersion
from practice.clinical.notes.queries import find_note, told
from practice.clinical.notes.rules.signing import Facts
from practice.clinical.notes.rules.verification import TRAIL, Given, Problem, Standing, Stored, Told, Verdict, verdict
from practice.clinical.notes.versions import Version, opened, versions_of
from practice.security.doctor import Finding
from practice.security.encryption import DecryptionRefused
from practice.security.installation import Installation
from practice.security.models import AuditEntry
from practice.security.permissions import Scope
from practice.security.work import Actor, Work

PORTION = 500
SAID = ("version", "content", "signature", "hash", "type", "appointment_id")
GONE = text("""
    select cast(a.details ->> 'note_id' as uuid) from audit_log as a
    where a.tenant_id = :tenant_id and a.action = 'note.created' and not exists (
        select from notes as n where n.tenant_id = :tenant_id and n.id = cast(a.details ->> 'note_id' as uuid)
    )
    order by a.seq limit :most
""")
NAMED = 100  # as many are looked at a second time, and named


def verify_note(work: Work, scope: Scope, note_id: UUID, reason: str | None = None) -> Verdict:
    note = find_note(work, scope, note_id, settled=True)
    told(work, note, "note.verified", reason)
    return verdicts(work, [note])[note_id]


def verdicts(work: Work, notes: Sequence[Note]) -> dict[UUID, Verdict]:
    ids = [note.id for note in notes]
    versions = by_note(work.db.scalars(versions_of(work, ids)))
    row = NoteSignature
    query = select(row).where(row.tenant_id == work.tenant_id, row.note_id.in_(ids)).order_by(row.number)
    signatures = by_note(work.db.scalars(query))
    trail = trail_of(work, ids, {note.client_id for note in notes})
    return {
        note.id: verdict_on(work, note, versions.get(note.id, []), signatures.get(note.id, []), trail.get(note.id, []))
        for note in notes
    }


def verdict_on(
    work: Work,
    note: Note,
    versions: Sequence[NoteVersion],
    signatures: Sequence[NoteSignature],
    trail: Sequence[Told],
) -> Verdict:
    read = [(row, opened_or_not(work, row)) for row in versions]
    shown = shows_its_versions(work, note, [version for _, version in read])
    standing = Standing(
        *(note.status, note.signed_at, note.signed_by_id, shown),
        *(note.client_id, note.clinician_id, note.type, note.appointment_id, note.voided_at is not None),
    )
    stored = [
        Stored(row.number, row.kind, version.hash if version else None, row.written_by_id) for row, version in read
    ]
    return verdict(standing, stored, [given(signature) for signature in signatures], trail)


def opened_or_not(work: Work, row: NoteVersion) -> Version | None:
    try:
        return opened(work, row)
    except (DecryptionRefused, ValueError, KeyError, TypeError):  # sealed by us it was, but not this
        return None


def shows_its_versions(work: Work, note: Note, versions: Sequence[Version | None]) -> bool:
    """What cannot be opened says so elsewhere; what came in and was never changed has no versions."""
    if None in versions or not versions:
        return True
    whole = [version for version in versions if version is not None]
    base = [version.content for version in whole if version.kind != "ADDENDUM"][-1:]
    addenda = [version.content for version in whole if version.kind == "ADDENDUM"]
    try:
        return bool(base) and work.unseal("notes", "text", note.id, note.text) == composed(base[0], addenda)
    except DecryptionRefused:
        return False


def given(row: NoteSignature) -> Given:
    facts = Facts(
        row.tenant_id,
        row.note_id,
        row.number,
        row.version_number,
        row.kind,
        row.signed_by_id,
        row.account_id,
        row.signed_at,
    )
    return Given(facts, row.content_hash, row.previous_hash, row.hash)


def by_note(rows: Any) -> dict[UUID, list[Any]]:
    found: dict[UUID, list[Any]] = {}
    for row in rows:
        found.setdefault(row.note_id, []).append(row)
    return found


def trail_of(work: Work, note_ids: Collection[UUID], client_ids: Collection[UUID]) -> dict[UUID, list[Told]]:
    """What the audit trail says of these notes of these clients, in its order."""
    entry = AuditEntry
    query = select(entry.action, entry.subject_id, entry.details).where(
        entry.tenant_id == work.tenant_id, entry.subject_id.in_(client_ids), entry.action.in_(TRAIL)
    )
    wanted = {str(note_id): note_id for note_id in note_ids}
    found: dict[UUID, list[Told]] = {}
    for action, client_id, details in work.db.execute(query.order_by(entry.seq)):
        note_id = wanted.get(details.get("note_id"))
        if note_id is not None:
            said = (details.get(name) for name in SAID)
            found.setdefault(note_id, []).append(Told(action, client_id, *said))
    return found


# All notes of a practice, for `caseload doctor`


def examine_notes(installation: Installation, now: datetime, tenant_id: UUID, name: str) -> Iterator[Finding]:
    notes = signatures = 0
    suspects: list[UUID] = []
    with installation.work(Actor(tenant_id), now) as work:
        for portion in portions(work):
            found = verdicts(work, portion)
            notes += len(found)
            signatures += sum(one.signatures for one in found.values())
            suspects += [note_id for note_id, one in found.items() if one.problems]
            work.db.expunge_all()
    # somebody may have written while all this was read: those are looked at again, with nobody writing
    wrong = dict(again(installation, now, tenant_id, suspects[:NAMED])) | lost(installation, now, tenant_id)
    facts: dict[str, Any] = {"tenant_id": str(tenant_id), "notes": notes, "signatures": signatures}
    if wrong:
        some = "; ".join(
            f"{note_id}, {one.problems[0].where}: {one.problems[0].sentence.removesuffix('.')}"
            for note_id, one in list(wrong.items())[:3]
        )
        sentence = (
            f"{name}: {len(wrong)} notes are not what was written and signed ({some}). Keep the database as it is, "
            "and compare with a backup to see what was changed."
        )
        yield Finding("notes", False, sentence, facts | {"wrong": [str(note_id) for note_id in wrong]})
    else:
        yield Finding("notes", True, f"{name}: {notes} notes with {signatures} signatures, all as they were.", facts)


def portions(work: Work) -> Iterator[Sequence[Note]]:
    """Client by client, so that each chart's part of the audit trail is read once."""
    place, order = None, (Note.client_id, Note.id)
    while True:
        query = select(Note).where(Note.tenant_id == work.tenant_id).order_by(*order).limit(PORTION)
        if place is not None:
            query = query.where(tuple_(*order) > place)
        found = work.db.scalars(query).all()
        if not found:
            return
        yield found
        place = tuple_(found[-1].client_id, found[-1].id)


def again(
    installation: Installation, now: datetime, tenant_id: UUID, note_ids: Sequence[UUID]
) -> Iterator[tuple[UUID, Verdict]]:
    for note_id in note_ids:
        with installation.work(Actor(tenant_id), now) as work:
            query = select(Note).where(Note.tenant_id == tenant_id, Note.id == note_id).with_for_update(read=True)
            found = verdicts(work, [work.db.scalars(query).one()])[note_id]
        if found.problems:
            yield note_id, found


def lost(installation: Installation, now: datetime, tenant_id: UUID) -> dict[UUID, Verdict]:
    """Notes that the audit trail has seen begin, and that are not there: nothing else would miss them."""
    verdict_on_it = Verdict(0, 0, signed_elsewhere=False, problems=[Problem("note", "It is gone.")])
    with installation.work(Actor(tenant_id), now) as work:
        gone = work.db.scalars(GONE, {"tenant_id": tenant_id, "most": NAMED})
        return dict.fromkeys(gone, verdict_on_it)
