"""One file of a bundle as it was read: its values, and what could not be read of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import polars as pl

from ingest.bundle import kinds
from ingest.bundle.format import Table
from ingest.bundle.problems import Problems


@dataclass
class Sheet:
    table: Table
    frame: pl.DataFrame
    whole: bool = True  # else rows are missing that others may refer to
    lines: Sequence[int] | None = None  # on which each row begins, where that has been worked out
    faulty: dict[str, pl.Series] = field(default_factory=dict)  # where a column has a value that is none of its kind

    @classmethod
    def empty(cls, table: Table, *, whole: bool = True) -> "Sheet":
        nothing = [kinds.values(column, pl.Series(dtype=pl.String)) for column in table.columns]
        return cls(table, pl.DataFrame(nothing), whole)

    def given(self, column: str) -> pl.Expr:
        """Whether there is anything, be it right or wrong: one fault is told once."""
        if column in self.faulty:
            return pl.col(column).is_not_null() | pl.lit(self.faulty[column])
        return pl.col(column).is_not_null()

    def faulty_rows(self, column: str) -> pl.Series:
        """Their numbers, as `is_in` takes them."""
        found = self.faulty[column].arg_true() if column in self.faulty else pl.Series(dtype=pl.UInt32)
        return found.implode()

    def where(self, condition: pl.Expr) -> pl.Series:
        """The numbers of the rows for which the condition holds."""
        return self.frame.select(pl.arg_where(condition)).to_series()

    def fault(self, column: str, faulty: pl.Series, problems: Problems | None, message: str) -> None:
        """Take these values out, and tell so unless it has been told."""
        self.faulty[column] = faulty | self.faulty[column] if column in self.faulty else faulty
        if problems:
            problems.rows(self.table.name, column, faulty.arg_true(), message)
