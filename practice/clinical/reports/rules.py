"""Rules of progress reports: their date, how two of them differ, and word search."""

from collections.abc import Sequence
from datetime import date
from difflib import SequenceMatcher
from typing import Literal, NamedTuple

from practice.clinical.documents.rules.content import Content, Section
from practice.errors import FieldProblem

MAX_COMPARED_LINES = 100  # per section, because the worst case of a comparison is cubic


LineKind = Literal["same", "removed", "added"]


class Line(NamedTuple):
    """One line of a comparison."""

    kind: LineKind
    text: str


class Difference(NamedTuple):
    """The comparison of one section. A text is None if the section does not exist on that side."""

    key: str
    title: str
    same: bool
    before: str | None
    after: str | None
    lines: list[Line]


def report_problems(reported_on: date, today: date) -> list[FieldProblem]:
    message = "The date is in the future. Choose today or earlier."
    return [FieldProblem("reported_on", message)] if reported_on > today else []


def compare_contents(before: Content, after: Content) -> list[Difference]:
    """Return the differences by section in the order of the second; sections of only the first come last."""
    old = {section.key: section for section in before.sections}
    new = {section.key: section for section in after.sections}
    keys = [*new, *(key for key in old if key not in new)]
    return [compare_sections(old.get(key), new.get(key)) for key in keys]


def compare_sections(before: Section | None, after: Section | None) -> Difference:
    section = after or before
    if section is None:
        raise ValueError("at least one section is required")
    old, new = before.text if before else None, after.text if after else None
    return Difference(section.key, section.title, old == new, old, new, compare_lines(old or "", new or ""))


def compare_lines(before: str, after: str) -> list[Line]:
    """Return which lines were removed and added.

    Of more than `MAX_COMPARED_LINES`, everything between the equal ends counts as changed.
    """
    old, new = (text.split("\n") if text else [] for text in (before, after))
    head = count_common(old, new)
    tail = count_common(old[head:][::-1], new[head:][::-1])
    middle = diff_lines(old[head : len(old) - tail], new[head : len(new) - tail])
    same_end = old[len(old) - tail :] if tail else []
    return [*mark_lines("same", old[:head]), *middle, *mark_lines("same", same_end)]


def diff_lines(old: Sequence[str], new: Sequence[str]) -> list[Line]:
    if len(old) > MAX_COMPARED_LINES or len(new) > MAX_COMPARED_LINES:
        return [*mark_lines("removed", old), *mark_lines("added", new)]
    lines: list[Line] = []
    for tag, old_start, old_end, new_start, new_end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            lines += mark_lines("same", old[old_start:old_end])
        else:
            lines += [*mark_lines("removed", old[old_start:old_end]), *mark_lines("added", new[new_start:new_end])]
    return lines


def mark_lines(kind: LineKind, texts: Sequence[str]) -> list[Line]:
    return [Line(kind, text) for text in texts]


def count_common(old: Sequence[str], new: Sequence[str]) -> int:
    """Return how many lines at the beginning are equal."""
    pairs = zip(old, new, strict=False)
    return next((index for index, (line, other) in enumerate(pairs) if line != other), min(len(old), len(new)))


def has_words(content: Content, query: str) -> bool:
    """Return whether the content contains every word of the query, ignoring case."""
    text = "\n".join(f"{section.title}\n{section.text}" for section in content.sections).casefold()
    return all(word in text for word in query.casefold().split())
