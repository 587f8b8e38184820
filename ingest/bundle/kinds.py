"""The kinds of columns: how a text is converted to a value of the kind, and what to write if it cannot be.

Money and hundredths become whole cents and hundredths; instants are in UTC, to the microsecond.
"""

import polars as pl

from ingest.bundle.format import MAX_PROSE_BYTES, Column

ITEM_PATTERN = r"[^|]+"
YEARS = (1900, 9999)  # a year outside is a typing error, such as a year of two digits


def parse_values(column: Column, texts: pl.Series) -> pl.Series:
    """Return the column's values, with null wherever a text is not valid for its kind."""
    if column.kind == "instant":  # usually all are in UTC, which is ten times as fast to read
        utc_instants = texts.to_frame("text").select(parse_utc_instants()).to_series()
        if utc_instants.null_count() == texts.null_count():
            return utc_instants.alias(column.name)
    return texts.to_frame("text").select(build_parser(column).alias(column.name)).to_series()


def build_parser(column: Column) -> pl.Expr:
    """Return the expression that converts `text` to the column's value, or to null."""
    text = pl.col("text")
    match column.kind:
        case "text" | "prose":
            return keep_if(text.str.len_bytes() <= column.maximum, text)
        case "email":
            return keep_if(text.str.contains(r"^[^@\s]{1,64}@[^@\s]{1,189}$"), text)
        case "instant":
            return parse_instants()
        case "date":
            dates = text.str.to_date("%Y-%m-%d", strict=False)
            well_formed = text.str.contains(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")
            return keep_if(well_formed & dates.dt.year().is_between(*YEARS), dates)
        case "time":
            return keep_if(text.str.contains(r"^[0-9]{2}:[0-9]{2}$"), text.str.to_time("%H:%M", strict=False))
        case "money" | "hundredths":
            well_formed = text.str.contains(r"^-?[0-9]{1,12}(?:\.[0-9]{1,2})?$")
            cents = (keep_if(well_formed, text).str.to_decimal(scale=2) * 100).cast(pl.Int64)
            return keep_if(cents.is_between(column.minimum * 100, column.maximum * 100), cents)
        case "integer":
            number = text.cast(pl.Int64, strict=False)
            well_formed = text.str.contains(r"^-?[0-9]{1,12}$")
            return keep_if(well_formed & number.is_between(column.minimum, column.maximum), number).cast(pl.Int32)
        case "boolean":
            return pl.when(text == "true").then(True).when(text == "false").then(False)
        case "choice":
            return text.cast(pl.Enum(column.choices), strict=False)
        case "list":
            item = "|".join(column.choices) or ITEM_PATTERN
            well_formed = text.str.contains(rf"^(?:{item})(?:\|(?:{item}))*$")
            items = text.str.split("|")
            valid = well_formed & (text.str.len_bytes() <= MAX_PROSE_BYTES) & (items.list.len() <= column.maximum)
            if column.choices or column.references:
                valid &= items.list.len() == items.list.n_unique()
            return keep_if(valid, items)


def keep_if(condition: pl.Expr, value: pl.Expr) -> pl.Expr:
    """Return the value where the condition holds, else null."""
    return pl.when(condition).then(value)


def parse_instants() -> pl.Expr:
    """Return the expression that converts instants with any offset."""
    text = pl.col("text")
    well_formed = text.str.contains(
        r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-5][0-9](?:\.[0-9]{1,6})?(?:Z|[+-][0-9]{2}:[0-9]{2})$"
    )
    instants = text.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%#z", time_unit="us", time_zone="UTC", strict=False)
    return keep_if(well_formed & instants.dt.year().is_between(*YEARS), instants)


def parse_utc_instants() -> pl.Expr:
    """Return the expression that converts instants in UTC without fractions of a second."""
    text = pl.col("text")
    well_formed = text.str.contains(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-5][0-9]Z$")
    instants = text.str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_unit="us", strict=False)
    return keep_if(well_formed & instants.dt.year().is_between(*YEARS), instants.dt.replace_time_zone("UTC"))


def describe_valid_values(column: Column) -> str:
    """Return the message for an invalid value: what is wrong, and what the column accepts."""
    match column.kind:
        case "text" | "prose":
            return f"The text is too long. Shorten it to {column.maximum:,} bytes at most."
        case "email":
            return "Invalid email address. Write it like ada@oak.example."
        case "instant":
            return "Invalid instant. Write it with its offset, like 2026-03-01T14:00:00-05:00 or 2026-03-01T19:00:00Z."
        case "date":
            return "Invalid date. Write it like 2026-03-01."
        case "time":
            return "Invalid time of day. Write it from 00:00 to 23:59."
        case "money" | "hundredths":
            return (
                f"Invalid number. Write one from {column.minimum:,} to {column.maximum:,} with at most two decimal "
                "places, like 120.50."
            )
        case "integer":
            return f"Invalid number. Write a whole number from {column.minimum} to {column.maximum}."
        case "boolean":
            return "Invalid value. Write true or false."
        case "choice":
            return f"Invalid value. Write one of {', '.join(column.choices)}."
        case "list":
            unique = ", without repeating one" if column.choices or column.references else ""
            items = f"each one of {', '.join(column.choices)}" if column.choices else f"at most {column.maximum:,}"
            return f"Invalid list. Write items separated by |, none empty{unique}, {items}."
