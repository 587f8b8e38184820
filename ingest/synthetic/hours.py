"""The working hours of clinicians: windows of availability, their slots and rooms, and days off.

A slot is a fixed part of a clinician's week that belongs to day client, to two or four in alternating weeks, or to a
group. Slots of a clinician never overlap, and a room belongs to day window at a time, so no appointments can overlap.
"""

from random import Random

from ingest.synthetic.days import NEVER, Days, get_absence_rate, get_weekday
from ingest.synthetic.files import Files, quote_cell
from ingest.synthetic.model import Clinician, Slot, Window
from ingest.synthetic.names import pick
from ingest.synthetic.practice_setup import Room

DAILY_HOURS = (
    ((540, 720), (780, 1020)),
    ((480, 720), (765, 960)),
    ((660, 840), (900, 1155)),
    ((600, 780), (825, 1080)),
)
SESSION_MINUTES = ((60, 60, 60, 45), (45, 45, 45, 60), (60, 45, 45, 60))


class WorkingHours:
    """Plans the working hours of clinicians and reserves rooms for them."""

    def __init__(self, rng: Random, days: Days, files: Files, small_rooms: list[Room], large_rooms: list[Room]) -> None:
        self.rng, self.days, self.files = rng, days, files
        self.small_rooms, self.large_rooms = small_rooms, large_rooms
        self.reservations: dict[tuple[str, int], list[Window]] = {}

    def plan_week(self, clinician: Clinician, start_of_record: int) -> None:
        """Plan the clinician's windows, rooms and slots."""
        rng = self.rng
        day_count = 5 if clinician.position < 3 else pick(rng, (5, 5, 5, 5, 4, 4, 3))
        weekdays = sorted([1, 2, 3, 4, 5], key=lambda _: rng.random())[:day_count]
        pattern = DAILY_HOURS[clinician.position % len(DAILY_HOURS)]
        spans = self.choose_weekdays(clinician, weekdays, start_of_record)
        for weekday in sorted(spans):
            first_day, end_day = spans[weekday]
            for start, end in pattern if rng.random() < 0.8 else pick(rng, DAILY_HOURS):
                clinician.windows.append(Window(weekday, start, end, first_day, end_day))
        group = self.add_group(clinician) if clinician.position % 3 == 0 and not clinician.is_prescriber else None
        for window in clinician.windows:
            window.room = self.reserve_room(self.small_rooms, window)
            start = window.start
            if window is group:
                start += 90
            clinician.slots += self.cut_slots(clinician, window, start)
            self.write_window(clinician, window)
        clinician.slots.sort(key=lambda slot: (slot.weekday, slot.start))

    def choose_weekdays(
        self, clinician: Clinician, weekdays: list[int], start_of_record: int
    ) -> dict[int, tuple[int, int]]:
        """Return the first day and the end day for each weekday. Some clinicians change one weekday for another."""
        spans = dict.fromkeys(weekdays, (clinician.hired_on, clinician.left_on))
        other_weekdays = [day for day in (1, 2, 3, 4, 5, 6) if day not in weekdays]
        span = min(clinician.left_on, self.days.today) - max(clinician.hired_on, start_of_record)
        if clinician.position % 5 == 3 and span > 120:
            change = max(clinician.hired_on, start_of_record) + int(span * (0.3 + 0.4 * self.rng.random()))
            spans[weekdays[0]] = clinician.hired_on, change
            spans[pick(self.rng, other_weekdays)] = change, clinician.left_on
        return spans

    def add_group(self, clinician: Clinician) -> Window | None:
        """Reserve a group room at the start of a window, and return that window, or None if all are taken."""
        for window in clinician.windows:
            opening = Window(window.weekday, window.start, window.start + 90, window.first_day, window.end_day)
            room = self.reserve_room(self.large_rooms, opening)
            if room is not None:
                group = Slot(clinician, window.weekday, window.start, 90, room, window.first_day, window.end_day)
                group.members = []
                clinician.slots.append(group)
                return window
        return None

    def reserve_room(self, rooms: list[Room], window: Window) -> Room | None:
        """Reserve a room for a window, or return None if all are taken; its sessions are then telehealth."""
        for room in rooms:
            others = self.reservations.setdefault((room.id, window.weekday), [])
            if all(
                window.end <= other.start
                or other.end <= window.start
                or window.end_day <= other.first_day
                or other.end_day <= window.first_day
                for other in others
            ):
                others.append(window)
                return room
        return None

    def cut_slots(self, clinician: Clinician, window: Window, start: int) -> list[Slot]:
        """Return the slots that fill the rest of a window."""
        slots: list[Slot] = []
        lengths = (
            (30, 30, 30, 30, 60)
            if clinician.is_prescriber
            else SESSION_MINUTES[clinician.position % len(SESSION_MINUTES)]
        )
        while (left := window.end - start) >= 30:
            minutes = pick(self.rng, [length for length in lengths if length <= left] or [30])
            if left - minutes == 15 and minutes == 45 and not clinician.is_prescriber:
                minutes = 60
            slots.append(Slot(clinician, window.weekday, start, minutes, window.room, window.first_day, window.end_day))
            start += minutes
        return slots

    def write_window(self, clinician: Clinician, window: Window) -> None:
        dates = self.days.dates
        self.files.add_row(
            "availability",
            clinician.id,
            str(window.weekday),
            format_time(window.start),
            format_time(window.end),
            dates[window.first_day] if window.first_day > clinician.hired_on or self.rng.random() < 0.3 else "",
            dates[window.end_day - 1] if window.end_day != NEVER else "",
        )

    def add_exceptions(self, clinician: Clinician, first: int, last: int, closed: dict[int, str]) -> None:
        """Add leave, sick days, hours off and extra hours, week by week."""
        rng = self.rng
        first, last = max(first, clinician.hired_on), min(last, clinician.left_on)
        for sunday in range(first - get_weekday(first), last, 7):
            workdays = [
                day
                for day in range(max(sunday, first), min(sunday + 7, last))
                if day not in closed and any(is_worked(window, day) for window in clinician.windows)
            ]
            if not workdays:
                continue
            if rng.random() < 0.04 * min(4.0, get_absence_rate(sunday + 3) / 0.03):
                for day in workdays:
                    self.add_absence(clinician, day, "Leave")
                continue
            day = pick(rng, workdays)
            r = rng.random()
            if r < 0.02:
                self.add_absence(clinician, day, pick(rng, ("Conference, out of town", "Leave", "Jury duty")))
            elif r < 0.06 and day < self.days.today:
                self.add_absence(clinician, day, "Sick", is_unforeseen=True)
            elif r < 0.085:
                self.add_absence(clinician, day, "Dentist", hours=(600, 750))
            elif r < 0.11:
                self.add_extra_hour(clinician, day)

    def add_absence(
        self,
        clinician: Clinician,
        day: int,
        reason: str,
        is_unforeseen: bool = False,
        hours: tuple[int, int] | None = None,
    ) -> None:
        start, end = hours or (0, 1440)
        clinician.absences[day] = start, end, is_unforeseen
        times = (format_time(start), format_time(end)) if hours else ("", "")
        self.files.add_row(
            "availability_exceptions", clinician.id, self.days.dates[day], "false", *times, quote_cell(reason)
        )

    def add_extra_hour(self, clinician: Clinician, day: int) -> None:
        """Add an hour in the evening, from home."""
        start = max(window.end for window in clinician.windows if is_worked(window, day))
        minutes = 30 if clinician.is_prescriber else 60
        clinician.extra_slots[day] = [Slot(clinician, get_weekday(day), start, minutes, None, day, day + 1)]
        times = format_time(start), format_time(start + minutes)
        self.files.add_row("availability_exceptions", clinician.id, self.days.dates[day], "true", *times, "Extra hour")


def is_worked(window: Window, day: int) -> bool:
    return window.weekday == get_weekday(day) and window.first_day <= day < window.end_day


def format_time(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"
