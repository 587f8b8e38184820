"""What is wrong with a bundle: gathered over all files, located when everything has been looked at."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

import polars as pl

from ingest.bundle.format import TABLES
from practice.errors import Refusal

SHOWN = 100


class Problem(NamedTuple):
    file: str
    line: int | None
    column: str | None
    message: str


class BundleRefused(Refusal):
    """Everything that is wrong with a bundle, or the first hundred of it and how much there is in all."""

    code = "BUNDLE_REFUSED"
    status = 422

    def __init__(self, problems: list[Problem], total: int) -> None:
        count = "One thing is" if total == 1 else f"{total:,} things are"
        super().__init__(f"{count} wrong with the bundle, and nothing was imported. Correct it and import it again.")
        self.problems = problems
        self.total = total


@dataclass(frozen=True)
class Wrong:
    """One thing that is wrong in some rows, perhaps together with another row each, which the message then names."""

    table: str
    column: str | None
    rows: pl.Series
    message: str
    others: pl.Series | None = None


class Problems:
    def __init__(self) -> None:
        self.located: list[Problem] = []
        self.by_row: list[Wrong] = []

    def at(self, file: str, line: int | None, column: str | None, message: str) -> None:
        self.located.append(Problem(file, line, column, message))

    def rows(
        self, table: str, column: str | None, rows: pl.Series, message: str, others: pl.Series | None = None
    ) -> None:
        if len(rows):
            self.by_row.append(Wrong(table, column, rows, message, others))

    @property
    def total(self) -> int:
        return len(self.located) + sum(len(wrong.rows) for wrong in self.by_row)

    def shown(self, line_of: Callable[[str, int], int], key_of: Callable[[str, int], str]) -> list[Problem]:
        """The first hundred as they stand in the bundle."""
        problems = [*self.located, *(p for wrong in self.by_row for p in first_of(wrong, line_of, key_of))]
        places = {table.file: place for place, table in enumerate(TABLES.values())}
        return sorted(problems, key=lambda p: (places.get(p.file, -1), p.line or 0, p.column or ""))[:SHOWN]


def first_of(wrong: Wrong, line_of: Callable[[str, int], int], key_of: Callable[[str, int], str]) -> Iterable[Problem]:
    file = TABLES[wrong.table].file
    first = wrong.rows.arg_sort()[:SHOWN]
    others = wrong.others.gather(first).to_list() if wrong.others is not None else [None] * len(first)
    for row, other in zip(wrong.rows.gather(first).to_list(), others, strict=True):
        message = wrong.message
        if other is not None:
            message = message.format(key=key_of(wrong.table, other), line=line_of(wrong.table, other))
        yield Problem(file, line_of(wrong.table, row), wrong.column, message)
