"""The staff: who they are, how they sign, when they came and left_on; their trainings."""

import re
from dataclasses import dataclass, field
from random import Random

from ingest.synthetic.days import NEVER, Days
from ingest.synthetic.files import AMOUNTS, Files, quote_cell
from ingest.synthetic.model import COSIGNED_LICENSES, Clinician
from ingest.synthetic.names import make_name, make_npi, pick
from ingest.synthetic.size import Size

STAFF_PER_SUPERVISOR = 9
STAFF_PER_PRESCRIBER = 14
PRESCRIBER_POSITION = 4  # of the prescriber, among each group of that many

SIGNING_HABITS = ("evening", "prompt", "late", "friday", "prompt", "prompt", "prompt", "evening", "prompt", "evening")
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
SUPERVISION_HOURS = {"LPC": 2, "APC": 2, "LMSW": 4}


@dataclass(slots=True)
class Staff:
    """The staff of a practice."""

    clinicians: list[Clinician] = field(default_factory=list)
    office: list[tuple[str, int, int]] = field(default_factory=list)  # id, hired on, left on
    everyone: list[tuple[str, int, int]] = field(default_factory=list)  # likewise, of the whole staff


class Hiring:
    """Hires the staff of a practice, and successors of those who leave."""

    def __init__(self, size: Size, rng: Random, first: int, days: Days, files: Files) -> None:
        self.size, self.rng, self.first, self.days, self.files = size, rng, first, days, files
        self.domain = re.split(r"[\W_]+", size.name.lower().strip())[0] or "practice"
        self.staff = Staff()

    def hire_everyone(self) -> Staff:
        self.hire_office_staff("admin", "admin")
        supervisors = [self.hire_clinician(0, None)]
        if self.size.clinicians > 1:
            self.hire_clinician(1, supervisors[0])
        self.hire_office_staff("scheduler", "scheduler")
        self.hire_office_staff("biller", "biller")
        for position in range(2, self.size.clinicians):
            if position % STAFF_PER_SUPERVISOR == 0:
                supervisors.append(self.hire_clinician(position, None))
            else:
                self.hire_with_successor(position, supervisors[-1])
        for number in range(self.size.clinicians // 12 + 1):
            self.hire_office_staff("scheduler" if number % 3 else "scheduler|biller", None, will_leave=number % 4 == 0)
        return self.staff

    def hire_with_successor(self, position: int, supervisor: Clinician) -> None:
        """Hire a clinician who stays, or one who leaves and a successor."""
        span = self.days.today - self.first
        will_leave = self.rng.random() < 0.05 * span / 365 or position == 6
        if not will_leave or span < 150 or position == PRESCRIBER_POSITION:
            self.hire_clinician(position, supervisor)
            return
        left_on = self.first + int(span * (0.3 + 0.5 * self.rng.random()))
        self.hire_clinician(position, supervisor, left_on=left_on)
        hired_on = left_on + 14 + int(self.rng.random() * 42)
        if hired_on < self.days.today - 14:
            self.hire_clinician(position, supervisor, hired_on=hired_on)

    def hire_clinician(
        self, position: int, supervisor: Clinician | None, hired_on: int | None = None, left_on: int = NEVER
    ) -> Clinician:
        rng = self.rng
        is_prescriber = supervisor is not None and position % STAFF_PER_PRESCRIBER == PRESCRIBER_POSITION
        licenses = LICENSES if position > 3 else LICENSES[::2]  # those with the worst habits sign their own notes
        if supervisor is None or is_prescriber:
            licenses = SUPERVISORS if supervisor is None else PRESCRIBERS
        discipline, license_type, rate = pick(rng, licenses)
        if position in (1, 5):
            discipline, license_type, rate = next(
                license for license in LICENSES if license[1] == COSIGNED_LICENSES[position // 5]
            )
        clinician = Clinician(
            id="",
            position=position,
            license=license_type,
            discipline=discipline,
            signing_habit=SIGNING_HABITS[position % len(SIGNING_HABITS)],
            supervisor=supervisor,
            hired_on=hired_on or self.first - (200 if supervisor else 900) - int(rng.random() * 1800),
            left_on=left_on,
            is_prescriber=is_prescriber,
            no_show_factor=1.9 if position % 7 == 3 else 0.6 + 0.7 * rng.random(),
            overdue_rate=0.35 if position % 6 == 2 else 0.05,
            writes_soap=rng.random() < 0.5,
        )
        mailbox = {0: "supervisor", 1: "clinician"}.get(position)
        roles = "supervisor|clinician" if supervisor is None else "clinician"
        license_and_rate = f"GA-{int(rng.random() * 10**6):06d}", make_npi(rng), supervisor.id if supervisor else ""
        rate += int(rng.random() * 16) * 50
        clinician.id = self.add_staff(
            mailbox, roles, clinician.hired_on, left_on, (discipline, license_type, *license_and_rate, rate)
        )
        self.staff.clinicians.append(clinician)
        return clinician

    def hire_office_staff(self, roles: str, mailbox: str | None, will_leave: bool = False) -> None:
        left_on = self.first + int((self.days.today - self.first) * 0.6) if will_leave else NEVER
        hired_on = self.first - 100 - int(self.rng.random() * 1500)
        staff_id = self.add_staff(mailbox, roles, hired_on, left_on, ("", "", "", "", "", 0))
        self.staff.office.append((staff_id, hired_on, left_on))

    def add_staff(
        self,
        mailbox: str | None,
        roles: str,
        hired_on: int,
        left_on: int,
        license_and_rate: tuple[str, str, str, str, str, int],
    ) -> str:
        """Add a row to staff.csv. `mailbox` is the local part of the email, for the roles that logins are made for."""
        number = len(self.staff.everyone) + 1
        staff_id = f"S{number:04d}"
        first, last = make_name(self.rng)
        email = f"{mailbox or f'staff-{number:02d}'}@{self.domain}.example"
        *license_columns, rate = license_and_rate
        dates = self.days.dates
        values = [
            staff_id,
            email,
            quote_cell(first),
            quote_cell(last),
            roles,
            *map(str, license_columns),
            AMOUNTS[int(rate)] if rate else "",
        ]
        values += [dates[hired_on], dates[left_on] if left_on != NEVER else ""]
        self.files.rows["staff"].append(",".join(values) + "\n")
        self.staff.everyone.append((staff_id, hired_on, left_on))
        return staff_id


def add_trainings(staff: Staff, rng: Random, days: Days, files: Files) -> None:
    """Add a HIPAA training a year, one about to lapse, one lapsed, and occasional others."""
    current_staff = [
        staff_id for staff_id, hired_on, left_on in staff.everyone if left_on == NEVER and hired_on < days.today - 800
    ]
    lapses = dict(zip(current_staff[::-1], (350, 380), strict=False))  # days since the last one
    for staff_id, hired_on, left_on in staff.everyone:
        day, last = hired_on + int(rng.random() * 20), min(left_on - 1, days.today)
        dates = []
        while day <= last:
            dates.append(day)
            day += 350 + int(rng.random() * 14)
        if staff_id in lapses:
            last_training = days.today - lapses[staff_id]
            dates = [day for day in dates if day < last_training - 300] + [last_training]
        for day in dates:
            files.add_row("trainings", staff_id, "HIPAA", days.dates[day])
            if rng.random() < 0.3 and day + 40 <= last:
                files.add_row("trainings", staff_id, "OTHER", days.dates[day + 40])


def add_supervision(staff: Staff, rng: Random, first: int, closed: dict[int, str], days: Days, files: Files) -> None:
    """Add the supervision that licenses require each month. Occasionally an hour is missing."""
    for month in range(first, days.today + 1, 28):
        for clinician in staff.clinicians:
            hours = SUPERVISION_HOURS.get(clinician.license, 0)
            if clinician.supervisor is None or not hours:
                continue
            session_hours = [100] * hours if rng.random() < 0.7 else [150, 50] * (hours // 2)
            if rng.random() < 0.08:
                session_hours.pop()
            for index, hundredths in enumerate(session_hours):
                day = month + 2 + index * (24 // len(session_hours)) + int(rng.random() * 3)
                if day in closed or not clinician.hired_on <= day < clinician.left_on:
                    continue
                add_supervision_session(clinician.id, clinician.supervisor.id, day, hundredths, rng, days, files)


def add_supervision_session(
    supervisee: str, supervisor: str, day: int, hundredths: int, rng: Random, days: Days, files: Files
) -> None:
    held_at = days.to_instant(day, 480 + 15 * int(rng.random() * 3) if rng.random() < 0.5 else 720)
    if held_at + hundredths * 6 // 10 > days.until:
        return
    kind = "GROUP" if rng.random() < 0.25 else "INDIVIDUAL"
    topics = pick(rng, ("", "ethics", "risk|ethics", "documentation", "cases", "cases|countertransference", "burn-out"))
    minutes_to_note = 60 + int(rng.random() * 4000) if rng.random() < 0.93 else int(11_000 + rng.random() * 9_000)
    note_signed_at = "" if rng.random() < 0.02 else days.format_if_past(held_at + minutes_to_note)
    files.add_row(
        "supervision",
        supervisee,
        supervisor,
        days.format_instant(held_at),
        AMOUNTS[hundredths],
        kind,
        topics,
        note_signed_at,
    )
