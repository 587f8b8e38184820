"""The kinds of column: how a text becomes a value of the kind (or nothing, when it is none), and how to say so.

Money and hundredths become whole cents and hundredths; instants are UTC to the microsecond.
"""

import polars as pl

from ingest.bundle.format import LONGEST_PROSE, Column

ITEM = r"[^|]+"
YEARS = (1900, 9999)  # what lies outside is a slip, such as a year of two digits


def values(column: Column, texts: pl.Series) -> pl.Series:
    """The column's values; none wherever its text is none of its kind."""
    if column.kind == "instant":  # mostly all of them are UTC, and read ten times as fast
        utc = texts.to_frame("text").select(utc_instants()).to_series()
        if utc.null_count() == texts.null_count():
            return utc.alias(column.name)
    return texts.to_frame("text").select(expression(column).alias(column.name)).to_series()


def expression(column: Column) -> pl.Expr:
    text = pl.col("text")
    match column.kind:
        case "text" | "prose":
            return kept(text, text.str.len_bytes() <= column.most)
        case "email":
            return kept(text, text.str.contains(r"^[^@\s]{1,64}@[^@\s]{1,189}$"))
        case "instant":
            return instants()
        case "date":
            dates = text.str.to_date("%Y-%m-%d", strict=False)
            return kept(dates, text.str.contains(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$") & dates.dt.year().is_between(*YEARS))
        case "time":
            return kept(text.str.to_time("%H:%M", strict=False), text.str.contains(r"^[0-9]{2}:[0-9]{2}$"))
        case "money" | "hundredths":
            shaped = kept(text, text.str.contains(r"^-?[0-9]{1,12}(?:\.[0-9]{1,2})?$"))
            cents = (shaped.str.to_decimal(scale=2) * 100).cast(pl.Int64)
            return kept(cents, cents.is_between(column.least * 100, column.most * 100))
        case "integer":
            number = text.cast(pl.Int64, strict=False)
            shaped = text.str.contains(r"^-?[0-9]{1,12}$")
            return kept(number, shaped & number.is_between(column.least, column.most)).cast(pl.Int32)
        case "boolean":
            return pl.when(text == "true").then(True).when(text == "false").then(False)
        case "choice":
            return text.cast(pl.Enum(column.words), strict=False)
        case "list":
            item = "|".join(column.words) or ITEM
            shaped = text.str.contains(rf"^(?:{item})(?:\|(?:{item}))*$") & (text.str.len_bytes() <= LONGEST_PROSE)
            items = text.str.split("|")
            fine = shaped & (items.list.len() <= column.most)
            if column.words or column.references:
                fine &= items.list.len() == items.list.n_unique()
            return kept(items, fine)


def kept(value: pl.Expr, condition: pl.Expr) -> pl.Expr:
    return pl.when(condition).then(value)


def instants() -> pl.Expr:
    text = pl.col("text")
    shaped = text.str.contains(
        r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-5][0-9](?:\.[0-9]{1,6})?(?:Z|[+-][0-9]{2}:[0-9]{2})$"
    )
    read = text.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%#z", time_unit="us", time_zone="UTC", strict=False)
    return kept(read, shaped & read.dt.year().is_between(*YEARS))


def utc_instants() -> pl.Expr:
    text = pl.col("text")
    shaped = text.str.contains(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-5][0-9]Z$")
    read = text.str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_unit="us", strict=False)
    return kept(read.dt.replace_time_zone("UTC"), shaped & read.dt.year().is_between(*YEARS))


def sentence(column: Column) -> str:
    """What the column takes, for whoever wrote something else."""
    match column.kind:
        case "text" | "prose":
            return f"The text is too long: there is room for {column.most:,} bytes."
        case "email":
            return "This is no e-mail address. Write it like ada@oak.example."
        case "instant":
            return (
                "This is no instant. Write it with its offset, like 2026-03-01T14:00:00-05:00 or 2026-03-01T19:00:00Z."
            )
        case "date":
            return "This is no date of the calendar. Write it like 2026-03-01."
        case "time":
            return "This is no time of day. Write it from 00:00 to 23:59."
        case "money" | "hundredths":
            return (
                f"This is no number from {column.least:,} to {column.most:,} with at most two decimal places. "
                "Write it like 120.50."
            )
        case "integer":
            return f"This is no whole number from {column.least} to {column.most}."
        case "boolean":
            return "Write true or false."
        case "choice":
            return f"Write one of {', '.join(column.words)}."
        case "list":
            once = " and none twice" if column.words or column.references else ""
            what = f"each one of {', '.join(column.words)}" if column.words else f"at most {column.most:,}"
            return f"Write items separated by |, none empty{once}, {what}."
