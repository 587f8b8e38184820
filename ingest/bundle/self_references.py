"""References between rows of one table: the lengths of their chains, and their cycles."""

import polars as pl


def measure_chains(references: pl.Series) -> pl.Series:
    """Return the length of the chain of references from each row, or null if it leads into a cycle."""
    length, end = follow_references(references)
    return pl.select(pl.when(end.is_null()).then(length)).to_series()


def find_cycles(references: pl.Series) -> pl.Series:
    """Return the rows that refer to themselves, directly or through others."""
    return follow_references(references)[1].drop_nulls().unique().sort()  # what goes on after so many steps is a cycle


def follow_references(references: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Return for each row the number of references passed, and the row reached after at least as many as rows exist.

    Each round doubles the distance, so a chain of a million rows takes twenty rounds.
    """
    length, target = references.is_not_null().cast(pl.Int64), references
    for _ in range(len(references).bit_length() + 1):
        if target.null_count() == len(references):
            break
        length = length + length.gather(target).fill_null(0)
        target = target.gather(target)
    return length, target
