"""What a week pays: `caseload pay`."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.table import Column, Table

from caseload.console import AsJson, PracticeName, connected_installation, err, inside, now, out, report
from practice.errors import Refusal
from practice.money import money_text
from practice.payroll.lines import Line, Preview
from practice.payroll.periods import close_period, preview


class NoInstant(Refusal):
    code = "NO_INSTANT"


def pay(
    practice: PracticeName,
    week: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="The Sunday on which the week begins.")],
    as_of: Annotated[str | None, typer.Option(help="By what was known then. Default: now.")] = None,
    close: Annotated[bool, typer.Option("--close", help="Close the week for good, once it is cut off.")] = False,
    as_json: AsJson = False,
) -> None:
    """What a pay week pays: each session with its amount, what stands by unsigned, and the totals.

    Example: caseload pay oak-street --week 2026-03-08
    """
    if close and as_of:
        raise typer.BadParameter("a week is closed now, by what is known now", param_hint="--as-of")
    with connected_installation() as installation, installation.work(inside(installation, practice), now()) as work:
        if close:
            found = close_period(work, week.date())
        else:
            found = preview(work, week.date(), instant_in(as_of) if as_of else work.now)
    report(document_of(found), as_json, lambda: show(found))


def instant_in(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise NoInstant(f"{text!r} is no instant. Write it with its offset, like 2026-03-18T20:30:00Z.")
    return found.astimezone(UTC)


def document_of(found: Preview) -> dict[str, Any]:
    return {
        "week": found.week.isoformat(),
        "deadline": found.cut_off.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "status": found.status,
        "lines": [told(line) | {"kind": line.kind} for line in found.lines],
        "standby": [told(line) for line in found.standby],
        "problems": found.problems,
        "totals": {staff_id: money_text(cents) for staff_id, cents in sorted(found.totals.items())},
    }


def told(line: Line) -> dict[str, Any]:
    return {
        "staff_id": line.staff,
        "appointment_id": line.appointment,
        "minutes": line.minutes,
        "multiplier": f"{line.multiplier.normalize():f}",
        "rate": money_text(line.rate_cents),
        "amount": money_text(line.amount_cents),
    }


def show(found: Preview) -> None:
    amounts = [Column(name, justify="right") for name in ("Minutes", "Multiplier", "Rate", "Amount")]
    table = Table("Who", "Session", "Kind", *amounts)
    for line in [*found.lines, *found.standby]:
        words = told(line)
        kind = "[yellow]standby[/]" if line.kind == "standby" else line.kind
        table.add_row(words["staff_id"], words["appointment_id"], kind, str(line.minutes), *list(words.values())[3:])
    out.print(table)
    for staff_id, cents in sorted(found.totals.items()):
        out.print(f"{staff_id}: {money_text(cents)}", markup=False)
    if found.closed_at:
        out.print(f"Closed at {found.closed_at:%Y-%m-%d %H:%M} UTC.")
    out.print(f"Cut off at {found.cut_off:%Y-%m-%d %H:%M} UTC.")
    for problem in found.problems:
        err.print(problem, markup=False)
