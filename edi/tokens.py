"""Tokenizing: finds the delimiters of each interchange and splits bytes into segments and elements, by whole columns.

The meaning of segments is not looked at here.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

import polars as pl

from edi.layout import KIND_NUMBERS, KINDS
from edi.limits import Limits

_BLANKS = " \t\r\n"
_KINDS = pl.Enum(KINDS)
BATCH_BYTES = 512 * 1024  # a smaller file is split by one processor
PROCESSORS = pl.thread_pool_size()
HEADER_BYTES = 160  # an ISA has 106 bytes; a badly padded one may be longer
_BARE_ST = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?=ST([^\w\s])\d{3}\1[^\x00]{1,80}?([^\w ])[\r\n]*[A-Z][A-Z0-9]{1,2}\1)")
_REMITTANCE = re.compile(rb"(?<![A-Za-z0-9])ST([^\w\s])835\1")


@dataclass(frozen=True)
class Delimiters:
    """The delimiters that an interchange declares."""

    element: str
    component: str
    segment: str

    @property
    def characters(self) -> str:
        return self.element + self.component + self.segment

    @property
    def terminator(self) -> bytes:
        return self.segment.encode("latin-1")

    @property
    def blanks(self) -> str:
        """Return the characters that are ignored around segments and elements."""
        return "".join(blank for blank in _BLANKS if blank not in self.characters)


@dataclass(frozen=True)
class Span:
    """A stretch of one file with the same delimiters; `start` is the offset of its first byte in the file."""

    file: int
    start: int
    data: bytes
    is_utf8: bool
    delimiters: Delimiters

    def decode(self, start: int = 0, end: int | None = None) -> str:
        return str(memoryview(self.data)[start:end], "utf-8" if self.is_utf8 else "latin-1")


def read_delimiters(data: bytes, position: int) -> Delimiters | None:
    """Return the delimiters that the ISA at this position declares, or None if there is no valid ISA."""
    header = data[position : position + HEADER_BYTES]
    elements = header.split(header[3:4] or b"*", 16)
    if elements[0] != b"ISA" or len(elements) < 17 or len(elements[16]) < 2:
        return None
    characters = [header[3:4], elements[16][:1], elements[16][1:2]]
    if any(char.isalnum() or char == b" " for char in characters) or len(set(characters)) < 3:
        return None
    return Delimiters(*(char.decode("latin-1") for char in characters))


def find_first_interchange(data: bytes, search_bytes: int) -> tuple[int, Delimiters] | None:
    """Return the position of the first ISA and its delimiters; in a file that begins with ST, those that it shows.

    A remittance before the first readable ISA is not skipped, which would silently lose its money: it is read as one
    without an interchange.
    """
    bare = _BARE_ST.match(data[:200])
    if bare:
        return bare.end(), Delimiters(bare[1].decode("latin-1"), ":", bare[2].decode("latin-1"))
    position = data.find(b"ISA", 0, search_bytes)
    while position >= 0:
        delimiters = read_delimiters(data, position)
        if delimiters:
            earlier = _REMITTANCE.search(data, 0, position)
            return (earlier.start() if earlier else position), delimiters
        position = data.find(b"ISA", position + 1, search_bytes)
    return None


def make_span(file: int, data: bytes, start: int, delimiters: Delimiters, offset: int = 0) -> Span:
    """Return the data from `start` on as one span; `offset` is where the data begins in its file."""
    data = data[start:] if start else data
    is_utf8 = delimiters.characters.isascii() and (data.isascii() or _is_utf8(data))
    return Span(file, offset + start, data, is_utf8, delimiters)


def _is_utf8(data: bytes) -> bool:
    """Return False for older senders' Latin-1, in which every byte is a character."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def split_interchanges(spans: list[Span]) -> list[Span]:
    """Split the spans where an ISA declares other delimiters; few need it, so they are searched together."""
    result = []
    for delimiters, group in groupby(spans, key=lambda span: span.delimiters):
        uniform = list(group)
        before = "".join(_escape(char) for char in delimiters.segment + delimiters.blanks)
        matches = pl.Series([span.decode() for span in uniform]).str.contains(rf"[{before}]ISA[^A-Za-z0-9]")
        for span, has_interchange in zip(uniform, matches, strict=True):
            result += _split_span(span) if has_interchange else [span]
    return result


def _split_span(span: Span) -> list[Span]:
    starts = [(0, span.delimiters), *find_interchanges(span.data, 0, span.delimiters)]
    starts = [next(group) for _, group in groupby(starts, key=lambda start: start[1])]
    ends = [position for position, _ in starts[1:]] + [len(span.data)]
    return [
        make_span(span.file, span.data[:end], position, delimiters, span.start)
        for (position, delimiters), end in zip(starts, ends, strict=True)
    ]


def find_interchanges(data: bytes, position: int, delimiters: Delimiters) -> Iterator[tuple[int, Delimiters]]:
    """Yield position and delimiters of every further ISA that begins a segment."""
    while True:
        openers = {delimiters.terminator, *(blank.encode() for blank in delimiters.blanks)}
        matches = [match + 1 for match in (data.find(opener + b"ISA", position) for opener in openers) if match >= 0]
        if not matches:
            return
        position = min(matches)
        declared = read_delimiters(data, position)
        if declared:
            delimiters = declared
            yield position, declared


class Segments(NamedTuple):
    """The segments of all spans.

    `rows` has file, segment (its number in the file), kind (null: unknown), delimiter_set (index of `delimiter_sets`),
    and start and count of its elements in `elements` (null: empty). `lists` has the unchanged elements of each segment.
    """

    rows: pl.DataFrame
    elements: pl.Series
    lists: pl.Series
    delimiter_sets: list[str]
    spans: list[Span]


def split_segments(spans: list[Span], offset: int = 0) -> Segments:
    """Split the spans into segments, numbered after the `offset` segments of earlier pieces.

    Blanks around segments and elements are dropped, and empty segments are not counted.
    """
    segments = _split_spans(spans, offset)
    return _split_spans(split_interchanges(spans), offset) if _has_hidden_interchange(segments) else segments


def _split_spans(spans: list[Span], offset: int) -> Segments:
    uniform = [(delimiters, list(group)) for delimiters, group in groupby(spans, key=lambda span: span.delimiters)]
    delimiter_sets = list(dict.fromkeys(delimiters.characters for delimiters, _ in uniform))
    parts = [_split_uniform(group, delimiter_sets.index(delimiters.characters)) for delimiters, group in uniform]
    frame = pl.concat(parts) if len(parts) > 1 else parts[0]
    number = pl.int_range(1 + offset, pl.len() + 1 + offset, dtype=pl.UInt32)
    if spans[0].file != spans[-1].file:
        number = pl.int_range(1, pl.len() + 1, dtype=pl.UInt32).over("file")
    start = (pl.col("count").cum_sum() - pl.col("count")).alias("start")
    rows = frame.select_seq("file", "delimiter_set", number.alias("segment"), "kind", start, "count")
    flat = frame.select(pl.col("lists").explode().alias("element"))
    elements = flat.select(pl.when(pl.col("element") != "").then(pl.col("element"))).to_series()
    return Segments(rows, elements, frame["lists"], delimiter_sets, spans)


def _has_hidden_interchange(segments: Segments) -> bool:
    """Return whether an ISA inside a span declares delimiters that the span does not have."""
    kind = segments.rows["kind"]
    unknown = segments.rows["start"].filter(kind.is_null())
    if unknown.len() and segments.elements[unknown].str.starts_with("ISA").any():
        return True
    is_header = kind == KIND_NUMBERS["ISA"]
    if (is_header.sum() or 0) <= sum(span.data.startswith(b"ISA") for span in segments.spans):
        return False
    headers = segments.rows.filter(is_header)
    elements = segments.lists.filter(is_header).to_list()
    components = [segments.delimiter_sets[number][1] for number in headers["delimiter_set"]]
    return any(header[16:17] != [component] for header, component in zip(elements, components, strict=True))


def _split_uniform(spans: list[Span], delimiter_set: int) -> pl.DataFrame:
    parts = pl.collect_all([_split_batch(batch, spans[0].delimiters) for batch in _make_batches(spans)])
    return pl.concat(parts, rechunk=True).with_columns(pl.lit(delimiter_set, pl.UInt32).alias("delimiter_set"))


def _make_batches(spans: list[Span]) -> Iterator[list[tuple[int, str]]]:
    """Yield file numbers and texts for one processor each: small files together, a large file in whole segments."""
    target = max(BATCH_BYTES, sum(len(span.data) for span in spans) // PROCESSORS + 1)
    batch: list[tuple[int, str]] = []
    size = 0
    for span in spans:
        start = 0
        while start < len(span.data):
            end = span.data.find(span.delimiters.terminator, start + target - size) + 1 or len(span.data)
            batch.append((span.file, span.decode(start, end)))
            size += end - start
            if size >= target:
                yield batch
                batch, size = [], 0
            start = end
    if batch:
        yield batch


def _split_batch(batch: list[tuple[int, str]], delimiters: Delimiters) -> pl.LazyFrame:
    files = pl.Series("file", [file for file, _ in batch], pl.UInt32)
    texts = [_strip_newlines(text, delimiters) for _, text in batch]
    lists = pl.col("lists")
    return (
        pl.LazyFrame([files, _strip_blanks(texts, delimiters)])
        .with_columns(pl.col("text").str.split(delimiters.segment))
        .explode("text")
        .filter(pl.col("text") != "")
        .select("file", pl.col("text").str.split(delimiters.element).alias("lists"))
        .with_columns(
            lists.list.first().cast(_KINDS, strict=False).to_physical().alias("kind"), lists.list.len().alias("count")
        )
    )


def _strip_newlines(text: str, delimiters: Delimiters) -> str:
    """Remove line breaks after segments, a fast path for the most common blanks."""
    text = text.strip(delimiters.blanks)
    for newline in ("\r\n", "\n"):
        if set(newline) <= set(delimiters.blanks) and delimiters.segment + newline in text[:1000]:
            return text.replace(delimiters.segment + newline, delimiters.segment)
    return text


def _strip_blanks(texts: list[str], delimiters: Delimiters) -> pl.Series:
    """Remove the blanks next to a delimiter. The header of the interchange is padded and may keep its blanks."""
    present = [blank for blank in delimiters.blanks if any(blank in text for text in texts)]
    blanks = "".join(_escape(blank) for blank in present)  # as few as possible: a short pattern is faster
    series = pl.Series("text", texts, pl.String)
    if not blanks:
        return series
    separators = "".join(_escape(char) for char in (delimiters.element, delimiters.segment))
    header_ends = [text.find(delimiters.segment) if text.startswith("ISA") else 0 for text in texts]
    bodies = pl.lit(series).str.slice(pl.lit(pl.Series(header_ends)))
    if not pl.select(bodies.str.contains(f"[{blanks}][{separators}]|[{separators}][{blanks}]").any()).item():
        return series
    return series.str.replace_all(f"[{blanks}]*([{separators}])[{blanks}]*", "${1}")


def _escape(char: str) -> str:
    return f"\\x{{{ord(char):x}}}"


def locate_segments(spans: list[Span], offset: int = 0) -> pl.DataFrame:
    """Return file, number and byte offset of every segment; slow, so only for files with problems."""
    frames = []
    for span in spans:
        raw = pl.Series("raw", [span.decode()]).str.split(span.delimiters.segment).explode().to_frame()
        size = pl.col("raw").str.len_bytes() if span.is_utf8 else pl.col("raw").str.len_chars()
        stripped = pl.col("raw").str.strip_chars_start(span.delimiters.blanks)
        stripped_size = stripped.str.len_bytes() if span.is_utf8 else stripped.str.len_chars()
        position = (size.cast(pl.Int64) + 1).cum_sum() - 1 - stripped_size + span.start
        frames.append(
            raw.select(pl.lit(span.file, pl.UInt32).alias("file"), position.alias("offset")).filter(
                raw.select(stripped != "").to_series()
            )
        )
    number = (pl.int_range(1, pl.len() + 1, dtype=pl.UInt32) + offset).over("file")
    return pl.concat(frames).with_columns(number.alias("segment"))


def find_exceeded_limit(span: Span, limits: Limits) -> str | None:
    """Return the code of the limit that the span exceeds, if any, without splitting the span."""
    data, terminator, segment_bytes = span.data, span.delimiters.terminator, limits.segment_bytes
    if len(data) > limits.file_parts:
        parts = data.count(terminator) * 4 + data.count(span.delimiters.element.encode("latin-1"))
        if parts > limits.file_parts:
            return "TOO_MANY_PARTS"
    position = 0
    while len(data) - position > segment_bytes:  # each window has to contain a terminator
        end = data.rfind(terminator, position, position + segment_bytes + 1)
        if end < 0:
            return "SEGMENT_TOO_LONG"
        position = end + 1
    return None
