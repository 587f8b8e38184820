"""The problems of a bundle: collected over all files, and located by line when everything is checked."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

import polars as pl

from ingest.bundle.format import TABLES
from practice.errors import Refusal

MAX_SHOWN = 100


class Problem(NamedTuple):
    """One problem, with its location."""

    file: str
    line: int | None
    column: str | None
    message: str


class BundleRefused(Refusal):
    """The bundle has problems; all of them are listed, or the first hundred and their total.

    Fix: correct the files, and import again.
    """

    code = "BUNDLE_REFUSED"
    status = 422

    def __init__(self, problems: list[Problem], total: int) -> None:
        count = "1 problem" if total == 1 else f"{total:,} problems"
        super().__init__(f"The bundle has {count}, and nothing was imported. Correct it and import it again.")
        self.problems = problems
        self.total = total


@dataclass(frozen=True)
class RowProblem:
    """The same problem in some rows. If each conflicts with another row, the message names that one."""

    table: str
    column: str | None
    rows: pl.Series
    message: str
    other_rows: pl.Series | None = None


class Problems:
    """The problems found so far."""

    def __init__(self) -> None:
        self.located: list[Problem] = []
        self.in_rows: list[RowProblem] = []

    def add(self, file: str, line: int | None, column: str | None, message: str) -> None:
        self.located.append(Problem(file, line, column, message))

    def add_rows(
        self, table: str, column: str | None, rows: pl.Series, message: str, other_rows: pl.Series | None = None
    ) -> None:
        """Add a problem of these rows, given by number. `{key}` and `{line}` in the message are the other row's."""
        if len(rows):
            self.in_rows.append(RowProblem(table, column, rows, message, other_rows))

    def count(self) -> int:
        return len(self.located) + sum(len(problem.rows) for problem in self.in_rows)

    def list_first(self, find_line: Callable[[str, int], int], get_key: Callable[[str, int], str]) -> list[Problem]:
        """Return the first hundred in the order of files, lines and columns."""
        located = [*self.located, *(p for problem in self.in_rows for p in locate(problem, find_line, get_key))]
        positions = {table.file: position for position, table in enumerate(TABLES.values())}
        return sorted(located, key=lambda p: (positions.get(p.file, -1), p.line or 0, p.column or ""))[:MAX_SHOWN]


def locate(
    problem: RowProblem, find_line: Callable[[str, int], int], get_key: Callable[[str, int], str]
) -> Iterable[Problem]:
    """Yield the problem for each of its first hundred rows."""
    file = TABLES[problem.table].file
    order = problem.rows.arg_sort()[:MAX_SHOWN]
    others = [None] * len(order) if problem.other_rows is None else problem.other_rows.gather(order).to_list()
    for row, other_row in zip(problem.rows.gather(order).to_list(), others, strict=True):
        message = problem.message
        if other_row is not None:
            message = message.format(key=get_key(problem.table, other_row), line=find_line(problem.table, other_row))
        yield Problem(file, find_line(problem.table, row), problem.column, message)
