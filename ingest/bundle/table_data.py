"""The content of one file of a bundle: its values, and which of them are invalid."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import polars as pl

from ingest.bundle import kinds
from ingest.bundle.format import Table
from ingest.bundle.problems import Problems


@dataclass
class TableData:
    """The rows of one file as typed values."""

    table: Table
    frame: pl.DataFrame
    complete: bool = True  # if not, other files may refer to rows that are missing here
    lines: Sequence[int] | None = None  # the line on which each row begins, once computed
    invalid: dict[str, pl.Series] = field(default_factory=dict)  # by column: whether the row's value was invalid

    @classmethod
    def create_empty(cls, table: Table, *, complete: bool = True) -> "TableData":
        columns = [kinds.parse_values(column, pl.Series(dtype=pl.String)) for column in table.columns]
        return cls(table, pl.DataFrame(columns), complete)

    def has_value(self, column: str) -> pl.Expr:
        """Return whether the file has a value, valid or not: one mistake is reported once."""
        if column in self.invalid:
            return pl.col(column).is_not_null() | pl.lit(self.invalid[column])
        return pl.col(column).is_not_null()

    def list_invalid_rows(self, column: str) -> pl.Series:
        """Return the numbers of the rows with an invalid value, as `is_in` takes them."""
        rows = self.invalid[column].arg_true() if column in self.invalid else pl.Series(dtype=pl.UInt32)
        return rows.implode()

    def find_rows(self, condition: pl.Expr) -> pl.Series:
        """Return the numbers of the rows for which the condition holds."""
        return self.frame.select(pl.arg_where(condition)).to_series()

    def mark_invalid(self, column: str, invalid: pl.Series, problems: Problems | None, message: str) -> None:
        """Mark these values of a column as invalid, and report them if `problems` is given."""
        self.invalid[column] = invalid | self.invalid[column] if column in self.invalid else invalid
        if problems:
            problems.add_rows(self.table.name, column, invalid.arg_true(), message)
