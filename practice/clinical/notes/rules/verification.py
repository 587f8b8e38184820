"""Rules that compare a note's versions and signatures with the audit log."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from practice.clinical.notes.rules.signing import SignatureFacts, hash_signature

SIGNATURE_ACTIONS = {
    "AUTHOR": ("note.submitted", "note.signed"),
    "CO_SIGNATURE": ("note.co_signed", "note.amendment_co_signed"),
    "AMENDMENT": ("note.amended", "note.amendment_submitted"),
    "ADDENDUM": ("note.added_to", "note.addendum_submitted"),
}
SIGNING_ACTIONS = ("note.signed", "note.co_signed")
AMENDING_ACTIONS = ("note.amended", "note.added_to", "note.amendment_co_signed")
REVIEW_ACTIONS = ("note.submitted", "note.returned", "note.withdrawn")
# Of amendments and addenda: those that begin a review and those that end it.
AMENDMENT_SUBMIT_ACTIONS = ("note.amendment_submitted", "note.addendum_submitted")
AMENDMENT_END_ACTIONS = ("note.amendment_co_signed", "note.amendment_returned", "note.amendment_withdrawn")
SESSION_ACTIONS = ("note.created", "note.linked")
VERIFIED_ACTIONS = (
    *SESSION_ACTIONS,
    "note.saved",
    "note.import_stored",
    "note.voided",
    "note.entered_in_error",
    *SIGNING_ACTIONS,
    *AMENDING_ACTIONS,
    *REVIEW_ACTIONS,
    *AMENDMENT_SUBMIT_ACTIONS,
    *AMENDMENT_END_ACTIONS,
)


class TrailEntry(NamedTuple):
    """An audit entry about a note: a version or signature with its hash, or the note's type and session."""

    action: str
    client_id: UUID | None
    version: int | None
    content: str | None
    signature: int | None
    hash: str | None
    type: str | None
    appointment_id: str | None


@dataclass(frozen=True)
class StoredVersion:
    """A version as it is stored. `hash` is None if it cannot be decrypted."""

    number: int
    kind: str
    hash: bytes | None
    written_by_id: UUID | None
    needs_review: bool = False


@dataclass(frozen=True)
class StoredSignature:
    """A signature as it is stored."""

    facts: SignatureFacts
    content_hash: bytes
    previous_hash: bytes | None
    hash: bytes


@dataclass(frozen=True)
class NoteState:
    """A note's own columns, as far as the audit log can confirm them."""

    status: str
    signed_at: datetime | None
    signed_by_id: UUID | None
    text_matches_versions: bool  # the displayed text equals the versions
    client_id: UUID
    clinician_id: UUID
    type: str
    appointment_id: UUID | None
    voided: bool
    version_in_review: int | None = None


@dataclass(frozen=True)
class Problem:
    """One mismatch and where it was found."""

    where: str
    message: str


@dataclass(frozen=True)
class VerificationResult:
    """What was checked and which problems were found."""

    version_count: int
    signature_count: int
    has_imported_signature: bool
    problems: list[Problem] = field(default_factory=list)


def check_note(
    state: NoteState,
    versions: Sequence[StoredVersion],
    signatures: Sequence[StoredSignature],
    trail: Sequence[TrailEntry],
) -> VerificationResult:
    """Return the verification result of a note.

    Versions and signatures are ordered by number, the trail by sequence.
    """
    is_imported = not any(entry.action == "note.created" for entry in trail)
    signed_here = any(entry.action in SIGNING_ACTIONS for entry in trail)
    problems = [
        *version_problems(versions, trail),
        *signature_problems(versions, signatures, trail),
        *coverage_problems(state, versions, signatures),
        *status_problems(state, signatures, trail, is_imported),
        *assignment_problems(state, versions, signatures, trail),
    ]
    has_imported_signature = is_imported and not signed_here and state.signed_at is not None
    return VerificationResult(len(versions), len(signatures), has_imported_signature, problems)


def version_problems(versions: Sequence[StoredVersion], trail: Iterable[TrailEntry]) -> list[Problem]:
    """Return versions that are missing, unreadable, unknown to the audit log or changed."""
    recorded = {entry.version: entry.content for entry in trail if entry.version is not None}
    submitted = {entry.version for entry in trail if entry.action in AMENDMENT_SUBMIT_ACTIONS}
    stored = {version.number: version for version in versions}
    expected = {*recorded, *range(1, max(stored, default=0) + 1)}
    problems = [Problem(f"version {number}", "This version is missing.") for number in sorted(expected - stored.keys())]
    for number, version in stored.items():
        if version.hash is None:
            message = "This version cannot be decrypted: it was altered or copied from another record."
        elif number not in recorded:
            message = "The audit log has no entry for this version."
        elif version.hash.hex() != recorded[number]:
            message = "This version differs from what was saved."
        elif version.needs_review != (number in submitted):
            message = "Whether this version needs a co-signature differs from the audit log."
        else:
            continue
        problems.append(Problem(f"version {number}", message))
    return problems


def signature_problems(
    versions: Iterable[StoredVersion], signatures: Sequence[StoredSignature], trail: Sequence[TrailEntry]
) -> list[Problem]:
    """Return signatures that are missing, changed, out of chain or unknown to the audit log."""
    recorded = {entry.signature: entry for entry in trail if entry.signature is not None}
    stored_versions = {version.number: version for version in versions}
    numbers = {signature.facts.number for signature in signatures}
    expected = {*recorded, *range(1, max(numbers, default=0) + 1)}
    problems = [Problem(f"signature {number}", "This signature is missing.") for number in sorted(expected - numbers)]
    previous_hash = None
    for signature in signatures:
        facts, where = signature.facts, f"signature {signature.facts.number}"
        version, entry = stored_versions.get(facts.version), recorded.get(facts.number)
        if signature.previous_hash != previous_hash:
            problems.append(Problem(where, "This signature is not chained to the previous one."))
        if hash_signature(signature.previous_hash, signature.content_hash, facts) != signature.hash:
            problems.append(Problem(where, "This signature was altered."))
        if version is None or version.hash != signature.content_hash:
            problems.append(Problem(where, f"This signature does not match the content of version {facts.version}."))
        if (
            entry is None
            or entry.hash != signature.hash.hex()
            or entry.action not in SIGNATURE_ACTIONS.get(facts.kind, ())
        ):
            problems.append(Problem(where, "This signature differs from the audit log."))
        previous_hash = signature.hash
    return problems


def coverage_problems(
    state: NoteState, versions: Sequence[StoredVersion], signatures: Sequence[StoredSignature]
) -> list[Problem]:
    """Return versions without the signature they need, and a displayed text that differs from the versions."""
    covered = {signature.facts.version for signature in signatures}
    problems = []
    if state.status != "DRAFT" and covered and versions and versions[-1].number not in covered:
        last = f"version {versions[-1].number}"
        problems.append(Problem(last, "This version follows the last signature and has none of its own."))
    kinds = {(signature.facts.version, signature.facts.kind) for signature in signatures}
    problems += [
        Problem(f"version {version.number}", "This version has no signature of its own.")
        for version in versions
        if version.kind != "CONTENT" and (version.number, version.kind) not in kinds
    ]
    if not state.text_matches_versions:
        problems.append(Problem("text", "The displayed text differs from the versions."))
    return problems


def status_problems(
    state: NoteState, signatures: Iterable[StoredSignature], trail: Sequence[TrailEntry], is_imported: bool
) -> list[Problem]:
    """Return contradictions between status and signatures. An imported note's status is taken as given."""
    by_number = {signature.facts.number: signature.facts for signature in signatures}
    first_signature = next((entry.signature for entry in trail if entry.action in SIGNING_ACTIONS), None)
    is_amended = any(entry.action in AMENDING_ACTIONS for entry in trail)
    is_signed = state.signed_at is not None
    problems = []
    if first_signature is not None:
        facts = by_number.get(first_signature)
        if facts is None or (state.signed_at, state.signed_by_id) != (facts.at, facts.signer):
            problems.append(Problem("note", "The time of signing or the signer differs from the signature."))
    elif is_signed and not is_imported:
        problems.append(Problem("note", "The note is marked as signed, but nobody has signed it."))
    steps = [entry.action for entry in trail if entry.action in REVIEW_ACTIONS]
    if any(entry.action == "note.entered_in_error" for entry in trail):
        possible = {"ENTERED_IN_ERROR"}
    elif is_amended:
        possible = {"AMENDED"}
    elif first_signature is not None:
        possible = {"SIGNED"}
    elif steps:
        possible = {"IN_REVIEW"} if steps[-1] == "note.submitted" else {"DRAFT"}
    elif is_imported:
        possible = {"SIGNED", "AMENDED", "DRAFT", "IN_REVIEW"}
    else:
        possible = {"DRAFT"}
    if state.status not in possible:
        problems.append(Problem("note", "The note's status contradicts its history."))
    if state.version_in_review != find_version_in_review(trail):
        problems.append(Problem("note", "The note's amendment in review contradicts its history."))
    return problems


def find_version_in_review(trail: Iterable[TrailEntry]) -> int | None:
    """Return the amendment or addendum that waits for the supervisor by the audit log."""
    number = None
    for entry in trail:
        if entry.action in AMENDMENT_SUBMIT_ACTIONS:
            number = entry.version
        elif entry.action in (*AMENDMENT_END_ACTIONS, "note.entered_in_error"):
            number = None
    return number


def assignment_problems(
    state: NoteState,
    versions: Iterable[StoredVersion],
    signatures: Iterable[StoredSignature],
    trail: Sequence[TrailEntry],
) -> list[Problem]:
    """Return changes of the note's client, author, type, session or voiding, which no signature covers."""
    authors = {version.written_by_id for version in versions if version.written_by_id is not None}
    authors |= {signature.facts.signer for signature in signatures if signature.facts.kind != "CO_SIGNATURE"}
    types = {entry.type for entry in trail if entry.action == "note.created"}
    session_ids = [entry.appointment_id for entry in trail if entry.action in SESSION_ACTIONS]
    session_id = None if state.appointment_id is None else str(state.appointment_id)
    checks = {
        "The note was written in another client's chart.": {entry.client_id for entry in trail} - {state.client_id},
        "The note was written or signed by another author.": authors - {state.clinician_id},
        "The note was created with another type.": types - {state.type},
        "The note was written about another session.": session_ids and session_ids[-1] != session_id,
        "The note's voiding contradicts the audit log.": state.voided
        != any(entry.action == "note.voided" for entry in trail),
    }
    return [Problem("note", message) for message, is_wrong in checks.items() if is_wrong]
