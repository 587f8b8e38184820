"""How a note is taken hold of for a change, and how signatures are put under it. The verbs build on this."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on

from practice.clinical.deadlines.locking import lock_sessions
from practice.clinical.documents.rules.content import composed
from practice.clinical.models.notes import Note, NoteSignature
from practice.clinical.notes.queries import known_to
from practice.clinical.notes.versions import Version, as_version, last_versions, put_versions
from practice.errors import NotFound, Stale
from practice.scheduling.models.appointments import Appointment
from practice.security.work import Work


@dataclass(slots=True)
class Held:
    """A note whose row is locked, after its session's; what it says, and the last signature under it."""

    note: Note
    session: Appointment | None
    base: Version
    addenda: list[Version] = field(default_factory=list)
    signatures: int = 0
    signature_hash: bytes | None = None
    came_in: bool = False  # with a bundle, and nobody has put a version under it yet

    @property
    def busy(self) -> bool:
        """It was put to a session a moment ago, which somebody has taken hold of."""
        return self.note.appointment_id is not None and self.session is None

    @property
    def number(self) -> int:
        """Of the last version."""
        return max(version.number for version in (self.base, *self.addenda))


def hold(work: Work, note_ids: Collection[UUID]) -> dict[UUID, Held]:
    """Those of them that there are for whoever asks, in a constant number of questions."""
    row = Note
    query = select(row.id, row.appointment_id).where(
        row.tenant_id == work.tenant_id, row.id.in_(note_ids), row.voided_at.is_(None), known_to(work)
    )
    found = work.db.execute(query).all()
    if not found:
        return {}
    sessions = lock_sessions(work, {appointment_id for _, appointment_id in found if appointment_id})
    ids = [note_id for note_id, _ in found]
    locked = select(row).where(row.tenant_id == work.tenant_id, row.id.in_(ids), row.voided_at.is_(None))
    locked = locked.order_by(row.id).with_for_update(key_share=True).execution_options(populate_existing=True)
    notes = {note.id: note for note in work.db.scalars(locked)}
    put_since = {note.appointment_id for note in notes.values() if note.appointment_id} - sessions.keys()
    sessions |= lock_sessions(work, put_since, waiting=False)
    bases, addenda = last_versions(work, notes)
    held = {}
    for note_id, note in notes.items():
        session = sessions.get(note.appointment_id) if note.appointment_id else None
        base = bases.get(note_id)
        held[note_id] = Held(note, session, base or as_version(work, note), addenda.get(note_id, []))
        held[note_id].came_in = base is None
    for signature in last_signatures(work, notes):
        one = held[signature.note_id]
        one.signatures, one.signature_hash = signature.number, signature.hash
    return held


def hold_one(work: Work, note_id: UUID) -> Held:
    held = hold(work, [note_id])
    if not held:
        raise NotFound
    if held[note_id].busy:
        raise Stale
    return held[note_id]


def keep_what_came(work: Work, held: Iterable[Held]) -> None:
    """Before anything is put under a note that came in with a bundle: its first version, as it came."""
    came = [one for one in held if one.came_in]
    put_versions(work, [(one.note.id, one.base) for one in came])
    for one in came:
        one.came_in = False
        record(work, "note.kept_as_it_came", one.note, **one.base.told)


def text_now(work: Work, held: Held) -> bytes | None:
    said = composed(held.base.content, [addendum.content for addendum in held.addenda])
    return work.seal("notes", "text", held.note.id, said)


# Signatures


def last_signatures(work: Work, note_ids: Collection[UUID]) -> Sequence[Any]:
    row = NoteSignature
    query = select(row.note_id, row.number, row.hash).where(row.tenant_id == work.tenant_id, row.note_id.in_(note_ids))
    return work.db.execute(query.ext(distinct_on(row.note_id)).order_by(row.note_id, row.number.desc())).all()


def record(work: Work, action: str, note: Note, **details: Any) -> None:
    """On the audit trail, as part of a client's chart."""
    work.record(action, "client", note.client_id, note_id=str(note.id), **details)
