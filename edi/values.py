"""What stands in an element, as a value and back: cents, dates, numbers. No float anywhere.

An amount is an optional minus and digits, with or without a point: `150`, `150.00`, `.5`, `-12`. A third decimal is no
amount unless it is zero, and neither is ten billion or more, so that no sum can overflow.
"""

import polars as pl

AMOUNT = r"^-?(?:0*\d{1,10}(?:\.\d{0,2}0*)?|\.\d{1,2}0*)$"
NUMBER = r"^-?(?:0*\d{1,10}(?:\.\d{0,4}0*)?|\.\d{1,4}0*)$"


def cents(texts: pl.Series) -> pl.Series:
    return _decimal(texts, AMOUNT, pl.Decimal(18, 2)).to_physical().cast(pl.Int64)


def numbers(texts: pl.Series) -> pl.Series:
    return _decimal(texts, NUMBER, pl.Decimal(18, 4))


def dates(texts: pl.Series) -> pl.Series:
    from_year_1 = texts.cast(pl.UInt32, strict=False) > 9999  # of the year 0 Python has no date
    digits = (texts.str.len_bytes() == 8) & from_year_1.fill_null(value=False)
    return _only(texts, digits).str.to_date("%Y%m%d", strict=False)


def _decimal(texts: pl.Series, pattern: str, kind: pl.Decimal) -> pl.Series:
    text = pl.col("text")  # both at once
    read = texts.to_frame("text").select(fits=text.str.contains(pattern), value=text.cast(kind, strict=False))
    return _only(read["value"], read["fits"])


def _only(values: pl.Series, fits: pl.Series) -> pl.Series:
    if fits.all():
        return values
    return values.zip_with(fits.fill_null(value=False), pl.Series([None], dtype=values.dtype))


PARSERS = {"cents": cents, "number": numbers, "date": dates}


def cents_text(column: pl.Expr) -> pl.Expr:
    """As the 835 writes it: no decimals where there are none, else two."""
    return money_text(column).str.strip_suffix(".00")


def money_text(column: pl.Expr) -> pl.Expr:
    """For people and JSON: always two decimals."""
    size = column.abs()
    text = pl.format("{}.{}", size // 100, (size % 100).cast(pl.String).str.zfill(2))
    return pl.when(column < 0).then(pl.concat_str(pl.lit("-"), text)).otherwise(text)


def number_text(column: pl.Expr) -> pl.Expr:
    return column.cast(pl.String).str.strip_chars_end("0").str.strip_chars_end(".")


def date_text(column: pl.Expr) -> pl.Expr:
    return column.dt.strftime("%Y%m%d")


TEXTS = {"cents": cents_text, "number": number_text, "date": date_text}
