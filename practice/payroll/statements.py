"""Pay statements per staff member and week, as PDF and CSV. They never name a client."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select

from practice.csv_cells import escape_formula
from practice.money import format_cents
from practice.payroll.lines import Line, PayWeek
from practice.payroll.periods import preview_week
from practice.payroll.rules import Kind, WeekStatus, sum_by_key
from practice.pdf import Document, Section, Table, render_pdf
from practice.people.access import require_visible_staff
from practice.people.models.practices import Practice, Staff
from practice.people.practice_time import zone_of
from practice.people.staff import get_staff
from practice.security.permissions import Scope
from practice.security.work import Work

HEADINGS: dict[Kind, tuple[str, str]] = {
    "regular": ("Sessions of the week", "Sessions of this week, completed and signed in time."),
    "late": ("Late sessions", "Sessions of earlier weeks, paid now that they are completed and signed."),
    "adjustment": ("Adjustments", "Changes to sessions that earlier weeks paid."),
    "standby": ("Pending", "Completed but not signed in time. Not part of the total; paid once signed."),
}
REASONS = {
    "RATE_CHANGED": "rate changed",
    "VOIDED": "voided",
    "COUNTS_AGAIN": "counts again",
}
COLUMNS = ("Date", "Service", "Minutes", "Appointment", "Multiplier", "Rate", "Amount", "Reason")


@dataclass(frozen=True)
class Statement:
    """The pay of one staff member in one week. For an open week it shows what is known so far."""

    staff_id: UUID
    name: str
    week: date
    cut_off: datetime
    status: WeekStatus
    closed_at: datetime | None
    lines: Sequence[Line]

    def select_lines(self, kind: Kind) -> list[Line]:
        return [line for line in self.lines if line.kind == kind]

    @property
    def totals(self) -> dict[str, int]:
        """Return the cents of each kind of line."""
        return dict.fromkeys(HEADINGS, 0) | sum_by_key((line.kind, line.amount_cents) for line in self.lines)

    @property
    def total_cents(self) -> int:
        """Return the cents paid, without pending lines."""
        return sum(cents for kind, cents in self.totals.items() if kind != "standby")


def list_statements(work: Work, scope: Scope, week: date, as_of: datetime) -> list[Statement]:
    """Return the statements of all visible staff with lines in the week, by name, and record the access."""
    work.record("pay_statements.listed", week=week.isoformat())
    return load_statements(work, scope, week, as_of)


def load_statements(work: Work, scope: Scope, week: date, as_of: datetime) -> list[Statement]:
    return build_statements(work, preview_week(work, scope, week, as_of))


def build_statements(work: Work, pay_week: PayWeek) -> list[Statement]:
    """Return the statements of all staff with lines in the week, by name."""
    lines: dict[UUID, list[Line]] = {}
    for line in [*pay_week.lines, *pay_week.pending]:
        lines.setdefault(line.staff_id, []).append(line)
    return [build_statement(pay_week, staff, lines[staff.id]) for staff in load_staff(work, lines)]


def get_statement(work: Work, scope: Scope, week: date, staff_id: UUID, as_of: datetime) -> Statement:
    """Return the statement of a visible staff member, and record the access."""
    require_visible_staff(work, scope, staff_id)
    work.record("pay_statement.read", "staff", staff_id, week=week.isoformat())
    pay_week = preview_week(work, Scope.ALL, week, as_of)
    lines = [line for line in [*pay_week.lines, *pay_week.pending] if line.staff_id == staff_id]
    return build_statement(pay_week, get_staff(work, staff_id), lines)


def load_staff(work: Work, ids: Iterable[UUID]) -> Sequence[Staff]:
    query = select(Staff).where(Staff.tenant_id == work.tenant_id, Staff.id.in_(list(ids)))
    return work.db.scalars(query.order_by(Staff.last_name, Staff.first_name, Staff.id)).all()


def build_statement(pay_week: PayWeek, staff: Staff, lines: Sequence[Line]) -> Statement:
    return Statement(
        staff_id=staff.id,
        name=f"{staff.first_name} {staff.last_name}",
        week=pay_week.week,
        cut_off=pay_week.cut_off,
        status=pay_week.status,
        closed_at=pay_week.closed_at,
        lines=lines,
    )


def export_period(work: Work, week: date, as_of: datetime) -> str:
    """Return all statements of a week as CSV, and record the export."""
    statements = load_statements(work, Scope.ALL, week, as_of)
    number = sum(len(statement.lines) for statement in statements)
    work.record("pay_period.exported", week=week.isoformat(), lines=number)
    return render_csv(statements)


def render_csv(statements: Iterable[Statement]) -> str:
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(["week", "status", "staff_id", "name", "kind", *(column.lower() for column in COLUMNS)])
    for statement in statements:
        week, name = statement.week.isoformat(), escape_formula(statement.name)
        writer.writerows(
            [week, statement.status, str(statement.staff_id), name, line.kind, *format_cells(line)]
            for kind in HEADINGS
            for line in statement.select_lines(kind)
        )
    return file.getvalue()


def format_cells(line: Line) -> list[str]:
    return [
        line.held_on.isoformat(),
        line.service_kind,
        str(line.minutes),
        line.reference,
        f"{line.multiplier:.2f}",
        format_cents(line.rate_cents),
        format_cents(line.amount_cents),
        REASONS[line.reason] if line.reason else "",
    ]


def render_statement_pdf(work: Work, statement: Statement) -> bytes:
    practice = work.db.get_one(Practice, work.tenant_id)
    zone = zone_of(work)
    closed_at = statement.closed_at
    document = Document(
        title="Pay statement",
        subtitle=practice.name,
        details=[
            ("Clinician", statement.name),
            ("Week", f"from Sunday, {statement.week}"),
            ("Cut off", f"{statement.cut_off.astimezone(zone):%Y-%m-%d %H:%M}"),
            ("Closed", f"{closed_at.astimezone(zone):%Y-%m-%d %H:%M}" if closed_at else "not yet; this is a preview"),
            *((HEADINGS[kind][0], format_cents(statement.totals[kind])) for kind in HEADINGS if kind != "standby"),
            ("Total", format_cents(statement.total_cents)),
        ],
        sections=[build_section(statement, kind) for kind in HEADINGS],
        footer="Sessions are identified by the reference of their appointment.",
    )
    return render_pdf(document)


def build_section(statement: Statement, kind: Kind) -> Section:
    heading, text = HEADINGS[kind]
    rows = [format_cells(line) for line in statement.select_lines(kind)]
    return Section(heading, text, Table(COLUMNS, rows, numeric_columns=("Minutes", "Multiplier", "Rate", "Amount")))
