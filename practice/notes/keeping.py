"""How a note is taken hold of for a change, and how versions and signatures are put under it. Verbs build on this."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from secrets import token_hex
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table, func, insert, or_, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import aliased

from practice.notes.content_rules import Content, as_it_came, composed, kept, read
from practice.notes.locking import lock_sessions
from practice.notes.models import Note, NoteSignature, NoteVersion
from practice.notes.reading import known_to
from practice.notes.refusals import NotYourNote
from practice.notes.signing_rules import Facts, content_hash, signature_hash
from practice.people.service import NotFound
from practice.scheduling.booking_models import Appointment
from practice.security.work import Work
from practice.store.ids import new_id

VERSIONS = cast(Table, NoteVersion.__table__)  # as tables: nothing of what is put there is needed as objects
SIGNATURES = cast(Table, NoteSignature.__table__)


@dataclass(slots=True)
class Version:
    number: int
    content: Content
    kept: str  # as it is sealed and signed
    reason: str | None = None


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
    def number(self) -> int:
        return max(version.number for version in (self.base, *self.addenda))


def salt() -> str:
    return token_hex(16)


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
    return held[note_id]


def last_versions(work: Work, note_ids: Collection[UUID]) -> tuple[dict[UUID, Version], dict[UUID, list[Version]]]:
    """What each note says, and what was added to it."""
    row, other = NoteVersion, aliased(NoteVersion)
    last = (
        select(func.max(other.number))
        .where(other.tenant_id == row.tenant_id, other.note_id == row.note_id, other.kind != "ADDENDUM")
        .scalar_subquery()
    )
    query = select(row.id, row.note_id, row.number, row.kind, row.content, row.reason).where(
        row.tenant_id == work.tenant_id, row.note_id.in_(note_ids), or_(row.kind == "ADDENDUM", row.number == last)
    )
    bases: dict[UUID, Version] = {}
    addenda: dict[UUID, list[Version]] = {}
    for found in work.db.execute(query.order_by(row.note_id, row.number)):
        version = opened(work, found)
        if found.kind == "ADDENDUM":
            addenda.setdefault(found.note_id, []).append(version)
        else:
            bases[found.note_id] = version
    return bases, addenda


def opened(work: Work, row: Any) -> Version:
    """A version's row, unsealed."""
    said = work.unseal("note_versions", "content", row.id, row.content) or ""
    return Version(row.number, read(said), said, work.unseal("note_versions", "reason", row.id, row.reason))


def as_version(work: Work, note: Note) -> Version:
    """What a note that came in with a bundle says, as its first version."""
    content = replace(as_it_came(work.unseal("notes", "text", note.id, note.text) or ""), salt=salt())
    return Version(1, content, kept(content))


def last_signatures(work: Work, note_ids: Collection[UUID]) -> Sequence[Any]:
    row = NoteSignature
    query = select(row.note_id, row.number, row.hash).where(row.tenant_id == work.tenant_id, row.note_id.in_(note_ids))
    return work.db.execute(query.ext(distinct_on(row.note_id)).order_by(row.note_id, row.number.desc())).all()


# Putting


def put_versions(work: Work, rows: Iterable[dict[str, Any]]) -> None:
    values = list(rows)
    if values:
        work.db.flush()  # the notes come first
        work.db.execute(insert(VERSIONS).values(values))


def version_row(
    work: Work,
    note_id: UUID,
    version: Version,
    kind: str = "CONTENT",
    *,
    generated: bool = False,
    came_in: bool = False,
) -> dict[str, Any]:
    row_id = new_id()
    return {
        "tenant_id": work.tenant_id,
        "id": row_id,
        "note_id": note_id,
        "number": version.number,
        "kind": kind,
        "content": work.seal("note_versions", "content", row_id, version.kept),
        "reason": work.seal("note_versions", "reason", row_id, version.reason),
        "generated": generated,
        "written_at": work.now,
        "written_by_id": None if came_in else work.actor.staff_id,
    }


def keep_what_came(work: Work, held: Iterable[Held]) -> None:
    """Before anything is put under a note that came in with a bundle: its first version, as it came."""
    came = [one for one in held if one.came_in]
    put_versions(work, [version_row(work, one.note.id, one.base, came_in=True) for one in came])
    for one in came:
        one.came_in = False
        record(work, "note.kept_as_it_came", one.note, **written(one.base))


def add_version(work: Work, held: Held, content: Content, *, generated: bool = False) -> Version:
    """A further version of a draft, and what the note says now."""
    keep_what_came(work, [held])
    version = Version(held.number + 1, content, kept(content))
    put_versions(work, [version_row(work, held.note.id, version, generated=generated)])
    held.base = version
    return version


def text_now(work: Work, held: Held) -> bytes | None:
    said = composed(held.base.content, [addendum.content for addendum in held.addenda])
    return work.seal("notes", "text", held.note.id, said)


@dataclass(frozen=True, slots=True)
class Signature:
    """Somebody's, now, under a version of a note."""

    held: Held
    version: Version
    kind: str


def put_signatures(work: Work, signatures: Sequence[Signature]) -> dict[UUID, dict[str, Any]]:
    """By note, what the audit trail is to hold of each: without that, nobody would miss the last one."""
    signer, account = work.actor.staff_id, work.actor.account_id
    if signer is None or account is None:
        raise NotYourNote("Notes are signed by people who have signed in.")
    rows, told = [], {}
    for one in signatures:
        note_id, number = one.held.note.id, one.held.signatures + 1
        facts = Facts(work.tenant_id, note_id, number, one.version.number, one.kind, signer, account, work.now)
        content = content_hash(one.version.kept, one.version.reason)
        hashed = signature_hash(one.held.signature_hash, content, facts)
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
                "content_hash": content,
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


# The audit trail


def record(work: Work, action: str, note: Note, **details: Any) -> None:
    """Of a client's chart."""
    work.record(action, "client", note.client_id, note_id=str(note.id), **details)


def written(version: Version) -> dict[str, Any]:
    """Of a version, for the audit trail: which one, and its hash, by which a change of what was kept is seen."""
    return {"version": version.number, "content": content_hash(version.kept, version.reason).hex()}
