"""Makes up a whole practice: opens the office, hires, lets the weeks pass, and files the papers."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from random import Random

from ingest.synthetic import people, practice_setup
from ingest.synthetic.claims import Claims
from ingest.synthetic.client_documents import Papers
from ingest.synthetic.days import Days, to_date, weekday
from ingest.synthetic.files import AMOUNTS, Files
from ingest.synthetic.hours import Hours
from ingest.synthetic.money import Money
from ingest.synthetic.notes import Notes
from ingest.synthetic.people import Staff
from ingest.synthetic.referrals import Waiting
from ingest.synthetic.schedule import Schedule
from ingest.synthetic.size import Size
from ingest.synthetic.visits import Visit, Visits


def quietly(_line: str) -> None:
    """Says nothing."""


def make_up(
    folder: Path, size: Size, seed: int, until: datetime, say: Callable[[str], None] = quietly
) -> dict[str, int]:
    """A practice's bundle as it stands at `until`; answers with the rows of each file."""
    days = Days(size.time_zone, until)
    start = days.today - round(size.months * 30.4375)
    first = start - weekday(start)
    last = days.today - weekday(days.today) + 7 * (1 + size.weeks_ahead)

    def dice(of: str) -> Random:
        return Random(f"{seed} {of}")  # noqa: S311 - made-up data, and the same for the same seed

    with Files(folder) as files:
        small, large = practice_setup.furnish(size, dice("office"), days, files)
        closed = practice_setup.closures(first, last, days, files)
        staff = people.Hiring(size, dice("people"), first, days, files).everybody()
        hours = Hours(dice("hours"), days, files, small, large)
        for clinician in staff.clinicians:
            hours.arrange(clinician, first)
            hours.days_off(clinician, first, last, closed)
        people.trainings(staff, dice("trainings"), days, files)
        people.supervision(staff, dice("supervision"), first, closed, days, files)
        practice_setup.incidents(dice("incidents"), first, days, files)
        rates(staff, first, days, files)
        notes = Notes(dice("notes"), days, files)
        after = After(notes, Money(dice("money"), days, files), dice("claims"), days, files)
        waiting = Waiting(size, dice("clients"), staff.clinicians, first, days, files)
        visits = Visits(dice("visits"), days, files, after.kept)
        schedule = Schedule(dice("schedule"), days, closed, staff.clinicians, waiting, visits)
        door = dice("door")
        for week, sunday in enumerate(range(first, last, 7)):
            schedule.week(week, sunday)
            after.week(sunday)
            sign_ins(staff, sunday, closed, door, days, files)
            files.flush()
            if week % 13 == 12:
                say(f"{to_date(sunday):%B %Y}: {files.counts['appointments']:,} appointments so far")
        after.week(last + 10_000)
        say(f"{len(waiting.clients):,} clients' papers")
        papers = Papers(dice("papers"), days, files, notes)
        for client in waiting.clients:
            papers.write(client)
            if client.number % 5_000 == 0:
                files.flush()
        files.flush()
        return {f"{name}.csv": count for name, count in files.counts.items()}


class After:
    """What follows from a kept visit: note, charge, claim, payment."""

    def __init__(self, notes: Notes, money: Money, rng: Random, days: Days, files: Files) -> None:
        self.notes, self.money = notes, money
        self.claims = Claims(rng, days, files, money)

    def kept(self, visit: Visit, telehealth: bool) -> None:
        signed = self.notes.session(visit)
        charge = self.money.charge(visit, telehealth, signed)
        if charge is None:
            return
        coverage = None if visit.client.self_pay else visit.client.coverage_on(visit.day)
        if coverage is None:
            self.money.self_paid(charge, visit)
        else:
            self.money.copay(charge, coverage, visit)
            self.claims.bill(charge, coverage)

    def week(self, sunday: int) -> None:
        self.claims.end_of_week(sunday)
        self.money.statements(sunday)


def rates(staff: Staff, first: int, days: Days, files: Files) -> None:
    """Pay multipliers that differ: the practice's own for intakes, one person's for groups."""
    rows = [("", "INTAKE", 130, first + 60)]
    rows += [(one.id, "GROUP", 175, max(first, one.hired) + 90) for one in staff.clinicians[:1]]
    for staff_id, kind, hundredths, day in rows:
        if day <= days.today:
            files.rows["rates"].append(f"{staff_id},{kind},{AMOUNTS[hundredths]},{days.dates[day]}\n")


def sign_ins(staff: Staff, sunday: int, closed: dict[int, str], rng: Random, days: Days, files: Files) -> None:
    """Who opened the system on the working days of a week."""
    random = rng.random
    for clinician in staff.clinicians:
        starts: dict[int, int] = {}
        for cell in clinician.cells:
            day = sunday + cell.weekday
            if cell.first <= day < cell.last and day not in closed:
                starts[day] = min(starts.get(day, 1440), cell.start)
        for day, start in starts.items():
            absence = clinician.away.get(day)
            if random() < 0.95 and not (absence and absence[1] - absence[0] == 1440):
                sign_in(clinician.id, days.at(day, start - 5 - int(random() * 25)), days, files)
                if random() < 0.25:
                    sign_in(clinician.id, days.at(day, 1100 + int(random() * 150)), days, files)
    for staff_id, hired, left in staff.desk:
        for day in range(sunday + 1, sunday + 6):
            if hired <= day < left and day not in closed and random() < 0.92:
                sign_in(staff_id, days.at(day, 465 + int(random() * 45)), days, files)


def sign_in(staff_id: str, at: int, days: Days, files: Files) -> None:
    if at <= days.until:
        files.add("sign_ins", staff_id, days.stamp(at))
