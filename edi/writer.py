"""Writing: from the frames back to an 835 that reads as the same frames.

Amounts lose needless zeros and elements their surrounding blanks; otherwise each segment comes out unchanged, under its
number and in the delimiters of its interchange. Unknown segments, and those whose values could not be parsed, are
written as they were read. A transaction that is not an 835 was not stored and is not written. Counts are written from
the frames, not computed.
"""

import re
from itertools import zip_longest
from typing import cast

import polars as pl

from edi.layout import MODIFIERS, REPEATS, SEGMENTS, Column
from edi.remittance import Remittance
from edi.values import FORMATTERS

# placeholders until the delimiters of the interchange are known; those are single bytes, so none can be a placeholder
_ELEMENT, _COMPONENT, _SEGMENT = "\ue001", "\ue002", "\ue003"
_COMPOSITE = "\ue004"  # marks a composite element; only there the component separator delimits
_ISA_WIDTHS = (2, 10, 2, 10, 2, 15, 2, 15, 6, 4, 1, 5, 9, 1, 1, 1)
_SEGMENT_COLUMNS = {
    "BPR": "bpr_segment",
    "TRN": "trn_segment",
    "SE": "end_segment",
    "GE": "end_segment",
    "IEA": "end_segment",
}
_DEFAULT_DELIMITERS = ("*", ":", "~")


class CannotWrite(ValueError):
    """A value contains a delimiter and would be read as something else."""


def write(remittance: Remittance, file: int = 0, *, line_breaks: bool = False) -> bytes:
    """Return one of the files that were read, as bytes; `line_breaks` puts each segment on a line of its own."""
    others = remittance.others.filter(pl.col("file") == file)
    raw = others.select("segment", pl.col("elements").list.join(_ELEMENT).alias("text"))
    typed = pl.concat(_render_segments(remittance, kind, file) for kind in SEGMENTS if kind != "TS3")
    rows = pl.concat([raw, typed.join(raw, on="segment", how="anti")]).sort("segment")
    interchanges = remittance.interchanges.filter(pl.col("file") == file).sort("segment").to_dicts()
    starts = [row["segment"] for row in interchanges]
    stretches = [(rows.filter(pl.col("segment") < starts[0]) if starts else rows, _DEFAULT_DELIMITERS)]
    for row, end in zip_longest(interchanges, starts[1:]):
        is_inside = pl.col("segment").is_between(row["segment"], (end or 2**32) - 1)
        declared = (row["element_separator"], row["component_separator"], row["segment_terminator"])
        delimiters = tuple(char or default for char, default in zip(declared, _DEFAULT_DELIMITERS, strict=True))
        stretches.append((rows.filter(is_inside), delimiters))
    texts = (_join_segments(stretch["text"], delimiters, line_breaks) for stretch, delimiters in stretches)
    return "".join(texts).encode()


def _render_segments(remittance: Remittance, kind: str, file: int) -> pl.DataFrame:
    columns = SEGMENTS[kind]
    rows = getattr(remittance, columns[0].frame).filter(pl.col("file") == file)
    if kind == "LQ":
        rows = rows.filter(pl.col("source") == "LQ")
    number = _SEGMENT_COLUMNS.get(kind, "segment")
    rows = rows.filter(pl.col(number).is_not_null()).with_columns(_number=number)
    elements = _join_repetitions(rows, kind) if kind in REPEATS else rows.select("_number", *_render_elements(columns))
    names = [name for name in elements.columns if name != "_number"]
    text = pl.concat_str(pl.lit(kind), *(pl.col(name).fill_null("") for name in names), separator=_ELEMENT)
    if kind == "ISA":
        padded = (pl.col(name).fill_null("").str.pad_end(width) for name, width in zip(names, _ISA_WIDTHS, strict=True))
        text = pl.concat_str(pl.lit(kind), *padded, separator=_ELEMENT)
    else:
        text = text.str.strip_chars_end(_ELEMENT)
    return elements.select(pl.col("_number").alias("segment"), text.alias("text"))


def _join_repetitions(rows: pl.DataFrame, kind: str) -> pl.DataFrame:
    """Return one row for each segment, with its repetitions side by side in their positions."""
    stride, times = REPEATS[kind]
    columns = SEGMENTS[kind]
    repeating = [column for column in columns if column.repeats]
    fixed = _render_elements([column for column in columns if not column.repeats])
    segments = rows.unique("_number", keep="first").select("_number", *fixed)
    blanks = [pl.lit("").alias(f"blank{n}") for n in range(stride - len({column.element for column in repeating}))]
    for position in range(1, min(times, cast("int", rows["position"].max() or 1)) + 1):
        repetition = rows.filter(pl.col("position") == position)
        repetition = repetition.select("_number", *_render_elements(repeating), *blanks)
        repetition = repetition.rename({name: f"{name}_{position}" for name in repetition.columns if name != "_number"})
        segments = segments.join(repetition, on="_number", how="left")
    return segments


def _render_elements(columns: list[Column]) -> list[pl.Expr]:
    """Return the texts of the elements in order, empty for elements without a column."""
    by_element: dict[int, list[Column]] = {}
    for column in columns:
        by_element.setdefault(column.element, []).append(column)
    first, last = min(by_element), max(by_element)
    return [_render_element(by_element.get(number, [])).alias(f"e{number:02}") for number in range(first, last + 1)]


def _render_element(columns: list[Column]) -> pl.Expr:
    if not columns:
        return pl.lit("")
    if not columns[0].component:
        return _render_value(columns[0])
    by_component = {column.component: _render_value(column).fill_null("") for column in columns}
    components = [by_component.get(number, pl.lit(None, pl.String)) for number in range(1, max(by_component) + 1)]
    composite = pl.concat_str(components, separator=_COMPONENT, ignore_nulls=True).str.strip_chars_end(_COMPONENT)
    return pl.when(composite != "").then(pl.concat_str(pl.lit(_COMPOSITE), composite)).otherwise(composite)


def _render_value(column: Column) -> pl.Expr:
    value = pl.col(column.name)
    if column.kind == "list":  # fills the positions of as many components
        texts = pl.concat_list(value.fill_null([]), pl.lit([""] * MODIFIERS)).list.head(MODIFIERS)
        return texts.list.join(_COMPONENT)
    if column.kind == "count":
        return value.cast(pl.String)
    return FORMATTERS[column.kind](value) if column.kind in FORMATTERS else value


def _join_segments(texts: pl.Series, delimiters: tuple[str, ...], line_breaks: bool) -> str:
    element, component, terminator = delimiters
    text = _SEGMENT.join(texts)
    if element in text or terminator in text:
        raise CannotWrite(f"A value contains the delimiter {element!r} or {terminator!r}. Choose other delimiters.")
    end = terminator + ("\n" if line_breaks and terminator not in "\r\n" else "")
    if re.search(f"{_COMPOSITE}[^{_ELEMENT}{_SEGMENT}]*{re.escape(component)}", text):
        raise CannotWrite(f"A component contains the delimiter {component!r}. Choose other delimiters.")
    for placeholder, char in ((_COMPOSITE, ""), (_ELEMENT, element), (_COMPONENT, component), (_SEGMENT, end)):
        text = text.replace(placeholder, char)
    return text + end if text else ""
