"""From segments to the columns of the frames, following the table in `layout`.

`values` decides which texts are valid; `checks` reports what is missing or invalid.
"""

from functools import cache
from typing import NamedTuple, cast

import polars as pl

from edi.envelope import NO_TRANSACTION
from edi.layout import (
    ENVELOPE,
    KINDS,
    MODIFIERS,
    RAW_SEGMENTS,
    REPEATS,
    SEGMENTS,
    TYPES,
    Column,
    build_schema,
    list_location_columns,
)
from edi.tokens import Segments
from edi.values import PARSERS

Frames = dict[str, pl.DataFrame]
Columns = dict[str, pl.Series]

MAX_ELEMENTS = {
    kind: max(
        column.element + (REPEATS[kind][0] * (REPEATS[kind][1] - 1) if column.repeats else 0) for column in columns
    )
    for kind, columns in SEGMENTS.items()
}
_NO_ROLE, _CLAIM, _LINE, _ENDS = range(4)
_ROLE_OF = {"CLP": _CLAIM, "SVC": _LINE} | dict.fromkeys(("ST", "SE", "LX", "TS2", "TS3", "PLB"), _ENDS)
_ROLES = pl.Series([_ROLE_OF.get(kind, _NO_ROLE) for kind in KINDS], dtype=pl.UInt8)
_NULLS = {kind: pl.Series([None], dtype=dtype) for kind, dtype in TYPES.items()}
NULL_INDEX = pl.Series([None], dtype=pl.UInt32)
_PARSED_KINDS = [kind for kind in SEGMENTS if kind not in ENVELOPE]

OUTSIDE_TRANSACTION = (pl.col("payment") == NO_TRANSACTION) & (pl.col("known") >= len(ENVELOPE)).fill_null(value=True)
_KIND_IN_PAYMENT = pl.when(pl.col("payment") >= 0).then(pl.col("kind"))
_ROLE = (
    pl.when(pl.col("payment") >= 0)
    .then(pl.lit(_ROLES).gather(pl.col("kind")).fill_null(_NO_ROLE))
    .otherwise(_ENDS)
    .alias("role")
)
_IS_CLAIM, _IS_LINE, _IS_END = (pl.col("role") == role for role in (_CLAIM, _LINE, _ENDS))
_NUMBERED = [  # from 1, so that 0 stands for none
    (pl.col("payment") + 1).clip(0).cast(pl.UInt32).alias("transaction"),
    pl.when(_IS_CLAIM).then(_IS_CLAIM.cum_sum()).when(_IS_END).then(0).forward_fill().cast(pl.UInt32).alias("claim"),
    pl.when(_IS_LINE)
    .then(_IS_LINE.cum_sum())
    .when(_IS_END | _IS_CLAIM)
    .then(0)
    .forward_fill()
    .cast(pl.UInt32)
    .alias("line"),
]
_LOCATIONS = [pl.when(pl.col(name) > 0).then(pl.col(name) - 1).alias(name) for name in ("transaction", "claim", "line")]


def add_locations(segments: pl.DataFrame, marks: list[tuple[int, int]]) -> pl.DataFrame:
    """Add transaction, claim and line to each segment, null outside of them. `marks` come from the envelope.

    A segment outside every payment loses its `kind`, so that it gets into no frame; `known` still has it for messages.
    """
    starts = [(0, NO_TRANSACTION), *marks]
    ends = [index for index, _ in marks] + [segments.height]
    stretches = [
        pl.Series("payment", [number], pl.Int32).new_from_index(0, end - start)
        for (start, number), end in zip(starts, ends, strict=True)
    ]
    payments = pl.concat(stretches, rechunk=True)
    segments = segments.hstack([payments, segments["kind"].alias("known")])
    return segments.with_columns_seq(_KIND_IN_PAYMENT, _ROLE).with_columns(_NUMBERED).with_columns_seq(_LOCATIONS)


class UnparsedValues(NamedTuple):
    """Rows of a frame whose text in this column is not a valid value."""

    column: Column
    rows: pl.DataFrame


class ParsedSegments(NamedTuple):
    """The frame of each kind of segment, by segment id.

    `unparsed` and `overlong` have what did not fit into the frames; `rows` has the segments themselves, by id.
    """

    frames: Frames
    unparsed: list[UnparsedValues]
    overlong: list[pl.DataFrame]
    rows: Frames


def parse_segments(rows: pl.DataFrame, segments: Segments) -> ParsedSegments:
    """Return a frame with typed columns for each kind of segment that is present."""
    slim = rows[["kind", "file", "transaction", "claim", "line", "segment", "delimiter_set", "start", "count"]]
    by_number = {group["kind"][0]: group for group in slim.partition_by("kind")}
    kinds = {KINDS[number]: group for number, group in by_number.items() if number is not None}
    overlong = [
        group.filter(pl.col("count") > MAX_ELEMENTS[kind] + 1)
        for kind, group in kinds.items()
        if kind in _PARSED_KINDS and kind not in RAW_SEGMENTS and _find_longest(group) > MAX_ELEMENTS[kind] + 1
    ]
    texts = {kind: _extract_texts(kinds[kind], kind, segments) for kind in _PARSED_KINDS if kind in kinds}
    unparsed = _parse_values(texts)
    frames = {kind: _build_frame(kind, columns) for kind, columns in texts.items()}
    return ParsedSegments(frames, unparsed, overlong, kinds)


def _extract_texts(rows: pl.DataFrame, kind: str, segments: Segments) -> Columns:
    if kind not in REPEATS:
        return _extract_columns(rows, kind, segments)
    stride, times = REPEATS[kind]
    first = min(column.element for column in SEGMENTS[kind] if column.repeats)
    if _find_longest(rows) <= first + stride:
        return _extract_columns(rows.with_columns(position=pl.lit(1, pl.Int64)), kind, segments)
    repetitions = ((pl.col("count").cast(pl.Int64) - first + stride - 1) // stride).clip(1, times)
    exploded = rows.with_columns(position=pl.int_ranges(1, repetitions + 1)).explode("position")
    frame = pl.DataFrame(_extract_columns(exploded, kind, segments, stride))
    # a position that is empty between others gives no row
    filled = pl.any_horizontal(pl.col(column.name).is_not_null() for column in SEGMENTS[kind] if column.repeats)
    is_row = frame.select_seq(filled | (pl.col("position") == 1)).to_series()
    return (frame if is_row.all() else frame.filter(is_row)).to_dict()


def _extract_columns(rows: pl.DataFrame, kind: str, segments: Segments, stride: int = 0) -> Columns:
    """Return the columns of a segment as texts. It uses series, since expressions cost more for small files."""
    columns = SEGMENTS[kind]
    start, count = rows["start"], rows["count"]
    shift = ((rows["position"] - 1) * stride).cast(pl.UInt32) if stride else None
    shortest, longest = cast("int", count.min() or 0), _find_longest(rows)

    def extract(column: Column) -> pl.Series:
        number = column.element
        if shift is not None and column.repeats:
            index = shift + number
            return segments.elements[(start + index).zip_with(count > index, NULL_INDEX)]
        if number >= longest:
            return _make_nulls("text", rows.height)
        index = start + number
        return segments.elements[index if number < shortest else index.zip_with(count > number, NULL_INDEX)]

    composites = {column.element: extract(column) for column in columns if column.component}
    texts = {column.name: extract(column) for column in columns if not column.component}
    for number, composite in composites.items():
        parts = [column for column in columns if column.element == number]
        texts |= _split_composite(composite, parts, rows["delimiter_set"], segments.delimiter_sets)
    location = [*list_location_columns(columns[0].frame), *(["position"] if kind in REPEATS else [])]
    return {name: rows[name] for name in location} | texts


def _find_longest(rows: pl.DataFrame) -> int:
    return cast("int", rows["count"].max() or 0)


def _split_composite(
    composite: pl.Series, columns: list[Column], delimiter_set: pl.Series, delimiter_sets: list[str]
) -> dict[str, pl.Series]:
    """Return the columns of a composite element."""
    height = composite.len()
    if composite.null_count() == height:
        return {column.name: _make_nulls("list" if column.kind == "list" else "text", height) for column in columns}
    separators = [characters[1] for characters in delimiter_sets]
    separator = pl.lit(separators[0]) if len(separators) == 1 else pl.lit(pl.Series(separators)[delimiter_set])
    components = pl.col("composite").str.strip_chars_end(separator).str.split(separator)
    split = composite.to_frame("composite").select(components=components)
    return split.select(_select_component(column).alias(column.name) for column in columns).to_dict()


def _select_component(column: Column) -> pl.Expr:
    components = pl.col("components")
    if column.kind == "list":
        return components.list.slice(column.component - 1, MODIFIERS)
    text = components.list.get(column.component - 1, null_on_oob=True)
    return pl.when(text != "").then(text)


def _make_nulls(kind: str, height: int) -> pl.Series:
    return _NULLS[kind].new_from_index(0, height)


def _parse_values(texts: dict[str, Columns]) -> list[UnparsedValues]:
    """Replace texts by values, all texts of one kind together, and return what could not be parsed."""
    unparsed = []
    for value_kind, parse in PARSERS.items():
        targets = [(kind, column) for kind in texts for column in SEGMENTS[kind] if column.kind == value_kind]
        for kind, column in targets:
            text = texts[kind][column.name]
            if text.null_count() == text.len():
                texts[kind][column.name] = _make_nulls(value_kind, text.len())
        targets = [(kind, column) for kind, column in targets if texts[kind][column.name].dtype == pl.String]
        if not targets:
            continue
        text = pl.concat([texts[kind][column.name] for kind, column in targets])
        values = parse(text)
        invalid = text.is_not_null() & values.is_null() if values.null_count() > text.null_count() else None
        start = 0
        for kind, column in targets:
            size = texts[kind][column.name].len()
            if invalid is not None and invalid.slice(start, size).any():
                frame = _build_frame(kind, texts[kind])
                unparsed.append(UnparsedValues(column, frame.filter(invalid.slice(start, size))))
            texts[kind][column.name] = values.slice(start, size)
            start += size
    return unparsed


def _build_frame(kind: str, columns: Columns) -> pl.DataFrame:
    return _fill_columns(SEGMENTS[kind][0].frame, columns)


def select_columns(frame: str, rows: pl.DataFrame | None) -> pl.DataFrame:
    """Return exactly the columns of this frame in their order, null where the rows do not have them."""
    if rows is None or rows.is_empty():
        return make_empty(frame)
    return rows if rows.columns == list(_build_nulls(frame)) else _fill_columns(frame, rows.to_dict())


def _fill_columns(frame: str, columns: Columns) -> pl.DataFrame:
    height = columns["segment"].len()
    return pl.DataFrame(
        [
            columns[name].alias(name) if name in columns else null.new_from_index(0, height)
            for name, null in _build_nulls(frame).items()
        ]
    )


@cache
def make_empty(frame: str) -> pl.DataFrame:
    return pl.DataFrame(schema=build_schema(frame))


@cache
def _build_nulls(frame: str) -> dict[str, pl.Series]:
    return {name: pl.Series(name, [None], dtype) for name, dtype in build_schema(frame).items()}
