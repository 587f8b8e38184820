"""Rules of progress reports: of what day it can be, how two of them differ, which hold some words."""

from collections.abc import Sequence
from datetime import date
from difflib import SequenceMatcher
from typing import Literal, NamedTuple

from practice.clinical.documents.rules.content import Content, Section

MOST_LINES = 100  # of a section that is compared line by line: at worst what it costs grows with the cube of them


class Line(NamedTuple):
    kind: Literal["same", "removed", "added"]
    text: str


class Difference(NamedTuple):
    """Of one section. A text is None where the section is not there at all."""

    key: str
    title: str
    same: bool
    before: str | None
    after: str | None
    lines: list[Line]


def report_problems(reported_on: date, today: date) -> list[str]:
    return ["reported_on: the report's date lies in the future."] if reported_on > today else []


def differences(before: Content, after: Content) -> list[Difference]:
    """Section by section, in the order of the second; what only the first has comes last."""
    old = {section.key: section for section in before.sections}
    new = {section.key: section for section in after.sections}
    keys = [*new, *(key for key in old if key not in new)]
    return [difference(old.get(key), new.get(key)) for key in keys]


def difference(before: Section | None, after: Section | None) -> Difference:
    one = after or before
    if one is None:
        raise ValueError("there is nothing to compare")
    old, new = before.text if before else None, after.text if after else None
    return Difference(one.key, one.title, old == new, old, new, line_by_line(old or "", new or ""))


def line_by_line(before: str, after: str) -> list[Line]:
    """Which lines went and which came. Of more than so many what is between equal ends counts as changed."""
    old, new = (text.split("\n") if text else [] for text in (before, after))
    head = common(old, new)
    tail = common(old[head:][::-1], new[head:][::-1])
    middle = changed_lines(old[head : len(old) - tail], new[head : len(new) - tail])
    same_end = old[len(old) - tail :] if tail else []
    return [*lines("same", old[:head]), *middle, *lines("same", same_end)]


def changed_lines(old: Sequence[str], new: Sequence[str]) -> list[Line]:
    if len(old) > MOST_LINES or len(new) > MOST_LINES:
        return [*lines("removed", old), *lines("added", new)]
    found: list[Line] = []
    for what, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if what == "equal":
            found += lines("same", old[a:b])
        else:
            found += [*lines("removed", old[a:b]), *lines("added", new[c:d])]
    return found


def lines(kind: Literal["same", "removed", "added"], texts: Sequence[str]) -> list[Line]:
    return [Line(kind, text) for text in texts]


def common(old: Sequence[str], new: Sequence[str]) -> int:
    """How many lines at the beginning are the same."""
    pairs = zip(old, new, strict=False)
    return next((place for place, (one, other) in enumerate(pairs) if one != other), min(len(old), len(new)))


def holds(content: Content, query: str) -> bool:
    """Whether every word of the query stands somewhere in it, in whatever case."""
    text = "\n".join(f"{section.title}\n{section.text}" for section in content.sections).casefold()
    return all(word in text for word in query.casefold().split())
