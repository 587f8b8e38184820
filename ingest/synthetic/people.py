"""The staff: who they are, how they sign, when they came and left; their trainings."""

import re
from dataclasses import dataclass, field
from random import Random

from ingest.synthetic.days import NEVER, Days
from ingest.synthetic.files import AMOUNTS, Files, cell
from ingest.synthetic.model import COSIGNED, Clinician
from ingest.synthetic.names import npi, person, pick
from ingest.synthetic.size import Size

SEATS_PER_SUPERVISOR = 9
SEATS_PER_PRESCRIBER = 14
PRESCRIBER_AT = 4  # the seat within each stretch of that many

HABITS = ("evening", "prompt", "late", "friday", "prompt", "prompt", "prompt", "evening", "prompt", "evening")
LICENSES = (
    ("COUNSELING", "LPC", 6_400),
    ("SOCIAL_WORK", "LMSW", 5_600),
    ("PSYCHOLOGY", "PSYCHOLOGIST", 9_600),
    ("COUNSELING", "APC", 5_200),
    ("SOCIAL_WORK", "LCSW", 7_600),
    ("COUNSELING", "LMFT", 7_000),
    ("COUNSELING", "LPC", 6_800),
)
SUPERVISORS = (("SOCIAL_WORK", "LCSW", 9_200), ("PSYCHOLOGY", "PSYCHOLOGIST", 10_400))
PRESCRIBERS = (("PSYCHIATRY", "MD", 15_000), ("NURSING", "APRN", 11_500))
HOURS_REQUIRED = {"LPC": 2, "APC": 2, "LMSW": 4}


@dataclass(slots=True)
class Staff:
    clinicians: list[Clinician] = field(default_factory=list)
    desk: list[tuple[str, int, int]] = field(default_factory=list)  # id, hired, left
    hired: list[tuple[str, int, int]] = field(default_factory=list)  # the same of everybody


class Hiring:
    """Fills the seats of a practice, and a seat again when somebody left it."""

    def __init__(self, size: Size, rng: Random, first: int, days: Days, files: Files) -> None:
        self.size, self.rng, self.first, self.days, self.files = size, rng, first, days, files
        self.domain = re.split(r"[\W_]+", size.name.lower().strip())[0] or "practice"
        self.staff = Staff()

    def everybody(self) -> Staff:
        self.at_desk("admin", "admin")
        supervisors = [self.seated(0, None)]
        if self.size.clinicians > 1:
            self.seated(1, supervisors[0])
        self.at_desk("scheduler", "scheduler")
        self.at_desk("biller", "biller")
        for seat in range(2, self.size.clinicians):
            if seat % SEATS_PER_SUPERVISOR == 0:
                supervisors.append(self.seated(seat, None))
            else:
                self.succession(seat, supervisors[-1])
        for at in range(self.size.clinicians // 12 + 1):
            self.at_desk("scheduler" if at % 3 else "scheduler|biller", None, leaves=at % 4 == 0)
        return self.staff

    def succession(self, seat: int, supervisor: Clinician) -> None:
        """One who stays, or one who leaves and the one hired after."""
        span = self.days.today - self.first
        leaves = self.rng.random() < 0.05 * span / 365 or seat == 6
        if not leaves or span < 150 or seat == PRESCRIBER_AT:
            self.seated(seat, supervisor)
            return
        left = self.first + int(span * (0.3 + 0.5 * self.rng.random()))
        self.seated(seat, supervisor, left=left)
        hired = left + 14 + int(self.rng.random() * 42)
        if hired < self.days.today - 14:
            self.seated(seat, supervisor, hired=hired)

    def seated(self, seat: int, supervisor: Clinician | None, hired: int | None = None, left: int = NEVER) -> Clinician:
        rng = self.rng
        prescriber = supervisor is not None and seat % SEATS_PER_PRESCRIBER == PRESCRIBER_AT
        licenses = LICENSES if seat > 3 else LICENSES[::2]  # those with the worst habits sign for themselves
        if supervisor is None or prescriber:
            licenses = SUPERVISORS if supervisor is None else PRESCRIBERS
        discipline, license_type, rate = pick(rng, licenses)
        if seat in (1, 5):
            discipline, license_type, rate = next(one for one in LICENSES if one[1] == COSIGNED[seat // 5])
        clinician = Clinician(
            id="",
            seat=seat,
            license=license_type,
            discipline=discipline,
            signs=HABITS[seat % len(HABITS)],
            supervisor=supervisor,
            hired=hired or self.first - (200 if supervisor else 900) - int(rng.random() * 1800),
            left=left,
            prescriber=prescriber,
            missed=1.9 if seat % 7 == 3 else 0.6 + 0.7 * rng.random(),
            overdue=0.35 if seat % 6 == 2 else 0.05,
            soap=rng.random() < 0.5,
        )
        known = {0: "supervisor", 1: "clinician"}.get(seat)
        roles = "supervisor|clinician" if supervisor is None else "clinician"
        practical = f"GA-{int(rng.random() * 10**6):06d}", npi(rng), supervisor.id if supervisor else ""
        rate += int(rng.random() * 16) * 50
        clinician.id = self.add(known, roles, clinician.hired, left, (discipline, license_type, *practical, rate))
        self.staff.clinicians.append(clinician)
        return clinician

    def at_desk(self, roles: str, known: str | None, leaves: bool = False) -> None:
        left = self.first + int((self.days.today - self.first) * 0.6) if leaves else NEVER
        hired = self.first - 100 - int(self.rng.random() * 1500)
        staff_id = self.add(known, roles, hired, left, ("", "", "", "", "", 0))
        self.staff.desk.append((staff_id, hired, left))

    def add(
        self, known: str | None, roles: str, hired: int, left: int, practical: tuple[str, str, str, str, str, int]
    ) -> str:
        """A row of staff.csv; `known` is the mailbox that everybody knows the person by."""
        number = len(self.staff.hired) + 1
        staff_id = f"S{number:04d}"
        first, last = person(self.rng)
        email = f"{known or f'staff-{number:02d}'}@{self.domain}.example"
        *words, rate = practical
        dates = self.days.dates
        values = [staff_id, email, cell(first), cell(last), roles, *map(str, words), AMOUNTS[int(rate)] if rate else ""]
        values += [dates[hired], dates[left] if left != NEVER else ""]
        self.files.rows["staff"].append(",".join(values) + "\n")
        self.staff.hired.append((staff_id, hired, left))
        return staff_id


def trainings(staff: Staff, rng: Random, days: Days, files: Files) -> None:
    """A HIPAA training a year, for one about to lapse and for one lapsed; others now and then."""
    here = [staff_id for staff_id, hired, left in staff.hired if left == NEVER and hired < days.today - 800]
    lapses = dict(zip(here[::-1], (350, 380), strict=False))  # days since the last one
    for staff_id, hired, left in staff.hired:
        on, last = hired + int(rng.random() * 20), min(left - 1, days.today)
        dates = []
        while on <= last:
            dates.append(on)
            on += 350 + int(rng.random() * 14)
        if staff_id in lapses:
            latest = days.today - lapses[staff_id]
            dates = [on for on in dates if on < latest - 300] + [latest]
        for on in dates:
            files.add("trainings", staff_id, "HIPAA", days.dates[on])
            if rng.random() < 0.3 and on + 40 <= last:
                files.add("trainings", staff_id, "OTHER", days.dates[on + 40])


def supervision(staff: Staff, rng: Random, first: int, closed: dict[int, str], days: Days, files: Files) -> None:
    """The supervision that licences ask for, month by month; now and then an hour is missing."""
    for month in range(first, days.today + 1, 28):
        for clinician in staff.clinicians:
            hours = HOURS_REQUIRED.get(clinician.license, 0)
            if clinician.supervisor is None or not hours:
                continue
            pieces = [100] * hours if rng.random() < 0.7 else [150, 50] * (hours // 2)
            if rng.random() < 0.08:
                pieces.pop()
            for at, hundredths in enumerate(pieces):
                day = month + 2 + at * (24 // len(pieces)) + int(rng.random() * 3)
                if day in closed or not clinician.hired <= day < clinician.left:
                    continue
                supervise(clinician.id, clinician.supervisor.id, day, hundredths, rng, days, files)


def supervise(
    supervisee: str, supervisor: str, day: int, hundredths: int, rng: Random, days: Days, files: Files
) -> None:
    held = days.at(day, 480 + 15 * int(rng.random() * 3) if rng.random() < 0.5 else 720)
    if held + hundredths * 6 // 10 > days.until:
        return
    kind = "GROUP" if rng.random() < 0.25 else "INDIVIDUAL"
    topics = pick(rng, ("", "ethics", "risk|ethics", "documentation", "cases", "cases|countertransference", "burn-out"))
    lag = 60 + int(rng.random() * 4000) if rng.random() < 0.93 else int(11_000 + rng.random() * 9_000)
    signed = "" if rng.random() < 0.02 else days.stamp_if(held + lag)
    files.add("supervision", supervisee, supervisor, days.stamp(held), AMOUNTS[hundredths], kind, topics, signed)
