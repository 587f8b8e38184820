"""From the frames back to an 835: reading what this writes gives the same frames.

Amounts come out without needless zeros, and blanks around elements are gone; else each segment is what it was, under
the number it had, in the delimiters of its interchange. Segments whose values could not be read, and unknown ones, are
written as they were kept. A transaction that is no 835 was not kept. Counts are written as the frames hold them.
"""

import re
from itertools import zip_longest
from typing import cast

import polars as pl

from edi.layout import MODIFIERS, REPEATS, SEGMENTS, Column
from edi.remittance import Remittance
from edi.values import TEXTS

# until it is known which delimiters the interchange has; these are of one byte, so none can be one of them
_ELEMENT, _COMPONENT, _SEGMENT = "\ue001", "\ue002", "\ue003"
_COMPOSITE = "\ue004"  # before an element of components, the only ones in which the component separator delimits
_ISA_WIDTHS = (2, 10, 2, 10, 2, 15, 2, 15, 6, 4, 1, 5, 9, 1, 1, 1)
_NUMBERS = {"BPR": "bpr_segment", "TRN": "trn_segment", "SE": "end_segment", "GE": "end_segment", "IEA": "end_segment"}
_USUAL = ("*", ":", "~")


class CannotWrite(ValueError):
    """A value holds one of the delimiters, so that it would be read as something else."""


def write(remittance: Remittance, file: int = 0, *, line_breaks: bool = False) -> bytes:
    """One of the files that were read, as bytes. `line_breaks` puts each segment on a line of its own."""
    kept = remittance.others.filter(pl.col("file") == file)
    raw = kept.select("segment", pl.col("elements").list.join(_ELEMENT).alias("text"))
    typed = pl.concat(_segments(remittance, kind, file) for kind in SEGMENTS if kind != "TS3")
    rows = pl.concat([raw, typed.join(raw, on="segment", how="anti")]).sort("segment")
    interchanges = remittance.interchanges.filter(pl.col("file") == file).sort("segment").to_dicts()
    starts = [row["segment"] for row in interchanges]
    stretches = [(rows.filter(pl.col("segment") < starts[0]) if starts else rows, _USUAL)]
    for row, end in zip_longest(interchanges, starts[1:]):
        inside = pl.col("segment").is_between(row["segment"], (end or 2**32) - 1)
        signs = (row["element_separator"], row["component_separator"], row["segment_terminator"])
        stretches.append((rows.filter(inside), tuple(sign or usual for sign, usual in zip(signs, _USUAL, strict=True))))
    return "".join(_joined(texts["text"], signs, line_breaks) for texts, signs in stretches).encode()


def _segments(remittance: Remittance, kind: str, file: int) -> pl.DataFrame:
    columns = SEGMENTS[kind]
    rows = getattr(remittance, columns[0].frame).filter(pl.col("file") == file)
    if kind == "LQ":
        rows = rows.filter(pl.col("source") == "LQ")
    number = _NUMBERS.get(kind, "segment")
    rows = rows.filter(pl.col(number).is_not_null()).with_columns(_number=number)
    elements = _repeated(rows, kind) if kind in REPEATS else rows.select("_number", *_elements(columns))
    names = [name for name in elements.columns if name != "_number"]
    text = pl.concat_str(pl.lit(kind), *(pl.col(name).fill_null("") for name in names), separator=_ELEMENT)
    if kind == "ISA":
        padded = (pl.col(name).fill_null("").str.pad_end(width) for name, width in zip(names, _ISA_WIDTHS, strict=True))
        text = pl.concat_str(pl.lit(kind), *padded, separator=_ELEMENT)
    else:
        text = text.str.strip_chars_end(_ELEMENT)
    return elements.select(pl.col("_number").alias("segment"), text.alias("text"))


def _repeated(rows: pl.DataFrame, kind: str) -> pl.DataFrame:
    """The rows of a segment side by side again, each at its place."""
    stride, times = REPEATS[kind]
    columns = SEGMENTS[kind]
    repeating = [column for column in columns if column.repeats]
    once = _elements([column for column in columns if not column.repeats])
    whole = rows.unique("_number", keep="first").select("_number", *once)
    blanks = [pl.lit("").alias(f"blank{n}") for n in range(stride - len({column.element for column in repeating}))]
    for position in range(1, min(times, cast("int", rows["position"].max() or 1)) + 1):
        here = rows.filter(pl.col("position") == position).select("_number", *_elements(repeating), *blanks)
        here = here.rename({name: f"{name}_{position}" for name in here.columns if name != "_number"})
        whole = whole.join(here, on="_number", how="left")
    return whole


def _elements(columns: list[Column]) -> list[pl.Expr]:
    """The texts of the elements, in order, those without a column empty."""
    by_element: dict[int, list[Column]] = {}
    for column in columns:
        by_element.setdefault(column.element, []).append(column)
    first, last = min(by_element), max(by_element)
    return [_element(by_element.get(number, [])).alias(f"e{number:02}") for number in range(first, last + 1)]


def _element(columns: list[Column]) -> pl.Expr:
    if not columns:
        return pl.lit("")
    if not columns[0].part:
        return _text(columns[0])
    parts = {column.part: _text(column).fill_null("") for column in columns}
    places = [parts.get(number, pl.lit(None, pl.String)) for number in range(1, max(parts) + 1)]
    whole = pl.concat_str(places, separator=_COMPONENT, ignore_nulls=True).str.strip_chars_end(_COMPONENT)
    return pl.when(whole != "").then(pl.concat_str(pl.lit(_COMPOSITE), whole)).otherwise(whole)


def _text(column: Column) -> pl.Expr:
    value = pl.col(column.name)
    if column.kind == "list":  # takes the places of as many components
        texts = pl.concat_list(value.fill_null([]), pl.lit([""] * MODIFIERS)).list.head(MODIFIERS)
        return texts.list.join(_COMPONENT)
    if column.kind == "count":
        return value.cast(pl.String)
    return TEXTS[column.kind](value) if column.kind in TEXTS else value


def _joined(texts: pl.Series, signs: tuple[str, ...], line_breaks: bool) -> str:
    element, component, terminator = signs
    whole = _SEGMENT.join(texts)
    if element in whole or terminator in whole:
        raise CannotWrite(f"A value holds {element!r} or {terminator!r}, which delimit it. Choose other delimiters.")
    end = terminator + ("\n" if line_breaks and terminator not in "\r\n" else "")
    if re.search(f"{_COMPOSITE}[^{_ELEMENT}{_SEGMENT}]*{re.escape(component)}", whole):
        raise CannotWrite(f"A component holds {component!r}, which delimits it. Choose other delimiters.")
    for placeholder, sign in ((_COMPOSITE, ""), (_ELEMENT, element), (_COMPONENT, component), (_SEGMENT, end)):
        whole = whole.replace(placeholder, sign)
    return whole + end if whole else ""
