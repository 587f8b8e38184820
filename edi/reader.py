"""The reading pipeline: segments, envelope, locations, columns, frames, checks, balances."""

from itertools import accumulate
from operator import contains
from typing import Any

import polars as pl

from edi import balances, checks, tokens
from edi.assembly import assemble
from edi.checks import ProblemRows
from edi.columns import Frames, add_locations, make_empty, parse_segments
from edi.envelope import Envelope, EnvelopeSegment
from edi.layout import ENVELOPE, FRAMES, KINDS
from edi.limits import Limits
from edi.problems import ProblemRecord
from edi.remittance import Remittance
from edi.sources import SourceFile, read_all
from edi.tokens import Segments, Span


def read_sources(files: list[SourceFile], limits: Limits) -> Remittance:
    """Read all files together, which costs little more than one file of their total size."""
    reader = Reader(limits)
    spans, refusals = [], []
    for number, file in enumerate(files):
        span = _open_span(number, file, limits)
        if isinstance(span, Span):
            spans.append(span)
        else:
            refusals.append(_refuse(span, number, limits))
    codes = [tokens.find_exceeded_limit(span, limits) for span in spans]
    if any(codes):
        spans = tokens.split_interchanges(spans)  # a later interchange may declare another terminator
        codes = [tokens.find_exceeded_limit(span, limits) for span in spans]
    too_large = {span.file: code for span, code in zip(spans, codes, strict=True) if code}
    refusals += [_refuse(code, file, limits) for file, code in too_large.items()]
    names = [(file.name, file.size) for file in files]
    remittance = reader.read([span for span in spans if span.file not in too_large], names, refusals)
    if remittance is not None:
        return remittance
    # transactions are counted only while reading, since counting takes time and such files are rare
    files = [
        file._replace(refusal="TRANSACTION_TOO_LONG") if number in reader.too_long else file
        for number, file in enumerate(files)
    ]
    return read_sources(files, limits)


def _refuse(code: str, file: int, limits: Limits) -> ProblemRecord:
    limit = {
        "SEGMENT_TOO_LONG": limits.segment_bytes,
        "TRANSACTION_TOO_LONG": limits.transaction_segments,
        "TOO_MANY_PARTS": limits.file_parts,
    }
    return ProblemRecord(code, file, values={"limit": limit.get(code, limits.file_bytes)})


def _open_span(number: int, file: SourceFile, limits: Limits) -> Span | str:
    """Return the file from its first segment on, or the code why it is not read."""
    if file.refusal:
        return file.refusal
    data = read_all(file)
    if not data or data.isspace():
        return "EMPTY"
    first = tokens.find_first_interchange(data, limits.segment_bytes)
    return tokens.make_span(number, data, *first) if first else "NOT_X12"


class Reader:
    """Reads files, or one file in pieces of whole transactions, and carries its state from piece to piece."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.envelope = Envelope()
        self.segment_offset = 0  # segments in earlier pieces
        self.too_long: set[int] = set()
        self.files_with_payments: set[int] = set()
        self.seen_payments: dict[tuple[Any, ...], tuple[Any, ...]] = {}

    def read(
        self, spans: list[Span], files: list[tuple[str, int]], records: list[ProblemRecord], *, is_last: bool = True
    ) -> Remittance | None:
        """Return the frames of these spans, or None if there are files in `too_long`.

        `records` are problems found before. The last span ends its file if `is_last`.
        """
        if not spans:
            return self._build_remittance({}, files, {}, [checks.to_problem_rows(records)] if records else [], spans)
        segments = tokens.split_segments(spans, self.segment_offset)
        last_segments = _find_last_segments(segments.rows)
        self._process_envelope(segments, last_segments, is_last=is_last)
        self.too_long |= self._find_too_long(segments.rows)
        if self.too_long:
            return None
        rows = add_locations(segments.rows, self.envelope.marks)
        parsed = parse_segments(rows, segments)
        frames = assemble(rows, segments, parsed, self.envelope)
        frames, problems = balances.add_balances(frames)
        problems += [
            *checks.find_unparsed_values(parsed.unparsed),
            *checks.find_missing_elements(parsed.frames, parsed.unparsed),
            *checks.find_misplaced_segments(rows),
            *checks.find_extra_elements(parsed.overlong),
            *checks.find_repeated_headers(frames["payments"], parsed.frames),
            *checks.find_missing_segments(frames),
            *checks.find_unknown_codes(parsed.frames),
            *balances.find_interest_differences(frames),
            *balances.find_total_differences(frames),
            *balances.find_repeated_claims(frames["claims"]),
        ]
        repeated = balances.find_repeated_payments(frames["payments"], self.seen_payments)
        records = [*records, *self.envelope.problems, *repeated]
        records += _find_unterminated(segments.spans, last_segments) if is_last else []
        if records:
            problems.append(checks.to_problem_rows(records))
        frames["payments"] = _add_sound(frames["payments"], problems, self.envelope)
        self.files_with_payments |= set(frames["payments"]["file"])
        remittance = self._build_remittance(frames, files, last_segments, problems, segments.spans)
        self.segment_offset += segments.rows.height
        self.envelope.begin_next_piece()
        return remittance

    def _find_too_long(self, rows: pl.DataFrame) -> set[int]:
        """Return files with too many segments in one transaction or between two, before more time is spent on them."""
        starts = [0, *(index for index, _ in self.envelope.marks)]
        ends = [*starts[1:], rows.height]
        limit = self.limits.transaction_segments
        return {rows["file"][start] for start, end in zip(starts, ends, strict=True) if end - start > limit}

    def _process_envelope(self, segments: Segments, last_segments: dict[int, int], *, is_last: bool) -> None:
        rows = segments.rows.with_row_index("index")[["index", "file", "segment", "kind", "delimiter_set"]]
        rows = rows[(rows["kind"] < len(ENVELOPE)).arg_true()]
        lists = segments.lists.gather(rows["index"]).to_list()
        end_indexes = accumulate(number - self.segment_offset for number in last_segments.values())
        ends = dict(zip(last_segments, end_indexes, strict=True))
        current = next(iter(last_segments))
        for (index, file, segment, kind, delimiter_set), elements in zip(rows.iter_rows(), lists, strict=True):
            if file != current:
                self.envelope.finish_file(current, last_segments[current], ends[current])
            delimiters = segments.delimiter_sets[delimiter_set]
            self.envelope.process_segment(EnvelopeSegment(index, file, segment, KINDS[kind], elements, delimiters))
            current = file
        if is_last:
            self.envelope.finish_file(current, last_segments[current], ends[current])

    def _build_remittance(
        self,
        frames: Frames,
        files: list[tuple[str, int]],
        last_segments: dict[int, int],
        problems: list[ProblemRows],
        spans: list[Span],
    ) -> Remittance:
        frames = {name: frames[name] if name in frames else make_empty(name) for name in FRAMES}
        rows = [
            (file, name, size, last_segments.get(file, 0), file not in self.files_with_payments)
            for file, (name, size) in enumerate(files)
        ]
        frames["files"] = pl.DataFrame(rows, schema=frames["files"].schema, orient="row")
        frames["problems"] = checks.build_problem_frame(problems, spans, self.segment_offset)
        return Remittance(**frames)


def _find_last_segments(rows: pl.DataFrame) -> dict[int, int]:
    """Return the number of the last segment of each file."""
    file, segment = rows["file"], rows["segment"]
    if file[0] == file[-1]:
        return {file[0]: segment[-1]}
    return dict(rows.filter(file != file.shift(-1, fill_value=2**32 - 1)).select("file", "segment").iter_rows())


def _find_unterminated(spans: list[Span], last_segments: dict[int, int]) -> list[ProblemRecord]:
    """Return a problem for each file whose last segment has no terminator."""
    last_spans = {span.file: span for span in spans}
    return [
        ProblemRecord("UNTERMINATED", file, last_segments[file])
        for file, span in last_spans.items()
        if not span.data.rstrip(span.delimiters.blanks.encode()).endswith(span.delimiters.terminator)
    ]


def _add_sound(payments: pl.DataFrame, problems: list[ProblemRows], envelope: Envelope) -> pl.DataFrame:
    """Add `sound`: no structural error in the payment, its group or its interchange."""
    transactions, files = checks.find_unsound(problems)
    unsound: dict[str, set[int | None]] = {
        "interchange": {None},
        "group": {None},
        "transaction": {*transactions},
        "file": {*files},
    }
    for level, number in envelope.unsound:
        unsound[level].add(number)
    sound = [not any(map(contains, unsound.values(), row)) for row in payments[list(unsound)].iter_rows()]
    return payments.with_columns_seq(pl.Series("sound", sound, pl.Boolean))
