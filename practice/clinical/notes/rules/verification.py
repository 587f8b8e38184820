"""Rules of what a note's versions and signatures must be, beside what the audit trail remembers of each of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from practice.clinical.notes.rules.signing import Facts, signature_hash

SIGNED_BY = {"AUTHOR": ("note.submitted", "note.signed"), "CO_SIGNATURE": ("note.co_signed",)}
SIGNED_BY |= {"AMENDMENT": ("note.amended",), "ADDENDUM": ("note.added_to",)}
SIGNING = ("note.signed", "note.co_signed")
LATER = ("note.amended", "note.added_to")
STEPS = ("note.submitted", "note.returned", "note.withdrawn")
PLACED = ("note.created", "note.linked")
TRAIL = (*PLACED, "note.saved", "note.kept_as_it_came", "note.voided", *SIGNING, *LATER, *STEPS)


class Told(NamedTuple):
    """An entry of the audit trail, on a client's chart: which version was written, which signature was given, each with
    its hash; what was begun, and of which session."""

    action: str
    client_id: UUID | None
    version: int | None
    content: str | None
    signature: int | None
    hash: str | None
    type: str | None
    appointment_id: str | None


@dataclass(frozen=True)
class Stored:
    """A version as it is kept. Without a hash it could not be opened."""

    number: int
    kind: str
    hash: bytes | None
    written_by_id: UUID | None


@dataclass(frozen=True)
class Given:
    """A signature as it is kept."""

    facts: Facts
    content_hash: bytes
    previous_hash: bytes | None
    hash: bytes


@dataclass(frozen=True)
class Standing:
    status: str
    signed_at: datetime | None
    signed_by_id: UUID | None
    shows_its_versions: bool  # the text that is shown is what the versions say
    client_id: UUID
    clinician_id: UUID
    type: str
    appointment_id: UUID | None
    voided: bool


@dataclass(frozen=True)
class Problem:
    where: str
    sentence: str


@dataclass(frozen=True)
class Verdict:
    versions: int
    signatures: int
    signed_elsewhere: bool
    problems: list[Problem] = field(default_factory=list)


def verdict(
    standing: Standing, versions: Sequence[Stored], signatures: Sequence[Given], trail: Sequence[Told]
) -> Verdict:
    """Versions and signatures in the order of their numbers, the trail in that of its entries."""
    came_in = not any(entry.action == "note.created" for entry in trail)
    signed_here = any(entry.action in SIGNING for entry in trail)
    problems = [
        *version_problems(versions, trail),
        *signature_problems(versions, signatures, trail),
        *cover_problems(standing, versions, signatures),
        *standing_problems(standing, signatures, trail, came_in),
        *place_problems(standing, versions, signatures, trail),
    ]
    elsewhere = came_in and not signed_here and standing.signed_at is not None
    return Verdict(len(versions), len(signatures), elsewhere, problems)


def version_problems(versions: Sequence[Stored], trail: Iterable[Told]) -> list[Problem]:
    told = {entry.version: entry.content for entry in trail if entry.version is not None}
    found = {version.number: version for version in versions}
    expected = {*told, *range(1, max(found, default=0) + 1)}
    problems = [Problem(f"version {number}", "This version is missing.") for number in sorted(expected - found.keys())]
    for number, version in found.items():
        if version.hash is None:
            problem = "This version cannot be opened: it was altered, or is another record's."
        elif number not in told:
            problem = "The audit trail does not know of this version."
        elif version.hash.hex() != told[number]:
            problem = "This version does not say what was saved."
        else:
            continue
        problems.append(Problem(f"version {number}", problem))
    return problems


def signature_problems(versions: Iterable[Stored], signatures: Sequence[Given], trail: Sequence[Told]) -> list[Problem]:
    told = {entry.signature: entry for entry in trail if entry.signature is not None}
    contents = {version.number: version for version in versions}
    found = {signature.facts.number for signature in signatures}
    expected = {*told, *range(1, max(found, default=0) + 1)}
    problems = [Problem(f"signature {number}", "This signature is missing.") for number in sorted(expected - found)]
    before = None
    for one in signatures:
        facts, where = one.facts, f"signature {one.facts.number}"
        version, entry = contents.get(facts.version), told.get(facts.number)
        if one.previous_hash != before:
            problems.append(Problem(where, "This signature does not follow on the one before it."))
        if signature_hash(one.previous_hash, one.content_hash, facts) != one.hash:
            problems.append(Problem(where, "This signature was altered."))
        if version is None or version.hash != one.content_hash:
            problems.append(Problem(where, f"This signature is not over what version {facts.version} says."))
        if entry is None or entry.hash != one.hash.hex() or entry.action not in SIGNED_BY.get(facts.kind, ()):
            problems.append(Problem(where, "This signature is not the one that the audit trail knows of."))
        before = one.hash
    return problems


def cover_problems(standing: Standing, versions: Sequence[Stored], signatures: Sequence[Given]) -> list[Problem]:
    """Nothing comes after a signature without one of its own, and nothing is changed that is handed in."""
    covered = {signature.facts.version for signature in signatures}
    problems = []
    if standing.status != "DRAFT" and covered and versions and versions[-1].number not in covered:
        last = f"version {versions[-1].number}"
        problems.append(Problem(last, "This version came after the last signature and has none of its own."))
    kinds = {signature.facts.version: signature.facts.kind for signature in signatures}
    problems += [
        Problem(f"version {version.number}", "This version has no signature of its own.")
        for version in versions
        if version.kind != "CONTENT" and kinds.get(version.number) != version.kind
    ]
    if not standing.shows_its_versions:
        problems.append(Problem("text", "What the note shows is not what its versions say."))
    return problems


def standing_problems(
    standing: Standing, signatures: Iterable[Given], trail: Sequence[Told], came_in: bool
) -> list[Problem]:
    """Whether the note is as far as its signatures say. How far it was when it came in, nobody here has signed."""
    by_number = {signature.facts.number: signature.facts for signature in signatures}
    first = next((entry.signature for entry in trail if entry.action in SIGNING), None)
    later = any(entry.action in LATER for entry in trail)
    is_signed = standing.signed_at is not None
    problems = []
    if first is not None:
        facts = by_number.get(first)
        if facts is None or (standing.signed_at, standing.signed_by_id) != (facts.at, facts.signer):
            problems.append(Problem("note", "It was not signed when, or not by whom, the note says."))
    elif is_signed and not came_in:
        problems.append(Problem("note", "The note is marked as signed, but nobody has signed it."))
    steps = [entry.action for entry in trail if entry.action in STEPS]
    if later:
        possible = {"AMENDED"}
    elif first is not None:
        possible = {"SIGNED"}
    elif steps:
        possible = {"IN_REVIEW"} if steps[-1] == "note.submitted" else {"DRAFT"}
    elif came_in:
        possible = {"SIGNED", "AMENDED", "DRAFT", "IN_REVIEW"}
    else:
        possible = {"DRAFT"}
    if standing.status not in possible:
        problems.append(Problem("note", "The note's status is not what was done with it."))
    return problems


def place_problems(
    standing: Standing, versions: Iterable[Stored], signatures: Iterable[Given], trail: Sequence[Told]
) -> list[Problem]:
    """Whether it is still whose it was, and of the session it was written about. A signature does not say that."""
    authors = {version.written_by_id for version in versions if version.written_by_id is not None}
    authors |= {one.facts.signer for one in signatures if one.facts.kind != "CO_SIGNATURE"}
    types = {entry.type for entry in trail if entry.action == "note.created"}
    sessions = [entry.appointment_id for entry in trail if entry.action in PLACED]
    session = None if standing.appointment_id is None else str(standing.appointment_id)
    wrong = {
        "It stands in another client's chart than it was written in.": {one.client_id for one in trail}
        - {standing.client_id},
        "It was written, or signed as its author's, by somebody else.": authors - {standing.clinician_id},
        "It was begun as a note of another type.": types - {standing.type},
        "It is not of the session that it was written about.": sessions and sessions[-1] != session,
        "It is taken back, or no longer so, and nobody did that.": standing.voided
        != any(entry.action == "note.voided" for entry in trail),
    }
    return [Problem("note", sentence) for sentence, is_wrong in wrong.items() if is_wrong]
