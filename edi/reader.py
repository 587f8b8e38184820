"""Puts the steps together: segments, envelope, places, columns, frames, checks, balances."""

from itertools import accumulate
from operator import contains
from typing import Any

import polars as pl

from edi import balances, checks, tokens
from edi.assembly import assemble
from edi.checks import Rows
from edi.columns import Frames, empty, read_columns, with_places
from edi.envelope import Envelope, Row
from edi.layout import ENVELOPE, FRAMES, KINDS
from edi.limits import Limits
from edi.problems import Found
from edi.remittance import Remittance
from edi.sources import Opened, whole
from edi.tokens import Run, Segments


def read_opened(files: list[Opened], limits: Limits) -> Remittance:
    """All of these files in one go, which costs little more than one file of their size together."""
    reader = Reader(limits)
    runs, found = [], []
    for number, file in enumerate(files):
        run = _run_of(number, file, limits)
        if isinstance(run, Run):
            runs.append(run)
        else:
            found.append(_refusal(run, number, limits))
    codes = [tokens.beyond(run, limits) for run in runs]
    if any(codes):
        runs = tokens.cut(runs)  # its segments may end in another way further on
        codes = [tokens.beyond(run, limits) for run in runs]
    too_large = {run.file: code for run, code in zip(runs, codes, strict=True) if code}
    found += [_refusal(code, file, limits) for file, code in too_large.items()]
    named = [(file.name, file.size) for file in files]
    remittance = reader.read([run for run in runs if run.file not in too_large], named, found)
    if remittance is not None:
        return remittance
    # told apart only now, since counting costs time and such files are rare
    files = [
        file._replace(refused="TRANSACTION_TOO_LONG") if number in reader.too_long else file
        for number, file in enumerate(files)
    ]
    return read_opened(files, limits)


def _refusal(code: str, file: int, limits: Limits) -> Found:
    most = {
        "SEGMENT_TOO_LONG": limits.segment_bytes,
        "TRANSACTION_TOO_LONG": limits.transaction_segments,
        "TOO_MANY_PARTS": limits.file_parts,
    }
    return Found(code, file, values={"most": most.get(code, limits.file_bytes)})


def _run_of(number: int, file: Opened, limits: Limits) -> Run | str:
    """The file from its first segment on; or, by code, why it is not read."""
    if file.refused:
        return file.refused
    data = whole(file)
    if not data or data.isspace():
        return "EMPTY"
    first = tokens.first_interchange(data, limits.segment_bytes)
    return tokens.run_of(number, data, *first) if first else "NOT_X12"


class Reader:
    """Reads files, or one file in pieces of whole transactions; keeps what it has to know from piece to piece."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.envelope = Envelope()
        self.counted = 0
        self.too_long: set[int] = set()
        self.paying: set[int] = set()  # files with a payment
        self.seen: dict[tuple[Any, ...], tuple[Any, ...]] = {}

    def read(
        self, runs: list[Run], files: list[tuple[str, int]], found: list[Found], *, ends: bool = True
    ) -> Remittance | None:
        """The frames of these runs; None if there are files in `too_long`. `found` is known already; `ends`: with the
        last run its file ends."""
        if not runs:
            return self._remittance({}, files, {}, [checks.as_rows(found)] if found else [], runs)
        segments = tokens.split(runs, self.counted)
        last = _last_segments(segments.rows)
        self._walk(segments, last, ends=ends)
        self.too_long |= self._too_long(segments.rows)
        if self.too_long:
            return None
        rows = with_places(segments.rows, self.envelope.marks)
        read = read_columns(rows, segments)
        frames = assemble(rows, segments, read, self.envelope)
        frames, problems = balances.balance(frames)
        problems += [
            *checks.unreadable(read.unread),
            *checks.missing_elements(read.frames, read.unread),
            *checks.misplaced(rows),
            *checks.extra_elements(read.longer),
            *checks.second_headers(frames["payments"], read.frames),
            *checks.missing_segments(frames),
            *checks.unknown_codes(read.frames),
            *balances.interest(frames),
            *balances.provider_totals(frames),
            *balances.repeated_claims(frames["claims"]),
        ]
        found = [*found, *self.envelope.found, *balances.repeated_payments(frames["payments"], self.seen)]
        found += _unterminated(segments.runs, last) if ends else []
        if found:
            problems.append(checks.as_rows(found))
        frames["payments"] = _sound(frames["payments"], problems, self.envelope)
        self.paying |= set(frames["payments"]["file"])
        remittance = self._remittance(frames, files, last, problems, segments.runs)
        self.counted += segments.rows.height
        self.envelope.next_piece()
        return remittance

    def _too_long(self, rows: pl.DataFrame) -> set[int]:
        """Files in which too many segments stand in one transaction or between two, before more is done with them."""
        begins = [0, *(at for at, _ in self.envelope.marks)]
        ends = [*begins[1:], rows.height]
        most = self.limits.transaction_segments
        return {rows["file"][at] for at, end in zip(begins, ends, strict=True) if end - at > most}

    def _walk(self, segments: Segments, last: dict[int, int], *, ends: bool) -> None:
        rows = segments.rows.with_row_index("at")[["at", "file", "segment", "kind", "signs"]]
        rows = rows[(rows["kind"] < len(ENVELOPE)).arg_true()]
        elements = segments.lists.gather(rows["at"]).to_list()
        ends_at = dict(zip(last, accumulate(number - self.counted for number in last.values()), strict=True))
        before = next(iter(last))
        for (at, file, segment, kind, signs), given in zip(rows.iter_rows(), elements, strict=True):
            if file != before:
                self.envelope.finish(before, last[before], ends_at[before])
            self.envelope.walk(Row(at, file, segment, KINDS[kind], given, segments.signs[signs]))
            before = file
        if ends:
            self.envelope.finish(before, last[before], ends_at[before])

    def _remittance(
        self, frames: Frames, files: list[tuple[str, int]], last: dict[int, int], problems: list[Rows], runs: list[Run]
    ) -> Remittance:
        frames = {name: frames[name] if name in frames else empty(name) for name in FRAMES}
        told = [
            (file, name, size, last.get(file, 0), file not in self.paying) for file, (name, size) in enumerate(files)
        ]
        frames["files"] = pl.DataFrame(told, schema=frames["files"].schema, orient="row")
        frames["problems"] = checks.as_frame(problems, runs, self.counted)
        return Remittance(**frames)


def _last_segments(rows: pl.DataFrame) -> dict[int, int]:
    """The number of the last segment of each file."""
    file, segment = rows["file"], rows["segment"]
    if file[0] == file[-1]:
        return {file[0]: segment[-1]}
    return dict(rows.filter(file != file.shift(-1, fill_value=2**32 - 1)).select("file", "segment").iter_rows())


def _unterminated(runs: list[Run], last: dict[int, int]) -> list[Found]:
    """Files whose last segment has no end of its own."""
    final = {run.file: run for run in runs}
    return [
        Found("UNTERMINATED", file, last[file])
        for file, run in final.items()
        if not run.data.rstrip(run.delimiters.blanks.encode()).endswith(run.delimiters.end)
    ]


def _sound(payments: pl.DataFrame, problems: list[Rows], envelope: Envelope) -> pl.DataFrame:
    """Nothing structural is wrong with the payment, nor with the group and interchange that it came in."""
    errors, astray = checks.with_errors(problems)
    wrong: dict[str, set[int | None]] = {
        "interchange": {None},
        "group": {None},
        "transaction": {*errors},
        "file": {*astray},
    }
    for name, number in envelope.unsound:
        wrong[name].add(number)
    sound = [not any(map(contains, wrong.values(), row)) for row in payments[list(wrong)].iter_rows()]
    return payments.with_columns_seq(pl.Series("sound", sound, pl.Boolean))
