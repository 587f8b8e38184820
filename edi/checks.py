"""Structural checks of the segments of a transaction: present, in an allowed position, and complete.

`balances` checks amounts, and `envelope` the ends of the envelope.
"""

from string import Formatter

import polars as pl

from edi.columns import OUTSIDE_TRANSACTION, Frames, UnparsedValues, select_columns
from edi.layout import KIND_NUMBERS, KINDS, REPEATS, SEGMENTS, Column
from edi.problems import CODES, ProblemRecord
from edi.tokens import Span, locate_segments

ProblemRows = pl.DataFrame  # with file, transaction, claim, segment, element, code and message

_IN_CLAIM = {"SVC", "CAS", "NM1", "MIA", "MOA", "AMT", "QTY", "LQ"}
_BEFORE_CLAIMS = {"BPR", "TRN", "CUR", "N1", "N3", "N4", "RDM"}
_UNPARSED_CODES = {"cents": "BAD_AMOUNT", "date": "BAD_DATE", "number": "BAD_NUMBER"}
_GROUPS = ["CO", "PR", "OA", "PI", "CR"]
_STATUSES = ["1", "2", "3", "4", "5", "10", "13", "15", "16", "17", "19", "20", "21", "22", "23", "25", "27"]
_KIND, _CLAIM = pl.col("kind"), pl.col("claim")
_UNKNOWN = "unknown"
_MISPLACED = {
    "no claim is open": _KIND.is_in([KIND_NUMBERS[kind] for kind in _IN_CLAIM]) & _CLAIM.is_null(),
    "a claim has begun": _KIND.is_in([KIND_NUMBERS[kind] for kind in _BEFORE_CLAIMS]) & _CLAIM.is_not_null(),
    "no transaction is open": OUTSIDE_TRANSACTION,
    _UNKNOWN: pl.col("transaction").is_not_null() & _KIND.is_null(),
}
_LOCATION = ("file", "transaction", "claim", "segment")


def build_problems(
    rows: pl.DataFrame, code: str, element: pl.Expr | str | None = None, **values: pl.Expr | str
) -> ProblemRows:
    """Return one problem for each row, with the values inserted into its message."""
    expressions = {name: _to_expression(value) for name, value in {"element": element, **values}.items()}
    parts = []
    for literal, name, _, _ in Formatter().parse(CODES[code][1]):
        parts += [pl.lit(literal), *([expressions[name]] if name else [])]
    message = pl.concat_str(parts, ignore_nulls=True)
    location = [pl.col(name) if name in rows.columns else pl.lit(None, pl.UInt32).alias(name) for name in _LOCATION]
    return rows.select(*location, expressions["element"].alias("element"), code=pl.lit(code), message=message)


def _to_expression(value: pl.Expr | str | None) -> pl.Expr:
    return value if isinstance(value, pl.Expr) else pl.lit(value, pl.String)


def _format_element(column: Column) -> pl.Expr:
    """Return the usual name of the element: CLP03, SVC01-2, CAS06 in the second triplet."""
    component = f"-{column.component}" if column.component else ""
    if not column.repeats:
        return pl.lit(f"{column.id}{column.element:02}{component}")
    stride, _ = REPEATS[column.id]
    number = (column.element + stride * (pl.col("position") - 1)).cast(pl.String).str.zfill(2)
    return pl.format(f"{column.id}{{}}{component}", number)


def _build_element_problems(rows: pl.DataFrame, code: str, column: Column) -> ProblemRows:
    """Return one problem for each element; an element outside the repetition is on all rows of its segment."""
    if column.id in REPEATS and not column.repeats:
        rows = rows.unique(["file", "segment"], keep="first", maintain_order=True)
    return build_problems(rows, code, _format_element(column))


def find_unparsed_values(unparsed: list[UnparsedValues]) -> list[ProblemRows]:
    return [_build_element_problems(rows, _UNPARSED_CODES[column.kind], column) for column, rows in unparsed]


def find_missing_elements(frames: Frames, unparsed: list[UnparsedValues]) -> list[ProblemRows]:
    """Return required elements that are null, except those that are present and could not be parsed."""
    reported = {(column.id, column.name): rows for column, rows in unparsed}
    problems = []
    for kind, frame in frames.items():
        key = ["file", "segment", "position"] if kind in REPEATS else ["file", "segment"]
        for column in SEGMENTS[kind]:
            if not column.required or not frame[column.name].null_count():
                continue
            rows = frame.filter(pl.col(column.name).is_null())
            if (kind, column.name) in reported:
                rows = rows.join(reported[kind, column.name], on=key, how="anti")
            problems.append(_build_element_problems(rows, "MISSING_ELEMENT", column))
    return problems


def find_misplaced_segments(rows: pl.DataFrame) -> list[ProblemRows]:
    """Return segments in a position where the 835 does not allow them, and segments that it does not define."""
    present = rows.select_seq(test.any().alias(reason) for reason, test in _MISPLACED.items()).row(0, named=True)
    return [
        build_problems(rows.filter(_MISPLACED[reason]), "UNKNOWN_SEGMENT")
        if reason == _UNKNOWN
        else build_problems(rows.filter(_MISPLACED[reason]), "MISPLACED_SEGMENT", id=_format_id(), reason=reason)
        for reason in _MISPLACED
        if present[reason]
    ]


def _format_id(column: str = "known") -> pl.Expr:
    return pl.col(column).replace_strict(dict(enumerate(KINDS)), default="It", return_dtype=pl.String)


def find_extra_elements(overlong: list[pl.DataFrame]) -> list[ProblemRows]:
    return [build_problems(rows, "EXTRA_ELEMENT", id=_format_id("kind")) for rows in overlong if rows.height]


def find_missing_segments(frames: Frames) -> list[ProblemRows]:
    """Return payments and claims without a segment that every one of them needs."""
    payments, claims = frames["payments"], frames["claims"]
    problems = [
        build_problems(payments.filter(pl.col(column).is_null()), "MISSING_SEGMENT", id=name)
        for name, column in {"BPR": "bpr_segment", "TRN": "trn_segment"}.items()
        if payments[column].null_count()
    ]
    for entity in ("PR", "PE"):
        present = frames["parties"]["transaction"].filter(frames["parties"]["entity"] == entity)
        if present.n_unique() < payments.height:
            without = payments.filter(~pl.col("transaction").is_in(present.implode()))
            problems.append(build_problems(without, "MISSING_SEGMENT", id=f"N1*{entity}"))
    names = frames["names"]
    patients = names["claim"].filter((names["entity"] == "QC") & names["claim"].is_not_null())
    if patients.n_unique() < claims.height:
        without = claims.filter(~pl.col("claim").is_in(patients.implode()))
        problems.append(build_problems(without, "MISSING_PATIENT"))
    return problems


def find_unknown_codes(frames: Frames) -> list[ProblemRows]:
    problems = []
    for kind, name, codes, element in (("CAS", "group", _GROUPS, "CAS01"), ("CLP", "status", _STATUSES, "CLP02")):
        if kind in frames and not {None, *codes}.issuperset(frames[kind][name].unique()):
            unknown = frames[kind].filter(~pl.col(name).is_in(codes))
            first = unknown.unique(["file", "segment"], keep="first", maintain_order=True)
            problems.append(build_problems(first, "UNKNOWN_CODE", element))
    return problems


def find_repeated_headers(payments: pl.DataFrame, frames: Frames) -> list[ProblemRows]:
    """Return every BPR and TRN of a transaction after its first, the only one that counts."""
    problems = []
    for kind in ("BPR", "TRN"):
        if kind in frames and frames[kind].height > payments[f"{kind.lower()}_segment"].count():
            repeated = frames[kind].filter(~pl.col("transaction").is_first_distinct())
            reason = "the transaction already has one"
            problems.append(build_problems(repeated, "MISPLACED_SEGMENT", id=kind, reason=reason))
    return problems


def to_problem_rows(records: list[ProblemRecord]) -> ProblemRows:
    """Return problems that were found one by one as rows."""
    return pl.DataFrame(
        [(item.file, item.transaction, None, item.segment, item.element, item.code, item.message) for item in records],
        schema={"file": pl.UInt32, "transaction": pl.UInt32, "claim": pl.UInt32, "segment": pl.UInt32}
        | dict.fromkeys(("element", "code", "message"), pl.String),
        orient="row",
    )


def find_unsound(problems: list[ProblemRows]) -> tuple[list[int], list[int]]:
    """Return the transactions with errors, and the files with segments outside every transaction.

    Nobody knows which transaction such a segment belongs to, so all of the file is unsound.
    """
    if not problems:
        return [], []
    errors = [code for code, (severity, _) in CODES.items() if severity == "error"]
    rows = pl.concat(problems)
    inside = rows.filter(pl.col("transaction").is_not_null() & pl.col("code").is_in(errors))
    outside = rows.filter(pl.col("transaction").is_null() & (pl.col("code") == "MISPLACED_SEGMENT"))
    return inside["transaction"].unique().to_list(), outside["file"].unique().to_list()


def build_problem_frame(problems: list[ProblemRows], spans: list[Span], offset: int) -> pl.DataFrame:
    """Return all problems in the order of the files, each with the byte offset of its segment."""
    if not problems:
        return select_columns("problems", None)
    rows = pl.concat(problems).sort("file", "segment", nulls_last=True, maintain_order=True)
    files = set(rows.filter(pl.col("segment").is_not_null())["file"].unique())
    spans = [span for span in spans if span.file in files]
    if spans:
        locations = locate_segments(spans, offset)
        rows = rows.join(locations, on=["file", "segment"], how="left", maintain_order="left")
    severity = pl.col("code").replace_strict({code: severity for code, (severity, _) in CODES.items()})
    return select_columns("problems", rows.with_columns(severity.alias("severity")))
