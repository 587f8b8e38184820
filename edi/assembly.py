"""From the columns of each kind of segment to the frames: what needs more than one segment comes together here."""

from typing import cast

import polars as pl

from edi.columns import ASTRAY, NOWHERE, Frames, Read, in_order
from edi.envelope import Envelope
from edi.layout import FRAMES, KEPT_AS_THEY_ARE, NUMBER_OF, SEGMENTS
from edi.tokens import Segments

_KEPT = [NUMBER_OF[kind] for kind in KEPT_AS_THEY_ARE]
_NO_FRAME = (pl.col("payment") >= 0) & (pl.col("kind").is_in(_KEPT) | pl.col("kind").is_null())
_KEPT_WHOLE = (ASTRAY | _NO_FRAME).fill_null(value=False)
_REMARKS = {"MIA": (5, 20, 21, 22, 23), "MOA": (3, 4, 5, 6, 7)}


def assemble(rows: pl.DataFrame, segments: Segments, read: Read, envelope: Envelope) -> Frames:
    given = {columns[0].frame: read.frames[kind] for kind, columns in SEGMENTS.items() if kind in read.frames}
    frames = {name: in_order(name, given.get(name)) for name in FRAMES if name not in ("files", "problems")}
    for name in ("interchanges", "groups", "payments"):
        told = getattr(envelope, name)
        frames[name] = pl.DataFrame(told, schema=frames[name].schema) if told else frames[name].clear()
    again = []
    for kind in ("BPR", "TRN"):
        if kind in read.frames:
            frames["payments"], more = _with_header(frames["payments"], read.frames[kind], kind)
            again.append(more)
    partly = [one.rows for one in read.unread] + read.longer + again + [_of_envelope(envelope)]
    frames["others"] = _others(rows, segments, partly)
    frames["remarks"] = _remarks(frames["remarks"], read.rows, segments.elements)
    frames["references"] = _with_entity(frames["references"], frames["parties"])
    frames["payments"] = _with_parties(frames["payments"], frames["parties"], frames["references"])
    return frames


def _with_header(payments: pl.DataFrame, rows: pl.DataFrame, kind: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The first BPR or TRN of each transaction beside it; and the further ones."""
    names = [column.name for column in SEGMENTS[kind]]
    first, more = rows, rows.clear()
    if not rows["transaction"].equals(payments["transaction"]):
        is_first = pl.col("transaction").is_first_distinct()
        first, more = rows.filter(is_first), rows.filter(~is_first)
        first = payments.select("transaction").join(first, on="transaction", how="left", maintain_order="left")
    header = [first["segment"].alias(f"{kind.lower()}_segment"), *(first[name] for name in names)]
    return payments.with_columns_seq(header), more


def _of_envelope(envelope: Envelope) -> pl.DataFrame:
    """Its segments that say more, or something else, than the frames can hold."""
    codes = ("BAD_NUMBER", "EXTRA_ELEMENT", "MISPLACED_SEGMENT")
    found = [(one.file, one.segment) for one in envelope.found if one.code in codes]
    return pl.DataFrame(found, schema={"file": pl.UInt32, "segment": pl.UInt32}, orient="row")


def _others(rows: pl.DataFrame, segments: Segments, also: list[pl.DataFrame]) -> pl.DataFrame:
    """Segments that have no frame of their own, and those of which the frames do not hold everything."""
    kept = rows.select_seq(_KEPT_WHOLE).to_series()
    also = [one.select("file", "segment") for one in also if one.height]
    if also:
        wanted = pl.concat(also).unique().with_columns(also=True)
        more = rows.select("file", "segment").join(wanted, on=["file", "segment"], how="left", maintain_order="left")
        kept |= more["also"].fill_null(value=False)
    at = kept.arg_true()
    lists = segments.lists.gather(at)
    found = rows[at].with_columns_seq(lists.alias("elements"), lists.list.first().alias("id"))
    return in_order("others", found)


def _remarks(remarks: pl.DataFrame, rows: Frames, elements: pl.Series) -> pl.DataFrame:
    """Those of LQ, and those that stand in MIA and MOA."""
    found = [remarks.with_columns(source=pl.lit("LQ"))] if remarks.height else [remarks]
    for kind in rows.keys() & _REMARKS.keys():
        there = rows[kind]
        for number in (one for one in _REMARKS[kind] if one < cast("int", there["count"].max() or 0)):
            code = elements[(there["start"] + number).zip_with(there["count"] > number, NOWHERE)].alias("code")
            if code.null_count() < code.len():
                told = there.with_columns(code, kind=pl.lit(None, pl.String), source=pl.lit(kind))
                found.append(in_order("remarks", told.filter(code.is_not_null())))
    return pl.concat(found).sort("file", "segment", maintain_order=True) if len(found) > 1 else found[0]


def _with_entity(references: pl.DataFrame, parties: pl.DataFrame) -> pl.DataFrame:
    """Before the claims, a REF belongs to the N1 that it follows."""
    header = references["claim"].is_null() & references["transaction"].is_not_null()
    if parties.is_empty() or not header.any():
        return references
    owners = iter([*parties[["file", "transaction", "segment", "entity"]].iter_rows(), None])
    owner, following, found = None, next(owners), []
    for file, transaction, segment in references[["file", "transaction", "segment"]].filter(header).iter_rows():
        while following and (following[0], following[2]) < (file, segment):
            owner, following = following, next(owners)
        found.append(owner[3] if owner and owner[:2] == (file, transaction) else None)
    entity = references["entity"].scatter(header.arg_true(), pl.Series(found, dtype=pl.String))
    return references.with_columns(entity)


def _with_parties(payments: pl.DataFrame, parties: pl.DataFrame, references: pl.DataFrame) -> pl.DataFrame:
    """Who pays and who is paid, in a word."""
    found: dict[tuple[int, str], dict[str, str | None]] = {}
    for row in parties[["transaction", "entity", "name", "id_kind", "id"]].iter_rows(named=True):
        found.setdefault((row["transaction"], row["entity"]), row)
    others: dict[int, str | None] = {}
    if references["entity"].null_count() < references.height:
        of_payers = (references["entity"] == "PR") & (references["kind"] == "2U")
        for transaction, value in references[["transaction", "value"]].filter(of_payers).iter_rows():
            others.setdefault(transaction, value)
    told = []
    for number in payments["transaction"]:
        payer, payee = found.get((number, "PR"), {}), found.get((number, "PE"), {})
        npi = payee.get("id") if payee.get("id_kind") == "XX" else None
        told.append((payer.get("name"), payer.get("id") or others.get(number), payee.get("name"), npi))
    names = ("payer_name", "payer_id", "payee_name", "payee_npi")
    return payments.with_columns_seq(
        pl.Series(name, [row[at] for row in told], pl.String) for at, name in enumerate(names)
    )
