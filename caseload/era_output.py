"""What `caseload era parse` says of remittance files, for programs and for people."""

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
from practice.money import money_text

MOST_SHOWN = 50
HEADINGS = ("Control number", "Payer", "Trace number", "Date", "Claims", "Amount", "Balances")
PROBLEM_HEADINGS = ("Code", "Where", "What is wrong")
MAY_FOLD = ("Payer", "Trace number", "Where", "What is wrong")
NARROWEST = 80  # below which a table is not squeezed further
WIDEST = 24  # signs; of what does not fold only damaged control numbers are wider
Row = dict[str, Any]


def pieces_of(opened: edi.Opened, say: Callable[[str], None]) -> Iterator[edi.Remittance]:
    claims = 0
    for piece in edi.stream(opened):
        yield piece
        claims += piece.claims.height
        say(f"Reading {Path(opened.name).name}: {claims:,} claims")


def write_json(files: list[edi.Opened], say: Callable[[str], None]) -> int:
    """One document, written while it is read: a file may be larger than what one wants to hold."""
    refused = 0
    sys.stdout.write('{"files": [')
    for number, opened in enumerate(files):
        digest = sha256()
        for block in opened.blocks():
            digest.update(block)
        told = None if opened.refused else digest.hexdigest()
        head = {"file": opened.name, "sha256": told, "bytes": opened.size}
        sys.stdout.write(f'{", " if number else ""}{json.dumps(head)[:-1]}, "transactions": [')
        problems: list[Row] = []
        interchanges: set[int] = set()
        first = True
        for piece in pieces_of(opened, say):
            for payment in edi.payments(piece):
                sys.stdout.write(f"{'' if first else ', '}{json.dumps(transaction_of(payment))}")
                first = False
            problems += problems_of(piece)
            interchanges |= set(piece.interchanges["segment"])
        refused += first
        sys.stdout.write(f'], "interchanges": {len(interchanges)}, "problems": {json.dumps(problems)}}}')
    sys.stdout.write("]}\n")
    return refused


def problems_of(piece: edi.Remittance) -> Iterator[Row]:
    """Located by control numbers, which people have before them, and by segment and byte."""
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


def transaction_of(payment: edi.Payment) -> Row:
    head = payment.head
    return {
        "control_number": head["control_number"],
        "version": head["version"],
        "payer": {"name": head["payer_name"], "id": head["payer_id"]},
        "payee": {"name": head["payee_name"], "npi": head["payee_npi"]},
        "handling": head["handling"],
        "amount": amount(head["amount_cents"]),
        "method": head["method"],
        "date": day(head["date"]),
        "trace_number": head["trace_number"],
        "originator": head["originator"],
        "balanced": head["balanced"],
        "provider_adjustments": [
            {
                "provider": one.provider,
                "reason": one.reason,
                "reference": one.reference,
                "amount": amount(one.amount_cents),
            }
            for one in payment.provider_adjustments
        ],
        "claims": [claim_of(one) for one in payment.claims],
    }


def claim_of(claim: edi.Claim) -> Row:
    rendering = claim.rendering
    return {
        "control_number": claim.control_number,
        "status": claim.status,
        "charge": amount(claim.charge_cents),
        "paid": amount(claim.paid_cents),
        "patient_responsibility": amount(claim.patient_cents),
        "filing": claim.filing,
        "payer_claim_number": claim.payer_claim_number,
        "patient": person(claim.patient),
        "insured": person(claim.insured),
        "corrected": person(claim.corrected),
        "rendering_npi": rendering.id if rendering and rendering.id_kind == "XX" else None,
        "service_from": day(claim.service_from),
        "service_to": day(claim.service_to),
        "reversal": claim.reversal,
        "balanced": claim.balanced,
        "adjustments": [adjustment(one) for one in claim.adjustments],
        "remarks": claim.remarks,
        "lines": [line_of(one) for one in claim.lines],
    }


def line_of(line: edi.Line) -> Row:
    return {
        "procedure": line.procedure,
        "modifiers": line.modifiers,
        "submitted_procedure": line.submitted_procedure,
        "charge": amount(line.charge_cents),
        "paid": amount(line.paid_cents),
        "units": number(line.units),
        "date": day(line.date),
        "control": line.control,
        "balanced": line.balanced,
        "adjustments": [adjustment(one) for one in line.adjustments],
        "remarks": line.remarks,
    }


def person(one: edi.Person | None) -> Row | None:
    return None if one is None else {"last": one.last, "first": one.first, "member_id": one.id}


def adjustment(one: edi.Adjustment) -> Row:
    return {
        "group": one.group,
        "reason": one.reason,
        "amount": amount(one.amount_cents),
        "quantity": number(one.quantity),
    }


def amount(cents: int | None) -> str | None:
    return None if cents is None else money_text(cents)


def day(date: Any) -> str | None:
    return None if date is None else date.isoformat()


def number(value: Decimal | None) -> int | float | None:
    return None if value is None else int(value) if value == int(value) else float(value)


def write_tables(files: list[edi.Opened], say: Callable[[str], None]) -> int:
    refused = 0
    for opened in files:
        found = list(summaries(opened, say))
        payments = [row for rows, _ in found for row in rows]
        problems = [row for _, rows in found for row in rows]
        refused += not payments
        out.print(f"{opened.name}, {opened.size:,} bytes", markup=False)
        if payments:
            out.print(table_of(HEADINGS, payments), crop=False)
        if problems:
            shown = [[row["code"], place_of(row), row["message"]] for row in problems[:MOST_SHOWN]]
            out.print(table_of(PROBLEM_HEADINGS, shown), crop=False)
            if len(problems) > MOST_SHOWN:
                out.print(f"... and {len(problems) - MOST_SHOWN:,} more; --json has them all.")
        if not payments:
            err.print(f"{opened.name} holds no remittance that can be read; see above.", markup=False)
    return refused


def summaries(opened: edi.Opened, say: Callable[[str], None]) -> Iterator[tuple[list[list[str | None]], list[Row]]]:
    for piece in pieces_of(opened, say):
        rows = [
            [
                row["control_number"],
                row["payer_name"],
                row["trace_number"],
                day(row["date"]),
                f"{row['claim_count']:,}",
                amount(row["amount_cents"]),
                ("yes" if row["balanced_throughout"] else "NO") if row["sound"] else "unsound",
            ]
            for row in piece.payments.iter_rows(named=True)
        ]
        yield rows, list(problems_of(piece))


def table_of(headings: tuple[str, ...], rows: list[list[str | None]]) -> Table:
    """Nothing in it is ever cut: where the terminal is narrow some columns fold, and the others stay whole."""
    table = Table(width=NARROWEST if out.width < NARROWEST else None)
    for at, heading in enumerate(headings):
        widest = max(len(one) for one in (*heading.split(), *(row[at] or "" for row in rows)))
        if heading in MAY_FOLD or widest > WIDEST:
            table.add_column(heading, overflow="fold")
        else:
            side = "right" if heading in ("Claims", "Amount") else "left"
            table.add_column(heading.replace(" ", "\n"), justify=side, no_wrap=True, min_width=widest)
    for row in rows:
        table.add_row(*(plain(value) for value in row))
    return table


def place_of(row: Row) -> str:
    parts = [("segment {}", row["segment"]), ("claim {}", row["claim"]), ("transaction {}", row["transaction"])]
    return ", ".join(words.format(value) for words, value in parts if value is not None)


def plain(value: Any) -> Text:
    """As it is, whatever stands in the file: no markup, and nothing that a terminal would obey."""
    return Text("-" if value is None else "".join(sign if sign.isprintable() else "?" for sign in str(value)))
