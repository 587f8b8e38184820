"""What the 835 asks of a transaction's segments: that they are there, in a possible place, and complete.

Amounts are held against each other in `balances`, the envelope's ends in `envelope`.
"""

from string import Formatter

import polars as pl

from edi.columns import ASTRAY, Frames, Unread, in_order
from edi.layout import KINDS, NUMBER_OF, REPEATS, SEGMENTS, Column
from edi.problems import CODES, Found
from edi.tokens import Run, locate

Rows = pl.DataFrame  # with file, transaction, claim, segment, element, code and message

_IN_CLAIM = {"SVC", "CAS", "NM1", "MIA", "MOA", "AMT", "QTY", "LQ"}
_BEFORE_CLAIMS = {"BPR", "TRN", "CUR", "N1", "N3", "N4", "RDM"}
_UNREAD = {"cents": "BAD_AMOUNT", "date": "BAD_DATE", "number": "BAD_NUMBER"}
_GROUPS = ["CO", "PR", "OA", "PI", "CR"]
_STATUSES = ["1", "2", "3", "4", "5", "10", "13", "15", "16", "17", "19", "20", "21", "22", "23", "25", "27"]
_KIND, _CLAIM = pl.col("kind"), pl.col("claim")
_MISPLACED = {
    "no claim is open": _KIND.is_in([NUMBER_OF[kind] for kind in _IN_CLAIM]) & _CLAIM.is_null(),
    "a claim has begun": _KIND.is_in([NUMBER_OF[kind] for kind in _BEFORE_CLAIMS]) & _CLAIM.is_not_null(),
    "no transaction is open": ASTRAY,
    "unknown": pl.col("transaction").is_not_null() & _KIND.is_null(),
}
_PLACE = ("file", "transaction", "claim", "segment")


def problem_rows(rows: pl.DataFrame, code: str, element: pl.Expr | str | None = None, **values: pl.Expr | str) -> Rows:
    """One problem for each row, its sentence filled in with these values."""
    named = {name: _expression(value) for name, value in {"element": element, **values}.items()}
    words = []
    for before, name, _, _ in Formatter().parse(CODES[code][1]):
        words += [pl.lit(before), *([named[name]] if name else [])]
    message = pl.concat_str(words, ignore_nulls=True)
    place = [pl.col(name) if name in rows.columns else pl.lit(None, pl.UInt32).alias(name) for name in _PLACE]
    return rows.select(*place, named["element"].alias("element"), code=pl.lit(code), message=message)


def _expression(value: pl.Expr | str | None) -> pl.Expr:
    return value if isinstance(value, pl.Expr) else pl.lit(value, pl.String)


def _element_name(column: Column) -> pl.Expr:
    """As people write it: CLP03, SVC01-2, CAS06 in the second triplet."""
    part = f"-{column.part}" if column.part else ""
    if not column.repeats:
        return pl.lit(f"{column.id}{column.element:02}{part}")
    stride, _ = REPEATS[column.id]
    number = (column.element + stride * (pl.col("position") - 1)).cast(pl.String).str.zfill(2)
    return pl.format(f"{column.id}{{}}{part}", number)


def _of_element(rows: pl.DataFrame, code: str, column: Column) -> Rows:
    """One problem for each element; one that stands once in a segment is on all rows that the segment gives."""
    if column.id in REPEATS and not column.repeats:
        rows = rows.unique(["file", "segment"], keep="first", maintain_order=True)
    return problem_rows(rows, code, _element_name(column))


def unreadable(unread: list[Unread]) -> list[Rows]:
    return [_of_element(rows, _UNREAD[column.kind], column) for column, rows in unread]


def missing_elements(frames: Frames, unread: list[Unread]) -> list[Rows]:
    """Required elements that are null, except those that were there and could not be read."""
    told = {(column.id, column.name): rows for column, rows in unread}
    found = []
    for kind, frame in frames.items():
        row = ["file", "segment", "position"] if kind in REPEATS else ["file", "segment"]
        for column in SEGMENTS[kind]:
            if not column.required or not frame[column.name].null_count():
                continue
            rows = frame.filter(pl.col(column.name).is_null())
            if (kind, column.name) in told:
                rows = rows.join(told[kind, column.name], on=row, how="anti")
            found.append(_of_element(rows, "MISSING_ELEMENT", column))
    return found


def misplaced(rows: pl.DataFrame) -> list[Rows]:
    """Segments of the 835 that stand where they mean nothing, and segments that it does not have."""
    there = rows.select_seq(test.any().alias(why) for why, test in _MISPLACED.items()).row(0, named=True)
    found = [why for why in _MISPLACED if there[why]]
    return [
        problem_rows(rows.filter(_MISPLACED[why]), "UNKNOWN_SEGMENT")
        if why == "unknown"
        else problem_rows(rows.filter(_MISPLACED[why]), "MISPLACED_SEGMENT", id=_id(), why=why)
        for why in found
    ]


def _id(column: str = "known") -> pl.Expr:
    return pl.col(column).replace_strict(dict(enumerate(KINDS)), default="It", return_dtype=pl.String)


def extra_elements(longer: list[pl.DataFrame]) -> list[Rows]:
    return [problem_rows(rows, "EXTRA_ELEMENT", id=_id("kind")) for rows in longer if rows.height]


def missing_segments(frames: Frames) -> list[Rows]:
    """What every payment and every claim has to have."""
    payments, claims = frames["payments"], frames["claims"]
    found = [
        problem_rows(payments.filter(pl.col(column).is_null()), "MISSING_SEGMENT", id=name)
        for name, column in {"BPR": "bpr_segment", "TRN": "trn_segment"}.items()
        if payments[column].null_count()
    ]
    for entity in ("PR", "PE"):
        there = frames["parties"]["transaction"].filter(frames["parties"]["entity"] == entity)
        if there.n_unique() < payments.height:
            without = payments.filter(~pl.col("transaction").is_in(there.implode()))
            found.append(problem_rows(without, "MISSING_SEGMENT", id=f"N1*{entity}"))
    names = frames["names"]
    patients = names["claim"].filter((names["entity"] == "QC") & names["claim"].is_not_null())
    if patients.n_unique() < claims.height:
        without = claims.filter(~pl.col("claim").is_in(patients.implode()))
        found.append(problem_rows(without, "MISSING_PATIENT"))
    return found


def unknown_codes(frames: Frames) -> list[Rows]:
    found = []
    for kind, name, known, element in (("CAS", "group", _GROUPS, "CAS01"), ("CLP", "status", _STATUSES, "CLP02")):
        if kind in frames and not {None, *known}.issuperset(frames[kind][name].unique()):
            wrong = frames[kind].filter(~pl.col(name).is_in(known))
            first = wrong.unique(["file", "segment"], keep="first", maintain_order=True)
            found.append(problem_rows(first, "UNKNOWN_CODE", element))
    return found


def second_headers(payments: pl.DataFrame, frames: Frames) -> list[Rows]:
    """A BPR or TRN after the one that counts."""
    found = []
    for kind in ("BPR", "TRN"):
        if kind in frames and frames[kind].height > payments[f"{kind.lower()}_segment"].count():
            more = frames[kind].filter(~pl.col("transaction").is_first_distinct())
            found.append(problem_rows(more, "MISPLACED_SEGMENT", id=kind, why="the transaction has one already"))
    return found


def as_rows(found: list[Found]) -> Rows:
    """Problems that were met one by one."""
    return pl.DataFrame(
        [(one.file, one.transaction, None, one.segment, one.element, one.code, one.message) for one in found],
        schema={"file": pl.UInt32, "transaction": pl.UInt32, "claim": pl.UInt32, "segment": pl.UInt32}
        | dict.fromkeys(("element", "code", "message"), pl.String),
        orient="row",
    )


def with_errors(problems: list[Rows]) -> tuple[list[int], list[int]]:
    """The transactions with errors; and the files with segments astray, of which no one knows whose they are."""
    if not problems:
        return [], []
    errors = [code for code, (severity, _) in CODES.items() if severity == "error"]
    rows = pl.concat(problems)
    its_own = rows.filter(pl.col("transaction").is_not_null() & pl.col("code").is_in(errors))
    astray = rows.filter(pl.col("transaction").is_null() & (pl.col("code") == "MISPLACED_SEGMENT"))
    return its_own["transaction"].unique().to_list(), astray["file"].unique().to_list()


def as_frame(problems: list[Rows], runs: list[Run], counted: int) -> pl.DataFrame:
    """All problems in the order of the files, each with the byte at which its segment begins."""
    if not problems:
        return in_order("problems", None)
    rows = pl.concat(problems).sort("file", "segment", nulls_last=True, maintain_order=True)
    wanted = set(rows.filter(pl.col("segment").is_not_null())["file"].unique())
    runs = [run for run in runs if run.file in wanted]
    if runs:
        rows = rows.join(locate(runs, counted), on=["file", "segment"], how="left", maintain_order="left")
    severity = pl.col("code").replace_strict({code: severity for code, (severity, _) in CODES.items()})
    return in_order("problems", rows.with_columns(severity.alias("severity")))
