"""Rows of a bundle with values in place of texts, and what of them is known at an instant."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cached_property
from types import SimpleNamespace as Row
from typing import Any

from tests.support.oracles.metrics.calendar import Calendar

Tables = dict[str, list[dict[str, str]]]
FINAL = ("COMPLETED", "NO_SHOW", "CANCELLED", "RESCHEDULED")
OTHER_NOTES = ("TREATMENT_PLAN", "SAFETY_PLAN", "DISCHARGE_SUMMARY")
LISTS = ("roles", "charge_ids")
DATES = ("date", "birth_date", "service_date", "high_risk_since", "high_risk_until")
BOOLEANS = ("self_pay", "emancipated", "available", "telehealth")
INTEGERS = ("rank", "weekday", "actual_minutes")
TIMES = ("start_time", "end_time")
BEGINNING = (date.min, datetime.min.replace(tzinfo=UTC))


@dataclass(frozen=True)
class Setting:
    """A changed setting: its value from a date on, and the instant at which it was entered."""

    key: str
    value: int
    effective_on: date
    set_at: datetime


def parse_row(cells: dict[str, str]) -> Row:
    return Row(**{name: parse_cell(name, cell) for name, cell in cells.items()})


def parse_cell(name: str, cell: str) -> Any:
    """Return the value of a cell, whose column's name says what it is."""
    if name in LISTS:
        return cell.split("|") if cell else []
    if cell == "":
        return None
    if name == "at" or name.endswith("_at"):
        return datetime.fromisoformat(cell).astimezone(UTC)
    if name in DATES or name.endswith("_on"):
        return date.fromisoformat(cell)
    if name in BOOLEANS:
        return cell == "true"
    if name in INTEGERS:
        return int(cell)
    if name in TIMES:
        return 60 * int(cell[:2]) + int(cell[3:])
    if name in ("amount", "average_reimbursement_target"):
        return int(100 * Decimal(cell))
    return cell


class Records:
    """The records of a practice as of an instant. Appointments and charges created later do not exist."""

    def __init__(self, tables: Tables, as_of: datetime, settings: list[Setting]) -> None:
        self.rows = {name: [parse_row(cells) for cells in rows] for name, rows in tables.items()}
        self.as_of = as_of
        self.settings = {s.key: [other for other in settings if other.key == s.key] for s in settings}
        (self.practice,) = self.rows["practice"]
        self.calendar = Calendar(self.practice.time_zone)
        self.today = self.calendar.date_of(as_of)
        self.staff = {person.id: person for person in self.rows["staff"]}
        self.clients = {client.id: client for client in self.rows["clients"]}

    def group(self, table: str, column: str) -> dict[Any, list[Row]]:
        """Return the rows of a table by the values of a column."""
        groups = defaultdict(list)
        for row in self.rows[table]:
            groups[getattr(row, column)].append(row)
        return groups

    @cached_property
    def notes(self) -> dict[str | None, list[Row]]:
        return self.group("notes", "appointment_id")

    @cached_property
    def appointments(self) -> list[Row]:
        """Return the appointments that exist, with what is known of each."""
        appointments = [a for a in self.rows["appointments"] if a.created_at <= self.as_of]
        for appointment in appointments:
            appointment.date = self.calendar.date_of(appointment.starts_at)
            appointment.status_now = status_at(appointment, self.as_of)
            appointment.signed_now = self.find_signature(appointment, self.as_of)
        return appointments

    @cached_property
    def client_appointments(self) -> dict[str, list[Row]]:
        groups = defaultdict(list)
        for appointment in self.appointments:
            groups[appointment.client_id].append(appointment)
        return groups

    def find_signature(self, appointment: Row, at: datetime) -> datetime | None:
        """Return when the session was signed, if that was by an instant."""
        signatures = [
            note.signed_at
            for note in self.notes.get(appointment.id, [])
            if note.type not in OTHER_NOTES and note.created_at <= at and note.signed_at and note.signed_at <= at
        ]
        return min(signatures, default=None)

    @cached_property
    def charges(self) -> list[Row]:
        return [charge for charge in self.rows["charges"] if charge.created_at <= self.as_of]

    @cached_property
    def first_charges(self) -> dict[str, Row]:
        """Return the first charge of each appointment, void or not; of equal instants, that with the smallest id."""
        first: dict[str, Row] = {}
        for charge in sorted(self.rows["charges"], key=lambda charge: (charge.created_at, charge.id)):
            if charge.appointment_id is not None:
                first.setdefault(charge.appointment_id, charge)
        return first

    @cached_property
    def applications(self) -> dict[str, list[Row]]:
        return self.group("payment_applications", "charge_id")

    @cached_property
    def adjustments(self) -> dict[str, list[Row]]:
        return self.group("adjustments", "charge_id")

    @cached_property
    def coverages(self) -> dict[str, list[Row]]:
        return self.group("coverages", "client_id")

    @cached_property
    def consents(self) -> dict[str, list[Row]]:
        return self.group("consents", "client_id")

    def get_setting(self, key: str, default: int, on: date) -> int:
        """Return the value of a setting that is in force on a date, as entered by `as_of`."""
        value = self.practice.average_reimbursement_target if key == "average_reimbursement_target_cents" else None
        latest = BEGINNING
        for setting in self.settings.get(key, []):
            order = (setting.effective_on, setting.set_at)
            if setting.effective_on <= on and setting.set_at <= self.as_of and order > latest:
                value, latest = setting.value, order
        return default if value is None else value


def status_at(appointment: Row, at: datetime) -> str:
    """Return the status of an appointment at an instant: a final one that was set later is not known."""
    if appointment.status in FINAL and appointment.status_at > at:
        return "SCHEDULED"
    return appointment.status


def is_void(charge: Row, at: datetime) -> bool:
    return charge.voided_at is not None and charge.voided_at <= at


def is_active(since: date, until: date | None, on: date) -> bool:
    """Return whether a date lies in a span, whose last day is not part of it."""
    return since <= on and (until is None or until > on)


def is_staff(person: Row, on: date) -> bool:
    return is_active(person.hired_on, person.left_on, on)


def is_client(client: Row, on: date) -> bool:
    return is_active(client.admitted_on, client.ended_on, on)
