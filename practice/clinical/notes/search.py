"""Looking for words in notes. Their text is sealed, so it is opened note by note, the newest first, and so many at a
time: an answer says how many were looked at, and from where to go on."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select, tuple_
from sqlalchemy.orm import defer

from practice.clinical.documents.rules.search import places, snippet, words_of
from practice.clinical.models.notes import Note
from practice.clinical.notes.queries import Filters, told, within
from practice.errors import Invalid
from practice.people.clients import because
from practice.security.permissions import Scope
from practice.security.work import Work
from practice.store.pages import read_cursor, write_cursor

PORTION = 250
MOST_LOOKED_AT = 500
MOST_LETTERS = 2_000_000  # in all of them: a note can be long, and folding its accents takes its time
MOST_FOUND = 20
ORDER = (Note.created_at.expression, Note.id.expression)


@dataclass(frozen=True)
class Found:
    note: Note
    snippet: str


@dataclass(frozen=True)
class Finds:
    items: Sequence[Found]
    looked_at: int
    next_cursor: str | None


def search_notes(
    work: Work,
    scope: Scope,
    query: str,
    filters: Filters,
    *,
    cursor: str | None = None,
    reason: str | None = None,
) -> Finds:
    """Those in which all words are, each as the beginning of a word."""
    words = words_of(query)
    if not words:
        raise Invalid(["query: write at least one word to look for."])
    place = read_cursor(cursor, "-created_at", ORDER) if cursor else None
    found: list[Found] = []
    looked_at, letters, more, enough = 0, 0, True, False
    while more and not enough and looked_at < MOST_LOOKED_AT:
        portion = next_portion(work, scope, filters, place)
        more = len(portion) == PORTION
        for number, note in enumerate(portion, 1):
            looked_at += 1
            place = [note.created_at, note.id]
            text = work.unseal("notes", "text", note.id, note.text) or ""
            where = places(words, text)
            if where is not None:
                found.append(Found(note, snippet(text, min(where))))
            letters += len(text)
            enough = len(found) == MOST_FOUND or letters >= MOST_LETTERS
            if enough:
                more = more or number < len(portion)
                break
    record(work, filters, found, looked_at, reason)
    return Finds(found, looked_at, write_cursor("-created_at", place) if more and place else None)


def next_portion(work: Work, scope: Scope, filters: Filters, place: Sequence[object] | None) -> Sequence[Note]:
    query = select(Note).where(*within(work, scope, filters), Note.voided_at.is_(None))
    if place is not None:
        query = query.where(tuple_(*ORDER) < tuple_(*place))
    query = query.order_by(*(part.desc() for part in ORDER)).limit(PORTION)
    return work.db.scalars(query.options(defer(Note.return_reason))).all()


def record(work: Work, filters: Filters, found: Sequence[Found], looked_at: int, reason: str | None) -> None:
    """That was searched, never for what; and whose charts were shown something of."""
    subject = ("client", filters.client_id) if filters.client_id else (None, None)
    work.record("notes.searched", *subject, found=len(found), looked_at=looked_at, **because(reason))
    for one in found:
        told(work, one.note, "note.found", reason)
