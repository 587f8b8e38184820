"""The generator of a whole practice: setup, staff, the weeks of its history, and client documents."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from random import Random

from ingest.synthetic import people, practice_setup
from ingest.synthetic.claims import Claims
from ingest.synthetic.client_documents import ClientDocuments
from ingest.synthetic.days import Days, get_weekday, to_date
from ingest.synthetic.files import AMOUNTS, Files
from ingest.synthetic.hours import WorkingHours
from ingest.synthetic.money import Money
from ingest.synthetic.notes import Notes
from ingest.synthetic.people import Staff
from ingest.synthetic.referrals import Referrals
from ingest.synthetic.schedule import Schedule
from ingest.synthetic.size import Size
from ingest.synthetic.visits import Visit, VisitWriter


def ignore_progress(_line: str) -> None:
    """Ignore a progress message."""


def generate(
    folder: Path, size: Size, seed: int, until: datetime, report: Callable[[str], None] = ignore_progress
) -> dict[str, int]:
    """Write the bundle of a synthetic practice as of `until`, and return the number of rows of each file."""
    days = Days(size.time_zone, until)
    start = days.today - round(size.months * 30.4375)
    first = start - get_weekday(start)
    last = days.today - get_weekday(days.today) + 7 * (1 + size.weeks_ahead)

    def make_rng(name: str) -> Random:
        return Random(f"{seed} {name}")  # noqa: S311 - the same data for the same seed

    with Files(folder) as files:
        single_rooms, group_rooms = practice_setup.set_up_practice(size, make_rng("office"), days, files)
        closures = practice_setup.add_closures(first, last, days, files)
        staff = people.Hiring(size, make_rng("people"), first, days, files).hire_everyone()
        hours = WorkingHours(make_rng("hours"), days, files, single_rooms, group_rooms)
        for clinician in staff.clinicians:
            hours.plan_week(clinician, first)
            hours.add_exceptions(clinician, first, last, closures)
        people.add_trainings(staff, make_rng("trainings"), days, files)
        people.add_supervision(staff, make_rng("supervision"), first, closures, days, files)
        practice_setup.add_incidents(make_rng("incidents"), first, days, files)
        add_multipliers(staff, first, days, files)
        notes = Notes(make_rng("notes"), days, files)
        follow_up = FollowUp(notes, Money(make_rng("money"), days, files), make_rng("claims"), days, files)
        referrals = Referrals(size, make_rng("clients"), staff.clinicians, first, days, files)
        visits = VisitWriter(make_rng("visits"), days, files, follow_up.complete_visit)
        schedule = Schedule(make_rng("schedule"), days, closures, staff.clinicians, referrals, visits)
        sign_in_rng = make_rng("door")
        for week, sunday in enumerate(range(first, last, 7)):
            schedule.run_week(week, sunday)
            follow_up.end_week(sunday)
            add_sign_ins(staff, sunday, closures, sign_in_rng, days, files)
            files.flush()
            if week % 13 == 12:
                report(f"{to_date(sunday):%B %Y}: {files.counts['appointments']:,} appointments so far")
        follow_up.end_week(last + 10_000)
        report(f"{len(referrals.clients):,} clients' documents")
        documents = ClientDocuments(make_rng("papers"), days, files, notes)
        for client in referrals.clients:
            documents.write(client)
            if client.number % 5_000 == 0:
                files.flush()
        files.flush()
        return {f"{name}.csv": count for name, count in files.counts.items()}


class FollowUp:
    """The consequences of a completed visit: note, charge, claim and payments."""

    def __init__(self, notes: Notes, money: Money, rng: Random, days: Days, files: Files) -> None:
        self.notes, self.money = notes, money
        self.claims = Claims(rng, days, files, money)

    def complete_visit(self, visit: Visit, is_telehealth: bool) -> None:
        """Write the note and the charge of a visit, and bill the payer or the client."""
        signed_at = self.notes.write_session_note(visit)
        charge = self.money.create_charge(visit, is_telehealth, signed_at)
        if charge is None:
            return
        coverage = None if visit.client.is_self_pay else visit.client.get_coverage_on(visit.day)
        if coverage is None:
            self.money.bill_self_pay(charge, visit)
        else:
            self.money.collect_copay(charge, coverage, visit)
            self.claims.bill_charge(charge, coverage)

    def end_week(self, sunday: int) -> None:
        """Submit weekly claims and process the remittances and statements that are due."""
        self.claims.end_week(sunday)
        self.money.send_statements(sunday)


def add_multipliers(staff: Staff, first: int, days: Days, files: Files) -> None:
    """Add pay multipliers that differ from the usual: the practice's for intakes, one clinician's for groups."""
    rows = [("", "INTAKE", 130, first + 60)]
    rows += [(clinician.id, "GROUP", 175, max(first, clinician.hired_on) + 90) for clinician in staff.clinicians[:1]]
    for staff_id, kind, hundredths, day in rows:
        if day <= days.today:
            files.rows["rates"].append(f"{staff_id},{kind},{AMOUNTS[hundredths]},{days.dates[day]}\n")


def add_sign_ins(staff: Staff, sunday: int, closures: dict[int, str], rng: Random, days: Days, files: Files) -> None:
    """Add the sign-ins of the staff on the working days of a week."""
    random = rng.random
    for clinician in staff.clinicians:
        starts: dict[int, int] = {}
        for slot in clinician.slots:
            day = sunday + slot.weekday
            if slot.first_day <= day < slot.end_day and day not in closures:
                starts[day] = min(starts.get(day, 1440), slot.start)
        for day, start in starts.items():
            absence = clinician.absences.get(day)
            if random() < 0.95 and not (absence and absence[1] - absence[0] == 1440):
                add_sign_in(clinician.id, days.to_instant(day, start - 5 - int(random() * 25)), days, files)
                if random() < 0.25:
                    add_sign_in(clinician.id, days.to_instant(day, 1100 + int(random() * 150)), days, files)
    for staff_id, hired, left in staff.office:
        for day in range(sunday + 1, sunday + 6):
            if hired <= day < left and day not in closures and random() < 0.92:
                add_sign_in(staff_id, days.to_instant(day, 465 + int(random() * 45)), days, files)


def add_sign_in(staff_id: str, instant: int, days: Days, files: Files) -> None:
    if instant <= days.until:
        files.add_row("sign_ins", staff_id, days.format_instant(instant))
