"""From segments to the columns of the frames, following the table in `layout`.

What a value has to be is decided in `values`; what is missing or wrong is told in `checks`.
"""

from functools import cache
from typing import NamedTuple, cast

import polars as pl

from edi.envelope import OUTSIDE
from edi.layout import (
    ENVELOPE,
    KEPT_AS_THEY_ARE,
    KINDS,
    MODIFIERS,
    REPEATS,
    SEGMENTS,
    TYPES,
    Column,
    place_of,
    schema_of,
)
from edi.tokens import Segments
from edi.values import PARSERS

Frames = dict[str, pl.DataFrame]
Columns = dict[str, pl.Series]

LONGEST = {
    kind: max(one.element + (REPEATS[kind][0] * (REPEATS[kind][1] - 1) if one.repeats else 0) for one in columns)
    for kind, columns in SEGMENTS.items()
}
_NO_ROLE, _CLAIM, _LINE, _ENDS = range(4)
_ROLE_OF = {"CLP": _CLAIM, "SVC": _LINE} | dict.fromkeys(("ST", "SE", "LX", "TS2", "TS3", "PLB"), _ENDS)
_ROLES = pl.Series([_ROLE_OF.get(kind, _NO_ROLE) for kind in KINDS], dtype=pl.UInt8)
_NULL = {kind: pl.Series([None], dtype=of) for kind, of in TYPES.items()}
NOWHERE = pl.Series([None], dtype=pl.UInt32)
_TYPED = [kind for kind in SEGMENTS if kind not in ENVELOPE]

ASTRAY = (pl.col("payment") == OUTSIDE) & (pl.col("known") >= len(ENVELOPE)).fill_null(value=True)  # in no transaction
_KIND_IN_PAYMENT = pl.when(pl.col("payment") >= 0).then(pl.col("kind"))
_ROLE = (
    pl.when(pl.col("payment") >= 0)
    .then(pl.lit(_ROLES).gather(pl.col("kind")).fill_null(_NO_ROLE))
    .otherwise(_ENDS)
    .alias("role")
)
_IS_CLAIM, _IS_LINE, _IS_END = (pl.col("role") == role for role in (_CLAIM, _LINE, _ENDS))
_COUNTED = [  # from 1, so that 0 is none
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
_PLACES = [pl.when(pl.col(name) > 0).then(pl.col(name) - 1).alias(name) for name in ("transaction", "claim", "line")]


def with_places(segments: pl.DataFrame, marks: list[tuple[int, int]]) -> pl.DataFrame:
    """Adds transaction, claim and line to each segment; outside claims and lines they are null. `marks` are those of
    the envelope. What is in no payment loses its `kind`, so that it gets into no frame; `known` keeps it, for whoever
    has to tell of it."""
    begins = [(0, OUTSIDE), *marks]
    after = [at for at, _ in marks] + [segments.height]
    stretches = [
        pl.Series("payment", [number], pl.Int32).new_from_index(0, end - at)
        for (at, number), end in zip(begins, after, strict=True)
    ]
    payments = pl.concat(stretches, rechunk=True)
    segments = segments.hstack([payments, segments["kind"].alias("known")])
    return segments.with_columns_seq(_KIND_IN_PAYMENT, _ROLE).with_columns(_COUNTED).with_columns_seq(_PLACES)


class Unread(NamedTuple):
    """Rows of a frame whose text in this column is no value."""

    column: Column
    rows: pl.DataFrame


class Read(NamedTuple):
    """A frame for each kind of segment that is there, under the segment's id; what did not go into them; and the rows
    of the segments by their id."""

    frames: Frames
    unread: list[Unread]
    longer: list[pl.DataFrame]
    rows: Frames


def read_columns(rows: pl.DataFrame, segments: Segments) -> Read:
    small = rows[["kind", "file", "transaction", "claim", "line", "segment", "signs", "start", "count"]]
    by_number = {found["kind"][0]: found for found in small.partition_by("kind")}
    kinds = {KINDS[number]: found for number, found in by_number.items() if number is not None}
    longer = [
        found.filter(pl.col("count") > LONGEST[kind] + 1)
        for kind, found in kinds.items()
        if kind in _TYPED and kind not in KEPT_AS_THEY_ARE and _longest(found) > LONGEST[kind] + 1
    ]
    texts = {kind: _texts(kinds[kind], kind, segments) for kind in _TYPED if kind in kinds}
    unread = _type(texts)
    return Read({kind: _frame(kind, columns) for kind, columns in texts.items()}, unread, longer, kinds)


def _texts(rows: pl.DataFrame, kind: str, segments: Segments) -> Columns:
    if kind not in REPEATS:
        return _columns(rows, kind, segments)
    stride, times = REPEATS[kind]
    first = min(column.element for column in SEGMENTS[kind] if column.repeats)
    if _longest(rows) <= first + stride:
        return _columns(rows.with_columns(position=pl.lit(1, pl.Int64)), kind, segments)
    turns = ((pl.col("count").cast(pl.Int64) - first + stride - 1) // stride).clip(1, times)
    each = rows.with_columns(position=pl.int_ranges(1, turns + 1)).explode("position")
    found = pl.DataFrame(_columns(each, kind, segments, stride))
    # a place left empty in between is no row
    filled = pl.any_horizontal(pl.col(column.name).is_not_null() for column in SEGMENTS[kind] if column.repeats)
    kept = found.select_seq(filled | (pl.col("position") == 1)).to_series()
    return (found if kept.all() else found.filter(kept)).to_dict()


def _columns(rows: pl.DataFrame, kind: str, segments: Segments, stride: int = 0) -> Columns:
    """The columns of a segment, texts as they stand. Series and no expressions: those cost more for small files."""
    columns = SEGMENTS[kind]
    start, count = rows["start"], rows["count"]
    shift = ((rows["position"] - 1) * stride).cast(pl.UInt32) if stride else None
    shortest, longest = cast("int", count.min() or 0), _longest(rows)

    def element(column: Column) -> pl.Series:
        number = column.element
        if shift is not None and column.repeats:
            at = shift + number
            return segments.elements[(start + at).zip_with(count > at, NOWHERE)]
        if number >= longest:
            return _nulls("text", rows.height)
        at = start + number
        return segments.elements[at if number < shortest else at.zip_with(count > number, NOWHERE)]

    composites = {column.element: element(column) for column in columns if column.part}
    texts = {column.name: element(column) for column in columns if not column.part}
    for number, whole in composites.items():
        texts |= _parts(whole, [one for one in columns if one.element == number], rows["signs"], segments.signs)
    place = [*place_of(columns[0].frame), *(["position"] if kind in REPEATS else [])]
    return {name: rows[name] for name in place} | texts


def _longest(rows: pl.DataFrame) -> int:
    return cast("int", rows["count"].max() or 0)


def _parts(whole: pl.Series, columns: list[Column], which: pl.Series, signs: list[str]) -> dict[str, pl.Series]:
    """A composite element, taken apart into the columns that it has."""
    if whole.null_count() == whole.len():
        return {one.name: _nulls("list" if one.kind == "list" else "text", whole.len()) for one in columns}
    sign = pl.lit(signs[0][1]) if len(signs) == 1 else pl.lit(pl.Series([one[1] for one in signs])[which])
    split = whole.to_frame("whole").select(parts=pl.col("whole").str.strip_chars_end(sign).str.split(sign))
    return split.select(_part(column).alias(column.name) for column in columns).to_dict()


def _part(column: Column) -> pl.Expr:
    parts = pl.col("parts")
    if column.kind == "list":
        return parts.list.slice(column.part - 1, MODIFIERS)
    text = parts.list.get(column.part - 1, null_on_oob=True)
    return pl.when(text != "").then(text)


def _nulls(kind: str, height: int) -> pl.Series:
    return _NULL[kind].new_from_index(0, height)


def _type(texts: dict[str, Columns]) -> list[Unread]:
    """Texts of one kind from all frames are read in one go, and put back as values where they came from."""
    unread = []
    for of, parse in PARSERS.items():
        places = [(kind, column) for kind in texts for column in SEGMENTS[kind] if column.kind == of]
        for kind, column in places:
            given = texts[kind][column.name]
            if given.null_count() == given.len():
                texts[kind][column.name] = _nulls(of, given.len())
        places = [(kind, column) for kind, column in places if texts[kind][column.name].dtype == pl.String]
        if not places:
            continue
        given = pl.concat([texts[kind][column.name] for kind, column in places])
        read = parse(given)
        wrong = given.is_not_null() & read.is_null() if read.null_count() > given.null_count() else None
        at = 0
        for kind, column in places:
            size = texts[kind][column.name].len()
            if wrong is not None and wrong.slice(at, size).any():
                unread.append(Unread(column, _frame(kind, texts[kind]).filter(wrong.slice(at, size))))
            texts[kind][column.name] = read.slice(at, size)
            at += size
    return unread


def _frame(kind: str, columns: Columns) -> pl.DataFrame:
    return _filled(SEGMENTS[kind][0].frame, columns)


def in_order(frame: str, rows: pl.DataFrame | None) -> pl.DataFrame:
    """Exactly the columns of this frame, in their order; what is not there is null."""
    if rows is None or rows.is_empty():
        return empty(frame)
    return rows if rows.columns == list(_nulls_of(frame)) else _filled(frame, rows.to_dict())


def _filled(frame: str, columns: Columns) -> pl.DataFrame:
    height = columns["segment"].len()
    return pl.DataFrame(
        [
            columns[name].alias(name) if name in columns else null.new_from_index(0, height)
            for name, null in _nulls_of(frame).items()
        ]
    )


@cache
def empty(frame: str) -> pl.DataFrame:
    return pl.DataFrame(schema=schema_of(frame))


@cache
def _nulls_of(frame: str) -> dict[str, pl.Series]:
    return {name: pl.Series(name, [None], kind) for name, kind in schema_of(frame).items()}
