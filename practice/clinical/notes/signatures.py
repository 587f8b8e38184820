"""Writing signatures under locked notes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table, insert

from practice.clinical.errors import NotYourNote
from practice.clinical.models.notes import NoteSignature
from practice.clinical.notes.locked_notes import Held
from practice.clinical.notes.rules.signing import Facts, signature_hash
from practice.clinical.notes.versions import Version
from practice.security.work import Work
from practice.store.ids import new_id

SIGNATURES = cast(Table, NoteSignature.__table__)  # as a table: nothing of what is put there is needed as objects


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
