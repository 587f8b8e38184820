"""The output of `caseload era parse`, as JSON and as tables."""

import json
import sys
from collections.abc import Callable, Iterator
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

import edi
from caseload.console import err, out
from practice.money import format_cents

MAX_PROBLEMS_SHOWN = 50
HEADINGS = ("Control number", "Payer", "Trace number", "Date", "Claims", "Amount", "Balances")
PROBLEM_HEADINGS = ("Code", "Location", "Problem")
FOLDABLE = ("Payer", "Trace number", "Location", "Problem")
MIN_TABLE_WIDTH = 80
MAX_CELL_WIDTH = 24  # of a column that does not fold; only damaged control numbers are wider
Row = dict[str, Any]


def read_pieces(source: edi.SourceFile, report: Callable[[str], None]) -> Iterator[edi.Remittance]:
    """Yield the file in pieces, and report the progress."""
    claims = 0
    for piece in edi.stream(source):
        yield piece
        claims += piece.claims.height
        report(f"Reading {Path(source.name).name}: {claims:,} claims")


def write_json(files: list[edi.SourceFile], report: Callable[[str], None]) -> int:
    """Write one document while the files are read, since a file may not fit in memory. Return the number refused."""
    refused = 0
    sys.stdout.write('{"files": [')
    for number, source in enumerate(files):
        digest = sha256()
        for block in source.read_blocks():
            digest.update(block)
        checksum = None if source.refusal else digest.hexdigest()
        head = {"file": source.name, "sha256": checksum, "bytes": source.size}
        sys.stdout.write(f'{", " if number else ""}{json.dumps(head)[:-1]}, "transactions": [')
        problems: list[Row] = []
        interchanges: set[int] = set()
        is_empty = True
        for piece in read_pieces(source, report):
            for payment in edi.iterate_payments(piece):
                sys.stdout.write(f"{'' if is_empty else ', '}{json.dumps(describe_transaction(payment))}")
                is_empty = False
            problems += describe_problems(piece)
            interchanges |= set(piece.interchanges["segment"])
        refused += is_empty
        sys.stdout.write(f'], "interchanges": {len(interchanges)}, "problems": {json.dumps(problems)}}}')
    sys.stdout.write("]}\n")
    return refused


def describe_problems(piece: edi.Remittance) -> Iterator[Row]:
    """Yield the problems, located by control numbers, which people see, and by segment and byte."""
    payments, claims = piece.payments["control_number"].to_list(), piece.claims["control_number"].to_list()
    for row in piece.problems.iter_rows(named=True):
        yield {
            "severity": row["severity"],
            "code": row["code"],
            "message": row["message"],
            "transaction": None if row["transaction"] is None else payments[row["transaction"]],
            "claim": None if row["claim"] is None else claims[row["claim"]],
            "segment": row["segment"],
            "offset": row["offset"],
        }


def describe_transaction(payment: edi.Payment) -> Row:
    header = payment.header
    return {
        "control_number": header["control_number"],
        "version": header["version"],
        "payer": {"name": header["payer_name"], "id": header["payer_id"]},
        "payee": {"name": header["payee_name"], "npi": header["payee_npi"]},
        "handling": header["handling"],
        "amount": format_amount(header["amount_cents"]),
        "method": header["method"],
        "date": format_day(header["date"]),
        "trace_number": header["trace_number"],
        "originator": header["originator"],
        "balanced": header["balanced"],
        "provider_adjustments": [
            {
                "provider": adjustment.provider,
                "reason": adjustment.reason,
                "reference": adjustment.reference,
                "amount": format_amount(adjustment.amount_cents),
            }
            for adjustment in payment.provider_adjustments
        ],
        "claims": [describe_claim(claim) for claim in payment.claims],
    }


def describe_claim(claim: edi.Claim) -> Row:
    rendering = claim.rendering
    return {
        "control_number": claim.control_number,
        "status": claim.status,
        "charge": format_amount(claim.charge_cents),
        "paid": format_amount(claim.paid_cents),
        "patient_responsibility": format_amount(claim.patient_cents),
        "filing": claim.filing,
        "payer_claim_number": claim.payer_claim_number,
        "patient": describe_person(claim.patient),
        "insured": describe_person(claim.insured),
        "corrected": describe_person(claim.corrected),
        "rendering_npi": rendering.id if rendering and rendering.id_kind == "XX" else None,
        "service_from": format_day(claim.service_from),
        "service_to": format_day(claim.service_to),
        "reversal": claim.is_reversal,
        "balanced": claim.balanced,
        "adjustments": [describe_adjustment(adjustment) for adjustment in claim.adjustments],
        "remarks": claim.remarks,
        "lines": [describe_line(line) for line in claim.lines],
    }


def describe_line(line: edi.Line) -> Row:
    return {
        "procedure": line.procedure,
        "modifiers": line.modifiers,
        "submitted_procedure": line.submitted_procedure,
        "charge": format_amount(line.charge_cents),
        "paid": format_amount(line.paid_cents),
        "units": format_number(line.units),
        "date": format_day(line.date),
        "control": line.control,
        "balanced": line.balanced,
        "adjustments": [describe_adjustment(adjustment) for adjustment in line.adjustments],
        "remarks": line.remarks,
    }


def describe_person(person: edi.Person | None) -> Row | None:
    return None if person is None else {"last": person.last, "first": person.first, "member_id": person.id}


def describe_adjustment(adjustment: edi.Adjustment) -> Row:
    return {
        "group": adjustment.group,
        "reason": adjustment.reason,
        "amount": format_amount(adjustment.amount_cents),
        "quantity": format_number(adjustment.quantity),
    }


def format_amount(cents: int | None) -> str | None:
    return None if cents is None else format_cents(cents)


def format_day(date: Any) -> str | None:
    return None if date is None else date.isoformat()


def format_number(value: Decimal | None) -> int | float | None:
    return None if value is None else int(value) if value == int(value) else float(value)


def write_tables(files: list[edi.SourceFile], report: Callable[[str], None]) -> int:
    """Print a table of payments and one of problems for each file. Return the number of files refused."""
    refused = 0
    for source in files:
        pieces = list(summarize_pieces(source, report))
        payments = [row for rows, _ in pieces for row in rows]
        problems = [row for _, rows in pieces for row in rows]
        refused += not payments
        out.print(f"{source.name}, {source.size:,} bytes", markup=False)
        if payments:
            out.print(build_table(HEADINGS, payments), crop=False)
        if problems:
            rows = [[row["code"], format_location(row), row["message"]] for row in problems[:MAX_PROBLEMS_SHOWN]]
            out.print(build_table(PROBLEM_HEADINGS, rows), crop=False)
            if len(problems) > MAX_PROBLEMS_SHOWN:
                out.print(f"... and {len(problems) - MAX_PROBLEMS_SHOWN:,} more. Use --json to see all of them.")
        if not payments:
            err.print(f"{source.name} contains no readable remittance. See the problems above.", markup=False)
    return refused


def summarize_pieces(
    source: edi.SourceFile, report: Callable[[str], None]
) -> Iterator[tuple[list[list[str | None]], list[Row]]]:
    """Yield the cells of the payments, and the problems, of each piece."""
    for piece in read_pieces(source, report):
        rows = [
            [
                row["control_number"],
                row["payer_name"],
                row["trace_number"],
                format_day(row["date"]),
                f"{row['claim_count']:,}",
                format_amount(row["amount_cents"]),
                ("yes" if row["balanced_throughout"] else "NO") if row["sound"] else "unsound",
            ]
            for row in piece.payments.iter_rows(named=True)
        ]
        yield rows, list(describe_problems(piece))


def build_table(headings: tuple[str, ...], rows: list[list[str | None]]) -> Table:
    """Return a table that never truncates: on a narrow terminal some columns fold, and the others stay complete."""
    table = Table(width=MIN_TABLE_WIDTH if out.width < MIN_TABLE_WIDTH else None)
    for index, heading in enumerate(headings):
        width = max(len(text) for text in (*heading.split(), *(row[index] or "" for row in rows)))
        if heading in FOLDABLE or width > MAX_CELL_WIDTH:
            table.add_column(heading, overflow="fold")
        else:
            side = "right" if heading in ("Claims", "Amount") else "left"
            table.add_column(heading.replace(" ", "\n"), justify=side, no_wrap=True, min_width=width)
    for row in rows:
        table.add_row(*(to_plain_text(value) for value in row))
    return table


def format_location(row: Row) -> str:
    parts = [("segment {}", row["segment"]), ("claim {}", row["claim"]), ("transaction {}", row["transaction"])]
    return ", ".join(template.format(value) for template, value in parts if value is not None)


def to_plain_text(value: Any) -> Text:
    """Return text without markup, and without characters that control a terminal."""
    return Text("-" if value is None else "".join(char if char.isprintable() else "?" for char in str(value)))
