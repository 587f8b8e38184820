"""What weeks pay, worked out from the files of a bundle the long way: week after week, session after session."""

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
USUAL = {"GROUP": Fraction(3, 2), "INTAKE": Fraction(5, 4)}


@dataclass
class Session:
    staff_id: str
    appointment_id: str
    on: date
    completed: datetime
    signed: datetime | None
    minutes: int
    multiplier: Fraction
    cents: int | None  # none without a rate
    paid_in: date | None = None

    @property
    def week(self) -> date:
        return self.on - timedelta(days=(self.on.weekday() + 1) % 7)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


class SlowPay:
    def __init__(self, bundle: Path, as_of: datetime) -> None:
        self.rows = {
            file.stem: list(csv.DictReader(io.StringIO(file.read_text(), newline=""))) for file in bundle.glob("*.csv")
        }
        self.zone, self.as_of = ZoneInfo(self.rows["practice"][0]["time_zone"]), as_of
        self.services = {row["code"]: row for row in self.rows["services"]}
        self.rates = {row["id"]: row["base_pay_rate"] for row in self.rows["staff"]}
        self.signatures = self.all_signatures()
        self.sessions = [self.session(seats) for seats in self.seats()]
        self.pay()

    def all_signatures(self) -> dict[str, datetime]:
        found: dict[str, datetime] = {}
        for note in self.rows["notes"]:
            if note["type"] in NO_SESSION_NOTE or not note["signed_at"] or not note["appointment_id"]:
                continue
            signed = at(note["signed_at"])
            if signed <= self.as_of and at(note["created_at"]) <= self.as_of:
                found[note["appointment_id"]] = min(signed, found.get(note["appointment_id"], signed))
        return found

    def seats(self) -> list[list[Row]]:
        found: dict[str, list[Row]] = defaultdict(list)
        for row in self.rows["appointments"]:
            if row["status"] == "COMPLETED" and at(row["status_at"]) <= self.as_of:
                found[(row["group_id"] and f"group {row['group_id']}") or row["id"]].append(row)
        return list(found.values())

    def session(self, seats: list[Row]) -> Session:
        first = min(seats, key=lambda row: row["id"])
        signatures = [self.signatures.get(row["id"]) for row in seats]
        service = self.services[first["service_code"]]
        on = at(first["starts_at"]).astimezone(self.zone).date()
        multiplier = self.multiplier(first["clinician_id"], service["kind"], on)
        rate = self.rates[first["clinician_id"]]
        worth = Fraction(rate) * 100 * multiplier * int(service["minutes"]) / 60 if rate else None
        return Session(
            staff_id=first["clinician_id"],
            appointment_id=first["id"],
            on=on,
            completed=max(at(row["status_at"]) for row in seats),
            signed=None if None in signatures else max(one for one in signatures if one),
            minutes=int(service["minutes"]),
            multiplier=multiplier,
            cents=None if worth is None else int(worth + Fraction(1, 2)),
        )

    def multiplier(self, staff_id: str, kind: str, on: date) -> Fraction:
        for whose in (staff_id, ""):
            known = [
                row
                for row in self.rows.get("rates", [])
                if row["staff_id"] == whose and row["kind"] == kind and row["effective_on"] <= on.isoformat()
                and datetime.fromisoformat(row["effective_on"] + "T00:00Z") <= self.as_of
            ]  # fmt: skip
            if known:
                return Fraction(max(known, key=lambda row: row["effective_on"])["multiplier"])
        return USUAL.get(kind, Fraction(1))

    def cut_off(self, week: date) -> datetime:
        after = week + timedelta(days=8)
        return datetime(after.year, after.month, after.day, tzinfo=self.zone).astimezone(UTC)

    def weeks(self) -> list[date]:
        first = min(session.week for session in self.sessions)
        number = (self.as_of.date() - first).days // 7 + 2
        return [first + timedelta(days=7 * one) for one in range(number)]

    def pay(self) -> None:
        for week in self.weeks():
            for session in self.sessions:
                done = session.signed is not None and max(session.signed, session.completed) < self.cut_off(week)
                if session.paid_in is None and session.week <= week and done:
                    session.paid_in = week

    def lines(self, week: date) -> list[tuple[str, str, str, int, Fraction, int]]:
        return sorted(
            self.told(one, "regular" if one.week == week else "late")
            for one in self.sessions
            if one.paid_in == week and one.cents is not None
        )

    def standby(self, week: date) -> list[tuple[str, str, str, int, Fraction, int]]:
        end = self.cut_off(week)
        waiting = [one for one in self.sessions if not (one.signed and one.signed < end)]
        return sorted(
            self.told(one, "standby")
            for one in waiting
            if one.week <= week and one.completed < end and one.cents is not None
        )

    def told(self, one: Session, kind: str) -> tuple[str, str, str, int, Fraction, int]:
        return kind, one.staff_id, one.appointment_id, one.minutes, one.multiplier, one.cents or 0
