"""From the frame of each kind of segment to the frames of a `Remittance`: everything that needs several segments."""

from typing import cast

import polars as pl

from edi.columns import NULL_INDEX, OUTSIDE_TRANSACTION, Frames, ParsedSegments, select_columns
from edi.envelope import Envelope
from edi.layout import FRAMES, KIND_NUMBERS, RAW_SEGMENTS, SEGMENTS
from edi.tokens import Segments

_RAW_NUMBERS = [KIND_NUMBERS[kind] for kind in RAW_SEGMENTS]
_NO_FRAME = (pl.col("payment") >= 0) & (pl.col("kind").is_in(_RAW_NUMBERS) | pl.col("kind").is_null())
_IS_OTHER = (OUTSIDE_TRANSACTION | _NO_FRAME).fill_null(value=False)
_REMARK_ELEMENTS = {"MIA": (5, 20, 21, 22, 23), "MOA": (3, 4, 5, 6, 7)}


def assemble(rows: pl.DataFrame, segments: Segments, parsed: ParsedSegments, envelope: Envelope) -> Frames:
    """Return all frames but `files` and `problems`; the balances are not computed yet."""
    by_frame = {columns[0].frame: parsed.frames[kind] for kind, columns in SEGMENTS.items() if kind in parsed.frames}
    frames = {name: select_columns(name, by_frame.get(name)) for name in FRAMES if name not in ("files", "problems")}
    for name in ("interchanges", "groups", "payments"):
        records = getattr(envelope, name)
        frames[name] = pl.DataFrame(records, schema=frames[name].schema) if records else frames[name].clear()
    repeated = []
    for kind in ("BPR", "TRN"):
        if kind in parsed.frames:
            frames["payments"], rest = _add_header(frames["payments"], parsed.frames[kind], kind)
            repeated.append(rest)
    partly_read = [values.rows for values in parsed.unparsed]
    partly_read += [*parsed.overlong, *repeated, _list_partly_read(envelope)]
    frames["others"] = _collect_others(rows, segments, partly_read)
    frames["remarks"] = _collect_remarks(frames["remarks"], parsed.rows, segments.elements)
    frames["references"] = _add_entities(frames["references"], frames["parties"])
    frames["payments"] = _add_parties(frames["payments"], frames["parties"], frames["references"])
    return frames


def _add_header(payments: pl.DataFrame, rows: pl.DataFrame, kind: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Add the first BPR or TRN of each transaction to the payments, and return the remaining ones as well."""
    names = [column.name for column in SEGMENTS[kind]]
    first, rest = rows, rows.clear()
    if not rows["transaction"].equals(payments["transaction"]):
        is_first = pl.col("transaction").is_first_distinct()
        first, rest = rows.filter(is_first), rows.filter(~is_first)
        first = payments.select("transaction").join(first, on="transaction", how="left", maintain_order="left")
    header = [first["segment"].alias(f"{kind.lower()}_segment"), *(first[name] for name in names)]
    return payments.with_columns_seq(header), rest


def _list_partly_read(envelope: Envelope) -> pl.DataFrame:
    """Return the segments of the envelope whose content the frames cannot hold completely."""
    codes = ("BAD_NUMBER", "EXTRA_ELEMENT", "MISPLACED_SEGMENT")
    locations = [(problem.file, problem.segment) for problem in envelope.problems if problem.code in codes]
    return pl.DataFrame(locations, schema={"file": pl.UInt32, "segment": pl.UInt32}, orient="row")


def _collect_others(rows: pl.DataFrame, segments: Segments, partly_read: list[pl.DataFrame]) -> pl.DataFrame:
    """Return the segments that have no frame of their own, and those that the frames hold only in part."""
    is_other = rows.select_seq(_IS_OTHER).to_series()
    partly_read = [frame.select("file", "segment") for frame in partly_read if frame.height]
    if partly_read:
        flags = pl.concat(partly_read).unique().with_columns(partly_read=True)
        flagged = rows.select("file", "segment").join(flags, on=["file", "segment"], how="left", maintain_order="left")
        is_other |= flagged["partly_read"].fill_null(value=False)
    index = is_other.arg_true()
    lists = segments.lists.gather(index)
    others = rows[index].with_columns_seq(lists.alias("elements"), lists.list.first().alias("id"))
    return select_columns("others", others)


def _collect_remarks(remarks: pl.DataFrame, rows: Frames, elements: pl.Series) -> pl.DataFrame:
    """Return the remark codes of LQ, MIA and MOA."""
    frames = [remarks.with_columns(source=pl.lit("LQ"))] if remarks.height else [remarks]
    for kind in rows.keys() & _REMARK_ELEMENTS.keys():
        segments = rows[kind]
        longest = cast("int", segments["count"].max() or 0)
        for number in (number for number in _REMARK_ELEMENTS[kind] if number < longest):
            index = (segments["start"] + number).zip_with(segments["count"] > number, NULL_INDEX)
            code = elements[index].alias("code")
            if code.null_count() < code.len():
                coded = segments.with_columns(code, kind=pl.lit(None, pl.String), source=pl.lit(kind))
                frames.append(select_columns("remarks", coded.filter(code.is_not_null())))
    return pl.concat(frames).sort("file", "segment", maintain_order=True) if len(frames) > 1 else frames[0]


def _add_entities(references: pl.DataFrame, parties: pl.DataFrame) -> pl.DataFrame:
    """Give each REF before the claims the entity of the N1 that it follows."""
    is_header = references["claim"].is_null() & references["transaction"].is_not_null()
    if parties.is_empty() or not is_header.any():
        return references
    owners = iter([*parties[["file", "transaction", "segment", "entity"]].iter_rows(), None])
    owner, following, entities = None, next(owners), []
    for file, transaction, segment in references[["file", "transaction", "segment"]].filter(is_header).iter_rows():
        while following and (following[0], following[2]) < (file, segment):
            owner, following = following, next(owners)
        entities.append(owner[3] if owner and owner[:2] == (file, transaction) else None)
    entity = references["entity"].scatter(is_header.arg_true(), pl.Series(entities, dtype=pl.String))
    return references.with_columns(entity)


def _add_parties(payments: pl.DataFrame, parties: pl.DataFrame, references: pl.DataFrame) -> pl.DataFrame:
    """Add the names and ids of payer and payee to the payments."""
    by_entity: dict[tuple[int, str], dict[str, str | None]] = {}
    for row in parties[["transaction", "entity", "name", "id_kind", "id"]].iter_rows(named=True):
        by_entity.setdefault((row["transaction"], row["entity"]), row)
    other_ids: dict[int, str | None] = {}
    if references["entity"].null_count() < references.height:
        is_payer_id = (references["entity"] == "PR") & (references["kind"] == "2U")
        for transaction, value in references[["transaction", "value"]].filter(is_payer_id).iter_rows():
            other_ids.setdefault(transaction, value)
    rows = []
    for number in payments["transaction"]:
        payer, payee = by_entity.get((number, "PR"), {}), by_entity.get((number, "PE"), {})
        npi = payee.get("id") if payee.get("id_kind") == "XX" else None
        rows.append((payer.get("name"), payer.get("id") or other_ids.get(number), payee.get("name"), npi))
    names = ("payer_name", "payer_id", "payee_name", "payee_npi")
    return payments.with_columns_seq(
        pl.Series(name, [row[position] for row in rows], pl.String) for position, name in enumerate(names)
    )
