"""Full-text search in notes.

The text is encrypted, so notes are decrypted one by one, newest first, up to a limit per call. The result says how many
were scanned and where to continue.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select, tuple_
from sqlalchemy.orm import defer

from practice.clinical.chart_audit import audit_chart_access
from practice.clinical.documents.rules.search import extract_snippet, find_words, split_words
from practice.clinical.models.notes import Note
from practice.clinical.notes.queries import Filters, build_conditions
from practice.errors import FieldProblem, Invalid
from practice.people.access import find_shown_client
from practice.people.clients import reason_detail
from practice.security.permissions import Scope
from practice.security.work import Work
from practice.store.pages import decode_cursor, encode_cursor

BATCH_SIZE = 250
MAX_SCANNED = 500
MAX_CHARACTERS = 2_000_000  # of all scanned notes: folding the accents of long notes takes time
MAX_MATCHES = 20
ORDER = (Note.created_at.expression, Note.id.expression)


@dataclass(frozen=True)
class NoteMatch:
    """A matching note and an extract around the first match."""

    note: Note
    snippet: str


@dataclass(frozen=True)
class SearchResult:
    """The matches of one call and the cursor from which to continue."""

    items: Sequence[NoteMatch]
    scanned_count: int
    next_cursor: str | None


def search_notes(
    work: Work,
    scope: Scope,
    query: str,
    filters: Filters,
    *,
    cursor: str | None = None,
    reason: str | None = None,
) -> SearchResult:
    """Return readable notes that contain every word of the query, each as the beginning of a word."""
    words = split_words(query)
    if not words:
        raise Invalid([FieldProblem("query", "Enter at least one word.")])
    position = decode_cursor(cursor, "-created_at", ORDER) if cursor else None
    matches: list[NoteMatch] = []
    scanned_count, character_count, has_more, is_full = 0, 0, True, False
    while has_more and not is_full and scanned_count < MAX_SCANNED:
        batch = load_batch(work, scope, filters, position)
        has_more = len(batch) == BATCH_SIZE
        for number, note in enumerate(batch, 1):
            scanned_count += 1
            position = [note.created_at, note.id]
            text = work.unseal("notes", "text", note.id, note.text) or ""
            positions = find_words(words, text)
            if positions is not None:
                matches.append(NoteMatch(note, extract_snippet(text, min(positions))))
            character_count += len(text)
            is_full = len(matches) == MAX_MATCHES or character_count >= MAX_CHARACTERS
            if is_full:
                has_more = has_more or number < len(batch)
                break
    audit_search(work, scope, filters, matches, scanned_count, reason)
    return SearchResult(
        matches, scanned_count, encode_cursor("-created_at", position) if has_more and position else None
    )


def load_batch(work: Work, scope: Scope, filters: Filters, position: Sequence[object] | None) -> Sequence[Note]:
    """Return the next notes to scan, newest first."""
    query = select(Note).where(*build_conditions(work, scope, filters), Note.voided_at.is_(None))
    if position is not None:
        query = query.where(tuple_(*ORDER) < tuple_(*position))
    query = query.order_by(*(column.desc() for column in ORDER)).limit(BATCH_SIZE)
    return work.db.scalars(query.options(defer(Note.return_reason))).all()


def audit_search(
    work: Work, scope: Scope, filters: Filters, matches: Sequence[NoteMatch], scanned_count: int, reason: str | None
) -> None:
    """Record the search without its query, and each client whose chart it showed."""
    shown_id = find_shown_client(work, scope, filters.client_id, matches)
    subject = ("client", shown_id) if shown_id else (None, None)
    work.record("notes.searched", *subject, found=len(matches), scanned_count=scanned_count, **reason_detail(reason))
    for match in matches:
        audit_chart_access(work, match.note, "note.found", reason)
