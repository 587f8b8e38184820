"""An independent, slow computation of pay from the files of a bundle: week by week, session by session."""

import csv
import io
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

Row = dict[str, str]
NO_SESSION_NOTE = {"TREATMENT_PLAN", "SAFETY_PLAN", "DISCHARGE_SUMMARY"}
DEFAULT_MULTIPLIERS = {"GROUP": Fraction(3, 2), "INTAKE": Fraction(5, 4)}


@dataclass
class Session:
    """A session as known at the oracle's instant."""

    staff_id: str
    appointment_id: str
    held_on: date
    completed_at: datetime
    signed_at: datetime | None
    minutes: int
    multiplier: Fraction
    amount_cents: int | None  # None without a rate
    paid_in: date | None = None

    @property
    def week(self) -> date:
        return self.held_on - timedelta(days=(self.held_on.weekday() + 1) % 7)


def parse_instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


class BundlePayOracle:
    """The pay weeks of a bundle by what was known at an instant."""

    def __init__(self, bundle: Path, as_of: datetime) -> None:
        self.rows = {
            file.stem: list(csv.DictReader(io.StringIO(file.read_text(), newline=""))) for file in bundle.glob("*.csv")
        }
        self.zone, self.as_of = ZoneInfo(self.rows["practice"][0]["time_zone"]), as_of
        self.services = {row["code"]: row for row in self.rows["services"]}
        self.rates = {row["id"]: row["base_pay_rate"] for row in self.rows["staff"]}
        self.signatures = self.read_signatures()
        self.sessions = [self.build_session(seats) for seats in self.group_seats()]
        self.assign_weeks()

    def read_signatures(self) -> dict[str, datetime]:
        signatures: dict[str, datetime] = {}
        for note in self.rows["notes"]:
            if note["type"] in NO_SESSION_NOTE or not note["signed_at"] or not note["appointment_id"]:
                continue
            signed_at = parse_instant(note["signed_at"])
            if signed_at <= self.as_of and parse_instant(note["created_at"]) <= self.as_of:
                earlier = signatures.get(note["appointment_id"], signed_at)
                signatures[note["appointment_id"]] = min(signed_at, earlier)
        return signatures

    def group_seats(self) -> list[list[Row]]:
        seats: dict[str, list[Row]] = defaultdict(list)
        for row in self.rows["appointments"]:
            if row["status"] == "COMPLETED" and parse_instant(row["status_at"]) <= self.as_of:
                seats[(row["group_id"] and f"group {row['group_id']}") or row["id"]].append(row)
        return list(seats.values())

    def build_session(self, seats: list[Row]) -> Session:
        first = min(seats, key=lambda row: row["id"])
        signatures = [self.signatures.get(row["id"]) for row in seats]
        service = self.services[first["service_code"]]
        held_on = parse_instant(first["starts_at"]).astimezone(self.zone).date()
        multiplier = self.find_multiplier(first["clinician_id"], service["kind"], held_on)
        rate = self.rates[first["clinician_id"]]
        cents = Fraction(rate) * 100 * multiplier * int(service["minutes"]) / 60 if rate else None
        return Session(
            staff_id=first["clinician_id"],
            appointment_id=first["id"],
            held_on=held_on,
            completed_at=max(parse_instant(row["status_at"]) for row in seats),
            signed_at=None if None in signatures else max(signature for signature in signatures if signature),
            minutes=int(service["minutes"]),
            multiplier=multiplier,
            amount_cents=None if cents is None else int(cents + Fraction(1, 2)),
        )

    def find_multiplier(self, staff_id: str, kind: str, on: date) -> Fraction:
        for owner_id in (staff_id, ""):
            rates = [
                row
                for row in self.rows.get("rates", [])
                if row["staff_id"] == owner_id and row["kind"] == kind and row["effective_on"] <= on.isoformat()
                and datetime.fromisoformat(row["effective_on"] + "T00:00Z") <= self.as_of
            ]  # fmt: skip
            if rates:
                return Fraction(max(rates, key=lambda row: row["effective_on"])["multiplier"])
        return DEFAULT_MULTIPLIERS.get(kind, Fraction(1))

    def cut_off(self, week: date) -> datetime:
        after = week + timedelta(days=8)
        return datetime(after.year, after.month, after.day, tzinfo=self.zone).astimezone(UTC)

    def list_weeks(self) -> list[date]:
        first = min(session.week for session in self.sessions)
        number = (self.as_of.date() - first).days // 7 + 2
        return [first + timedelta(days=7 * index) for index in range(number)]

    def assign_weeks(self) -> None:
        for week in self.list_weeks():
            for session in self.sessions:
                done = session.signed_at is not None and max(session.signed_at, session.completed_at) < self.cut_off(
                    week
                )
                if session.paid_in is None and session.week <= week and done:
                    session.paid_in = week

    def list_lines(self, week: date) -> list[tuple[str, str, str, int, Fraction, int]]:
        return sorted(
            self.build_line(session, "regular" if session.week == week else "late")
            for session in self.sessions
            if session.paid_in == week and session.amount_cents is not None
        )

    def list_pending(self, week: date) -> list[tuple[str, str, str, int, Fraction, int]]:
        end = self.cut_off(week)
        unsigned = [session for session in self.sessions if not (session.signed_at and session.signed_at < end)]
        return sorted(
            self.build_line(session, "standby")
            for session in unsigned
            if session.week <= week and session.completed_at < end and session.amount_cents is not None
        )

    def build_line(self, session: Session, kind: str) -> tuple[str, str, str, int, Fraction, int]:
        amount_cents = session.amount_cents or 0
        return kind, session.staff_id, session.appointment_id, session.minutes, session.multiplier, amount_cents
