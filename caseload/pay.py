"""The pay of a week: `caseload pay`."""

import sys
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from caseload.console import (
    AsJson,
    PracticeName,
    connect_installation,
    err,
    find_practice_actor,
    now,
    out,
    print_result,
)
from caseload.instants import parse_instant
from practice.money import format_cents

if TYPE_CHECKING:
    from practice.payroll.lines import Line, OpenVisit, PayWeek


def show_pay(
    practice: PracticeName,
    week: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="The Sunday that begins the week.")],
    as_of: Annotated[str | None, typer.Option(help="Use what was known at this instant. Default: now.")] = None,
    close: Annotated[bool, typer.Option("--close", help="Close the week permanently, after its cut-off.")] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="Close without asking. Without a terminal nothing is asked.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show the pay of a week.

    Each session with its amount, unsigned sessions on standby, open visits, and the totals.

    Example: caseload pay oak-street --week 2026-03-08
    """
    from practice.payroll.periods import close_period, read_week
    from practice.security.permissions import Scope

    if close and as_of:
        raise typer.BadParameter(
            "cannot be combined with --close, which uses the records of now. Leave one of them out.",
            param_hint="--as-of",
        )
    with connect_installation() as installation:
        actor = find_practice_actor(installation, practice)
        if close and not yes and sys.stdin.isatty():
            with installation.work(actor, now()) as work:
                preview = read_week(work, Scope.ALL, week.date(), work.now)
            confirm_closing(preview)
        with installation.work(actor, now()) as work:
            if close:
                pay_week = close_period(work, week.date())
            else:
                pay_week = read_week(work, Scope.ALL, week.date(), parse_instant(as_of) if as_of else work.now)
    print_result(to_document(pay_week), as_json, lambda: print_pay_week(pay_week))


def confirm_closing(pay_week: "PayWeek") -> None:
    """Show the totals and ask whether to close the week, or end the command. A closed week stays as it is."""
    if pay_week.closed_at:
        return
    print_totals(pay_week, err)
    print_open_visits(pay_week)
    waiting = f" {format_cents(sum(pay_week.pending_totals.values()))} stay on standby." if pay_week.pending else ""
    paid = format_cents(sum(pay_week.totals.values()))
    question = f"The week of {pay_week.week} pays {paid}.{waiting} Close it permanently?"
    typer.confirm(question, abort=True, err=True)


def to_document(pay_week: "PayWeek") -> dict[str, Any]:
    """Return the pay week as JSON."""
    return {
        "week": pay_week.week.isoformat(),
        "deadline": pay_week.cut_off.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "status": pay_week.status,
        "lines": [format_line(line) | {"kind": line.kind, "reason": line.reason} for line in pay_week.lines],
        "standby": [format_line(line) for line in pay_week.pending],
        "problems": pay_week.problems,
        "totals": format_totals(pay_week.totals),
        "standby_totals": format_totals(pay_week.pending_totals),
        "staff": dict(sorted(pay_week.staff_names.items())),
        "open_visits": [describe_visit(visit) for visit in pay_week.open_visits],
    }


def format_totals(totals: dict[str, int]) -> dict[str, str]:
    return {staff_id: format_cents(cents) for staff_id, cents in sorted(totals.items())}


def format_line(line: "Line") -> dict[str, Any]:
    return {
        "staff_id": line.staff,
        "staff_name": line.staff_name,
        "appointment_id": line.appointment,
        "minutes": line.minutes,
        "multiplier": f"{line.multiplier.normalize():f}",
        "rate": format_cents(line.rate_cents),
        "amount": format_cents(line.amount_cents),
    }


def print_pay_week(pay_week: "PayWeek") -> None:
    from practice.payroll.statements import REASONS

    amounts = [Column(name, justify="right") for name in ("Minutes", "Multiplier", "Rate", "Amount")]
    table = Table("Staff", "Session", "Kind", *amounts)
    for line in [*pay_week.lines, *pay_week.pending]:
        cells = format_line(line)
        kind = f"{line.kind}, {REASONS[line.reason]}" if line.reason else line.kind
        table.add_row(
            escape(cells["staff_name"]),
            escape(cells["appointment_id"]),
            f"[yellow]{kind}[/]" if line.kind == "standby" else kind,
            *(str(cells[name]) for name in ("minutes", "multiplier", "rate", "amount")),
        )
    out.print(table)
    print_totals(pay_week, out)
    if pay_week.status == "PAID_ELSEWHERE":
        out.print("[yellow]This week is before the first one with pay here, so it is never paid here.[/]")
    if pay_week.closed_at:
        out.print(f"Closed at {pay_week.closed_at:%Y-%m-%d %H:%M} UTC.")
    out.print(f"Cut-off: {pay_week.cut_off:%Y-%m-%d %H:%M} UTC.")
    print_open_visits(pay_week)
    for problem in pay_week.problems:
        err.print(problem, markup=False)


def print_open_visits(pay_week: "PayWeek") -> None:
    """Print the visits that are over and still open: nothing is paid for them."""
    if pay_week.open_visits:
        err.print("Still open, so nothing is paid until they are completed:")
    for visit in pay_week.open_visits:
        err.print("  {reference}  {clinician}  {starts_at}".format(**describe_visit(visit)), markup=False)


def describe_visit(visit: "OpenVisit") -> dict[str, str]:
    return {
        "reference": visit.reference,
        "clinician": visit.clinician_name,
        "starts_at": visit.starts_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def print_totals(pay_week: "PayWeek", console: Console) -> None:
    """Print what each person is paid, and what waits for a signature."""
    totals, pending = pay_week.totals, pay_week.pending_totals
    for staff_id, name in sorted(pay_week.staff_names.items(), key=lambda person: (person[1], person[0])):
        paid, standby = (format_cents(amounts.get(staff_id, 0)) for amounts in (totals, pending))
        console.print(f"{name} ({staff_id}): {paid}, on standby {standby}", markup=False)
