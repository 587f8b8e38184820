"""References of a table's rows to rows of the same table: how far they lead, and which lead round to themselves."""

import polars as pl


def lengths(to: pl.Series) -> pl.Series:
    """How many references follow one another from each row on; nothing where they lead into a circle."""
    length, beyond = followed(to)
    return pl.select(pl.when(beyond.is_null()).then(length)).to_series()


def circles(to: pl.Series) -> pl.Series:
    """The rows that lead to themselves, directly or over others."""
    return followed(to)[1].drop_nulls().unique().sort()  # far enough on, everybody who is not at an end goes round


def followed(to: pl.Series) -> tuple[pl.Series, pl.Series]:
    """From each row on: how many references, and where they lead after at least as many as there are rows.

    Each round looks twice as far as the one before, so that a chain of a million rows takes twenty.
    """
    length, beyond = to.is_not_null().cast(pl.Int64), to
    for _ in range(len(to).bit_length() + 1):
        if beyond.null_count() == len(to):
            break
        length = length + length.gather(beyond).fill_null(0)
        beyond = beyond.gather(beyond)
    return length, beyond
