"""Conversions between the text of an element and its value: cents, dates, numbers. Nothing is ever a float.

An amount is an optional minus and digits, with or without a point: `150`, `150.00`, `.5`, `-12`. A third decimal makes
it invalid unless it is zero, and so does a value of ten billion or more, so that no sum can overflow.
"""

import polars as pl

AMOUNT_PATTERN = r"^-?(?:0*\d{1,10}(?:\.\d{0,2}0*)?|\.\d{1,2}0*)$"
NUMBER_PATTERN = r"^-?(?:0*\d{1,10}(?:\.\d{0,4}0*)?|\.\d{1,4}0*)$"


def parse_cents(texts: pl.Series) -> pl.Series:
    return _parse_decimal(texts, AMOUNT_PATTERN, pl.Decimal(18, 2)).to_physical().cast(pl.Int64)


def parse_numbers(texts: pl.Series) -> pl.Series:
    return _parse_decimal(texts, NUMBER_PATTERN, pl.Decimal(18, 4))


def parse_dates(texts: pl.Series) -> pl.Series:
    from_year_1 = texts.cast(pl.UInt32, strict=False) > 9999  # Python has no date in the year 0
    valid = (texts.str.len_bytes() == 8) & from_year_1.fill_null(value=False)
    return _clear_invalid(texts, valid).str.to_date("%Y%m%d", strict=False)


def _parse_decimal(texts: pl.Series, pattern: str, dtype: pl.Decimal) -> pl.Series:
    text = pl.col("text")  # one select runs both expressions in parallel
    parsed = texts.to_frame("text").select(valid=text.str.contains(pattern), value=text.cast(dtype, strict=False))
    return _clear_invalid(parsed["value"], parsed["valid"])


def _clear_invalid(values: pl.Series, valid: pl.Series) -> pl.Series:
    """Return the values, null where they are not valid."""
    if valid.all():
        return values
    return values.zip_with(valid.fill_null(value=False), pl.Series([None], dtype=values.dtype))


PARSERS = {"cents": parse_cents, "number": parse_numbers, "date": parse_dates}


def format_cents(column: pl.Expr) -> pl.Expr:
    """Write an amount as the 835 does: without decimals for whole dollars, else with two."""
    return format_money(column).str.strip_suffix(".00")


def format_money(column: pl.Expr) -> pl.Expr:
    """Write an amount for people and JSON: always with two decimals."""
    size = column.abs()
    text = pl.format("{}.{}", size // 100, (size % 100).cast(pl.String).str.zfill(2))
    return pl.when(column < 0).then(pl.concat_str(pl.lit("-"), text)).otherwise(text)


def format_number(column: pl.Expr) -> pl.Expr:
    return column.cast(pl.String).str.strip_chars_end("0").str.strip_chars_end(".")


def format_date(column: pl.Expr) -> pl.Expr:
    return column.dt.strftime("%Y%m%d")


FORMATTERS = {"cents": format_cents, "number": format_number, "date": format_date}
