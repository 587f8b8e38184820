"""How a note is taken hold of for a change, and how signatures are put under it. The verbs build on this."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table, insert, select
from sqlalchemy.dialects.postgresql import distinct_on

from practice.notes.content_rules import composed
from practice.notes.locking import lock_sessions
from practice.notes.models import Note, NoteSignature
from practice.notes.reading import known_to
from practice.notes.refusals import NotYourNote
from practice.notes.signing_rules import Facts, signature_hash
from practice.notes.versions import Version, as_version, last_versions, put_versions
from practice.people.service import NotFound, Stale
from practice.scheduling.booking_models import Appointment
from practice.security.work import Work
from practice.store.ids import new_id

SIGNATURES = cast(Table, NoteSignature.__table__)  # as a table: nothing of what is put there is needed as objects


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


@dataclass(frozen=True, slots=True)
class Signature:
    """Somebody's, now, under a version of a note."""

    held: Held
    version: Version
    kind: str


def last_signatures(work: Work, note_ids: Collection[UUID]) -> Sequence[Any]:
    row = NoteSignature
    query = select(row.note_id, row.number, row.hash).where(row.tenant_id == work.tenant_id, row.note_id.in_(note_ids))
    return work.db.execute(query.ext(distinct_on(row.note_id)).order_by(row.note_id, row.number.desc())).all()


def put_signatures(work: Work, signatures: Sequence[Signature]) -> dict[UUID, dict[str, Any]]:
    """By note, what the audit trail is to hold of each: without that, nobody would miss the last one."""
    signer, account = work.actor.staff_id, work.actor.account_id
    if signer is None or account is None:
        raise NotYourNote("Notes are signed by people who have signed in.")
    rows, told = [], {}
    for one in signatures:
        note_id, number = one.held.note.id, one.held.signatures + 1
        facts = Facts(work.tenant_id, note_id, number, one.version.number, one.kind, signer, account, work.now)
        hashed = signature_hash(one.held.signature_hash, one.version.hash, facts)
        rows.append(
            {
                "tenant_id": work.tenant_id,
                "id": new_id(),
                "note_id": note_id,
                "number": number,
                "version_number": one.version.number,
                "kind": one.kind,
                "signed_at": work.now,
                "signed_by_id": signer,
                "account_id": account,
                "content_hash": one.version.hash,
                "previous_hash": one.held.signature_hash,
                "hash": hashed,
            }
        )
        one.held.signatures, one.held.signature_hash = number, hashed
        told[note_id] = {"signature": number, "hash": hashed.hex()}
    if rows:
        work.db.flush()
        work.db.execute(insert(SIGNATURES).values(rows))
    return told


def record(work: Work, action: str, note: Note, **details: Any) -> None:
    """On the audit trail, as part of a client's chart."""
    work.record(action, "client", note.client_id, note_id=str(note.id), **details)
