"""Names as people type them: words without accents, apostrophes and hyphens, in small letters."""

from typing import Any

from sqlalchemy import ColumnElement, exists, func, select

from practice.security.work import Work

MAX_WORDS = 6


def split_words(work: Work, text: str) -> list[str]:
    """Return the first words of a typed text, in the form in which names are searched."""
    form: str = work.db.scalars(select(func.search_form(text))).one()
    return form.split()[:MAX_WORDS]


def begins_a_word(name: Any, beginning: str) -> ColumnElement[bool]:
    """Return the condition that a word of the name begins with this. No index serves it."""
    words = func.unnest(func.name_words(name)).column_valued("word")
    return exists(select(words).where(words.bool_op("^@")(beginning)))
