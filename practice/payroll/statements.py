"""Pay statements: what a week pays somebody, as they and the practice's books get it. No client is named on them."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import select

from practice.money import money_text
from practice.payroll.lines import Line, Preview
from practice.payroll.periods import preview
from practice.payroll.rules import Kind, sums
from practice.pdf import Paper, Part, Table, pdf_of
from practice.people.access import refuse_beyond
from practice.people.models.practices import Practice, Staff
from practice.people.practice_time import zone_of
from practice.people.staff import get_staff
from practice.security.permissions import Scope
from practice.security.work import Work

HEADINGS: dict[Kind, tuple[str, str]] = {
    "regular": ("Sessions of the week", "Held in this week, signed and completed in time."),
    "late": ("Late sessions", "Of earlier weeks: paid now that they are signed and completed."),
    "adjustment": ("Adjustments", "What has changed about sessions that earlier weeks paid."),
    "standby": ("Standing by", "Completed and not signed in time. Not part of the total; paid once they are signed."),
}
REASONS = {
    "RATE_CHANGED": "rate changed",
    "VOIDED": "taken back",
    "COUNTS_AGAIN": "counts again",
}
COLUMNS = ("Date", "Service", "Minutes", "Appointment", "Multiplier", "Rate", "Amount", "Reason")


@dataclass(frozen=True)
class Statement:
    """Of one person and week. While the week is open it tells what is known so far."""

    staff_id: UUID
    name: str
    week: date
    cut_off: datetime
    status: Literal["OPEN", "CLOSED"]
    closed_at: datetime | None
    lines: Sequence[Line]

    def of(self, kind: Kind) -> list[Line]:
        return [line for line in self.lines if line.kind == kind]

    @property
    def totals(self) -> dict[str, int]:
        """In cents, by the kind of line."""
        return dict.fromkeys(HEADINGS, 0) | sums((line.kind, line.amount_cents) for line in self.lines)

    @property
    def total_cents(self) -> int:
        """What is paid: all but what stands by."""
        return sum(cents for kind, cents in self.totals.items() if kind != "standby")


def statements(work: Work, scope: Scope, week: date, as_of: datetime) -> list[Statement]:
    """Of everybody in reach whom the week concerns, by their names."""
    found = preview(work, week, as_of, scope)
    lines: dict[UUID, list[Line]] = {}
    for line in [*found.lines, *found.standby]:
        lines.setdefault(line.staff_id, []).append(line)
    return [statement_of(found, person, lines[person.id]) for person in people_of(work, lines)]


def statement(work: Work, scope: Scope, week: date, staff_id: UUID, as_of: datetime) -> Statement:
    refuse_beyond(work, staff_id, scope)
    found = preview(work, week, as_of)
    lines = [line for line in [*found.lines, *found.standby] if line.staff_id == staff_id]
    return statement_of(found, get_staff(work, staff_id), lines)


def people_of(work: Work, ids: Iterable[UUID]) -> Sequence[Staff]:
    query = select(Staff).where(Staff.tenant_id == work.tenant_id, Staff.id.in_(list(ids)))
    return work.db.scalars(query.order_by(Staff.last_name, Staff.first_name, Staff.id)).all()


def statement_of(found: Preview, person: Staff, lines: Sequence[Line]) -> Statement:
    name = f"{person.first_name} {person.last_name}"
    return Statement(person.id, name, found.week, found.cut_off, found.status, found.closed_at, lines)


def export_period(work: Work, week: date, as_of: datetime) -> str:
    """The whole week as CSV, for whoever pays it out."""
    found = statements(work, Scope.ALL, week, as_of)
    work.record("pay_period.exported", week=week.isoformat(), lines=sum(len(one.lines) for one in found))
    return csv_of(found)


def csv_of(found: Iterable[Statement]) -> str:
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(["week", "status", "staff_id", "name", "kind", *(column.lower() for column in COLUMNS)])
    for one in found:
        who = [one.week.isoformat(), one.status, str(one.staff_id), plain(one.name)]
        writer.writerows([*who, line.kind, *cells(line)] for kind in HEADINGS for line in one.of(kind))
    return file.getvalue()


def plain(text: str) -> str:
    """No formula, whatever program opens the file."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def cells(line: Line) -> list[str]:
    return [
        line.held_on.isoformat(),
        line.service_kind,
        str(line.minutes),
        line.reference,
        f"{line.multiplier:.2f}",
        money_text(line.rate_cents),
        money_text(line.amount_cents),
        REASONS[line.reason] if line.reason else "",
    ]


def on_paper(work: Work, one: Statement) -> bytes:
    practice = work.db.get_one(Practice, work.tenant_id)
    zone = zone_of(work)
    closed = f"{one.closed_at.astimezone(zone):%Y-%m-%d %H:%M}" if one.closed_at else "not closed yet: a preview"
    paper = Paper(
        title="Pay statement",
        subtitle=practice.name,
        facts=[
            ("Clinician", one.name),
            ("Week", f"from Sunday, {one.week}"),
            ("Cut off", f"{one.cut_off.astimezone(zone):%Y-%m-%d %H:%M}"),
            ("Closed", closed),
            *((HEADINGS[kind][0], money_text(one.totals[kind])) for kind in HEADINGS if kind != "standby"),
            ("Total", money_text(one.total_cents)),
        ],
        parts=[part_of(one, kind) for kind in HEADINGS],
        footer="Sessions are told by the reference of their appointment.",
    )
    return pdf_of(paper)


def part_of(one: Statement, kind: Kind) -> Part:
    heading, words = HEADINGS[kind]
    rows = [cells(line) for line in one.of(kind)]
    return Part(heading, words, Table(COLUMNS, rows, numbers=("Minutes", "Multiplier", "Rate", "Amount")))
