"""Storing signatures of locked notes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table, insert

from practice.clinical.errors import NotYourNote
from practice.clinical.models.notes import NoteSignature
from practice.clinical.notes.locked_notes import LockedNote
from practice.clinical.notes.rules.signing import SignatureFacts, hash_signature
from practice.clinical.notes.versions import Version
from practice.security.work import Work
from practice.store.ids import new_id

SIGNATURES = cast(Table, NoteSignature.__table__)  # the table, because inserted rows are not needed as objects


@dataclass(frozen=True, slots=True)
class NewSignature:
    """A signature by the actor of a version of a locked note."""

    locked: LockedNote
    version: Version
    kind: str


def store_signatures(work: Work, signatures: Sequence[NewSignature]) -> dict[UUID, dict[str, Any]]:
    """Store signatures and return their audit details by note.

    The audit log holds each hash, so that the removal of the last signature is noticed.
    """
    signer_id, account_id = work.actor.staff_id, work.actor.account_id
    if signer_id is None or account_id is None:
        raise NotYourNote("Only staff who are signed in can sign notes.")
    rows, audit_details = [], {}
    for signature in signatures:
        note_id, number = signature.locked.note.id, signature.locked.signatures + 1
        facts = SignatureFacts(
            work.tenant_id, note_id, number, signature.version.number, signature.kind, signer_id, account_id, work.now
        )
        signature_hash = hash_signature(signature.locked.signature_hash, signature.version.hash, facts)
        rows.append(
            {
                "tenant_id": work.tenant_id,
                "id": new_id(),
                "note_id": note_id,
                "number": number,
                "version_number": signature.version.number,
                "kind": signature.kind,
                "signed_at": work.now,
                "signed_by_id": signer_id,
                "account_id": account_id,
                "content_hash": signature.version.hash,
                "previous_hash": signature.locked.signature_hash,
                "hash": signature_hash,
            }
        )
        signature.locked.signatures, signature.locked.signature_hash = number, signature_hash
        audit_details[note_id] = {"signature": number, "hash": signature_hash.hex()}
    if rows:
        work.db.flush()
        work.db.execute(insert(SIGNATURES).values(rows))
    return audit_details
