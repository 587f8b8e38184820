"""From bytes to segments: finds the delimiters of each interchange and splits it, whole columns at once.

What a segment means is no matter here.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

import polars as pl

from edi.layout import KINDS, NUMBER_OF
from edi.limits import Limits

_BLANKS = " \t\r\n"
_KINDS = pl.Enum(KINDS)
BATCH = 512 * 1024  # bytes, below which one processor splits alone
PROCESSORS = pl.thread_pool_size()
HEADER_BYTES = 160  # an ISA is 106 long; a badly padded one may be longer
_BARE_ST = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?=ST([^\w\s])\d{3}\1[^\x00]{1,80}?([^\w ])[\r\n]*[A-Z][A-Z0-9]{1,2}\1)")
_REMITTANCE = re.compile(rb"(?<![A-Za-z0-9])ST([^\w\s])835\1")


@dataclass(frozen=True)
class Delimiters:
    element: str
    component: str
    segment: str

    @property
    def signs(self) -> str:
        return self.element + self.component + self.segment

    @property
    def end(self) -> bytes:
        """Of a segment."""
        return self.segment.encode("latin-1")

    @property
    def blanks(self) -> str:
        """What may stand around segments and elements without meaning anything."""
        return "".join(one for one in _BLANKS if one not in self.signs)


@dataclass(frozen=True)
class Run:
    """A stretch of one file with the same delimiters; `start` is its first byte's place in the file."""

    file: int
    start: int
    data: bytes
    utf8: bool
    delimiters: Delimiters

    def text(self, at: int = 0, end: int | None = None) -> str:
        return str(memoryview(self.data)[at:end], "utf-8" if self.utf8 else "latin-1")


def delimiters_at(data: bytes, at: int) -> Delimiters | None:
    """What the ISA at this place declares; None if no ISA stands there."""
    header = data[at : at + HEADER_BYTES]
    elements = header.split(header[3:4] or b"*", 16)
    if elements[0] != b"ISA" or len(elements) < 17 or len(elements[16]) < 2:
        return None
    signs = [header[3:4], elements[16][:1], elements[16][1:2]]
    if any(sign.isalnum() or sign == b" " for sign in signs) or len(set(signs)) < 3:
        return None
    return Delimiters(*(sign.decode("latin-1") for sign in signs))


def first_interchange(data: bytes, within: int) -> tuple[int, Delimiters] | None:
    """Where the first ISA begins and what it declares; in a file that begins with ST, what that shows.

    A remittance before the first ISA that can be read is no leading text: it is read as one without an interchange,
    since leaving it out would lose its money in silence.
    """
    bare = _BARE_ST.match(data[:200])
    if bare:
        return bare.end(), Delimiters(bare[1].decode("latin-1"), ":", bare[2].decode("latin-1"))
    at = data.find(b"ISA", 0, within)
    while at >= 0:
        declared = delimiters_at(data, at)
        if declared:
            lost = _REMITTANCE.search(data, 0, at)
            return (lost.start() if lost else at), declared
        at = data.find(b"ISA", at + 1, within)
    return None


def run_of(file: int, data: bytes, start: int, delimiters: Delimiters, offset: int = 0) -> Run:
    """The data from `start` on as one run; `offset` is where the data begins in its file."""
    data = data[start:] if start else data
    utf8 = delimiters.signs.isascii() and (data.isascii() or _is_utf8(data))
    return Run(file, offset + start, data, utf8, delimiters)


def _is_utf8(data: bytes) -> bool:
    """Older senders write Latin-1, in which every byte is a character."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def cut(runs: list[Run]) -> list[Run]:
    """The same runs, cut where an ISA declares other delimiters. All are searched at once: it is rarely so."""
    found = []
    for delimiters, alike in groupby(runs, key=lambda run: run.delimiters):
        these = list(alike)
        before = "".join(_escaped(one) for one in delimiters.segment + delimiters.blanks)
        more = pl.Series([run.text() for run in these]).str.contains(rf"[{before}]ISA[^A-Za-z0-9]")
        for run, has_more in zip(these, more, strict=True):
            found += _cut(run) if has_more else [run]
    return found


def _cut(run: Run) -> list[Run]:
    cuts = [(0, run.delimiters), *interchanges(run.data, 0, run.delimiters)]
    cuts = [next(alike) for _, alike in groupby(cuts, key=lambda cut: cut[1])]
    ends = [at for at, _ in cuts[1:]] + [len(run.data)]
    return [run_of(run.file, run.data[:end], at, found, run.start) for (at, found), end in zip(cuts, ends, strict=True)]


def interchanges(data: bytes, at: int, delimiters: Delimiters) -> Iterator[tuple[int, Delimiters]]:
    """Every further ISA that stands at the beginning of a segment."""
    while True:
        openers = {delimiters.end, *(blank.encode() for blank in delimiters.blanks)}
        found = [place + 1 for place in (data.find(opener + b"ISA", at) for opener in openers) if place >= 0]
        if not found:
            return
        at = min(found)
        declared = delimiters_at(data, at)
        if declared:
            delimiters = declared
            yield at, declared


class Segments(NamedTuple):
    """`rows` has one row a segment: file, segment (its number there), kind (null: unknown), signs (which of `signs` are
    its delimiters), start and count, which say where its elements stand in `elements` (null: empty). `lists` has them
    as they are. `runs` are those that were split in the end."""

    rows: pl.DataFrame
    elements: pl.Series
    lists: pl.Series
    signs: list[str]
    runs: list[Run]


def split(runs: list[Run], counted: int = 0) -> Segments:
    """Blanks around segments and elements go; empty segments do not count. `counted` segments came before."""
    segments = _split(runs, counted)
    return _split(cut(runs), counted) if _hides_interchange(segments) else segments


def _split(runs: list[Run], counted: int) -> Segments:
    alike = [(delimiters, list(those)) for delimiters, those in groupby(runs, key=lambda run: run.delimiters)]
    signs = list(dict.fromkeys(delimiters.signs for delimiters, _ in alike))
    parts = [_split_alike(those, signs.index(delimiters.signs)) for delimiters, those in alike]
    found = pl.concat(parts) if len(parts) > 1 else parts[0]
    number = pl.int_range(1 + counted, pl.len() + 1 + counted, dtype=pl.UInt32)
    if runs[0].file != runs[-1].file:
        number = pl.int_range(1, pl.len() + 1, dtype=pl.UInt32).over("file")
    start = (pl.col("count").cum_sum() - pl.col("count")).alias("start")
    rows = found.select_seq("file", "signs", number.alias("segment"), "kind", start, "count")
    flat = found.select(pl.col("lists").explode().alias("element"))
    elements = flat.select(pl.when(pl.col("element") != "").then(pl.col("element"))).to_series()
    return Segments(rows, elements, found["lists"], signs, runs)


def _hides_interchange(segments: Segments) -> bool:
    """Whether an ISA stands where no run begins, and declares what the run does not know."""
    kind = segments.rows["kind"]
    unknown = segments.rows["start"].filter(kind.is_null())
    if unknown.len() and segments.elements[unknown].str.starts_with("ISA").any():
        return True
    is_header = kind == NUMBER_OF["ISA"]
    if (is_header.sum() or 0) <= sum(run.data.startswith(b"ISA") for run in segments.runs):
        return False
    headers = segments.rows.filter(is_header)
    told = segments.lists.filter(is_header).to_list()
    known = [segments.signs[number][1] for number in headers["signs"]]
    return any(header[16:17] != [component] for header, component in zip(told, known, strict=True))


def _split_alike(runs: list[Run], signs: int) -> pl.DataFrame:
    parts = pl.collect_all([_split_batch(batch, runs[0].delimiters) for batch in _batches(runs)])
    return pl.concat(parts, rechunk=True).with_columns(pl.lit(signs, pl.UInt32).alias("signs"))


def _batches(runs: list[Run]) -> Iterator[list[tuple[int, str]]]:
    """File and text of what one processor splits: small files together, or a part of a large one, whole segments."""
    most = max(BATCH, sum(len(run.data) for run in runs) // PROCESSORS + 1)
    batch: list[tuple[int, str]] = []
    size = 0
    for run in runs:
        at = 0
        while at < len(run.data):
            end = run.data.find(run.delimiters.end, at + most - size) + 1 or len(run.data)
            batch.append((run.file, run.text(at, end)))
            size += end - at
            if size >= most:
                yield batch
                batch, size = [], 0
            at = end
    if batch:
        yield batch


def _split_batch(batch: list[tuple[int, str]], given: Delimiters) -> pl.LazyFrame:
    files = pl.Series("file", [file for file, _ in batch], pl.UInt32)
    texts = [_without_newlines(text, given) for _, text in batch]
    lists = pl.col("lists")
    return (
        pl.LazyFrame([files, _without_blanks(texts, given)])
        .with_columns(pl.col("text").str.split(given.segment))
        .explode("text")
        .filter(pl.col("text") != "")
        .select("file", pl.col("text").str.split(given.element).alias("lists"))
        .with_columns(
            lists.list.first().cast(_KINDS, strict=False).to_physical().alias("kind"), lists.list.len().alias("count")
        )
    )


def _without_newlines(text: str, given: Delimiters) -> str:
    """The usual blanks, quickly."""
    text = text.strip(given.blanks)
    for newline in ("\r\n", "\n"):
        if set(newline) <= set(given.blanks) and given.segment + newline in text[:1000]:
            return text.replace(given.segment + newline, given.segment)
    return text


def _without_blanks(texts: list[str], given: Delimiters) -> pl.Series:
    """Without those that touch a delimiter. The header of the interchange is padded anyway and may keep its own."""
    blank = "".join(_escaped(one) for one in given.blanks if any(one in text for text in texts))  # few are quicker
    whole = pl.Series("text", texts, pl.String)
    if not blank:
        return whole
    signs = "".join(_escaped(one) for one in (given.element, given.segment))
    headers = [text.find(given.segment) if text.startswith("ISA") else 0 for text in texts]
    bodies = pl.lit(whole).str.slice(pl.lit(pl.Series(headers)))
    if not pl.select(bodies.str.contains(f"[{blank}][{signs}]|[{signs}][{blank}]").any()).item():
        return whole
    return whole.str.replace_all(f"[{blank}]*([{signs}])[{blank}]*", "${1}")


def _escaped(sign: str) -> str:
    return f"\\x{{{ord(sign):x}}}"


def locate(runs: list[Run], counted: int = 0) -> pl.DataFrame:
    """file, segment and offset: where the first byte of each segment stands. Done only for what has problems."""
    rows = []
    for run in runs:
        raw = pl.Series("raw", [run.text()]).str.split(run.delimiters.segment).explode().to_frame()
        size = pl.col("raw").str.len_bytes() if run.utf8 else pl.col("raw").str.len_chars()
        bare = pl.col("raw").str.strip_chars_start(run.delimiters.blanks)
        bare_size = bare.str.len_bytes() if run.utf8 else bare.str.len_chars()
        place = (size.cast(pl.Int64) + 1).cum_sum() - 1 - bare_size + run.start
        rows.append(
            raw.select(pl.lit(run.file, pl.UInt32).alias("file"), place.alias("offset")).filter(
                raw.select(bare != "").to_series()
            )
        )
    number = (pl.int_range(1, pl.len() + 1, dtype=pl.UInt32) + counted).over("file")
    return pl.concat(rows).with_columns(number.alias("segment"))


def beyond(run: Run, limits: Limits) -> str | None:
    """By code, which limit the run is beyond, seen without splitting it."""
    data, sign, most = run.data, run.delimiters.end, limits.segment_bytes
    if len(data) > limits.file_parts:
        parts = data.count(sign) * 4 + data.count(run.delimiters.element.encode("latin-1"))
        if parts > limits.file_parts:
            return "TOO_MANY_PARTS"
    at = 0
    while len(data) - at > most:  # in each window there must be an end
        end = data.rfind(sign, at, at + most + 1)
        if end < 0:
            return "SEGMENT_TOO_LONG"
        at = end + 1
    return None
