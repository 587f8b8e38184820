"""When clinicians work and where: windows of availability cut into cells, rooms, days off.

A cell is a fixed stretch of a clinician's week that one client (or two, or four, by turns) or a group owns. Cells of a
clinician never overlap, and a room belongs to one window at a time: overlaps are impossible, not avoided.
"""

from random import Random

from ingest.synthetic.days import NEVER, Days, away, weekday
from ingest.synthetic.files import Files
from ingest.synthetic.files import cell as csv_cell
from ingest.synthetic.model import Cell, Clinician, Window
from ingest.synthetic.names import pick
from ingest.synthetic.practice_setup import Room

PATTERNS = (
    ((540, 720), (780, 1020)),
    ((480, 720), (765, 960)),
    ((660, 840), (900, 1155)),
    ((600, 780), (825, 1080)),
)
STYLES = ((60, 60, 60, 45), (45, 45, 45, 60), (60, 45, 45, 60))


class Hours:
    def __init__(self, rng: Random, days: Days, files: Files, small: list[Room], large: list[Room]) -> None:
        self.rng, self.days, self.files, self.small, self.large = rng, days, files, small, large
        self.taken: dict[tuple[str, int], list[Window]] = {}

    def arrange(self, clinician: Clinician, start_of_record: int) -> None:
        """The clinician's week, its rooms and its cells."""
        rng = self.rng
        many = 5 if clinician.seat < 3 else pick(rng, (5, 5, 5, 5, 4, 4, 3))
        weekdays = sorted([1, 2, 3, 4, 5], key=lambda _: rng.random())[:many]
        pattern = PATTERNS[clinician.seat % len(PATTERNS)]
        changes = self.changed_day(clinician, weekdays, start_of_record)
        for day in sorted(changes):
            first, last = changes[day]
            for start, end in pattern if rng.random() < 0.8 else pick(rng, PATTERNS):
                clinician.windows.append(Window(day, start, end, first, last))
        group = self.group_window(clinician) if clinician.seat % 3 == 0 and not clinician.prescriber else None
        for window in clinician.windows:
            window.room = self.take(self.small, window)
            start = window.start
            if window is group:
                start += 90
            clinician.cells += self.cut(clinician, window, start)
            self.write_window(clinician, window)
        clinician.cells.sort(key=lambda cell: (cell.weekday, cell.start))

    def changed_day(
        self, clinician: Clinician, weekdays: list[int], start_of_record: int
    ) -> dict[int, tuple[int, int]]:
        """Each weekday with the days on which it is worked: for some clinicians one is given up for another."""
        spans = dict.fromkeys(weekdays, (clinician.hired, clinician.left))
        rest = [day for day in (1, 2, 3, 4, 5, 6) if day not in weekdays]
        span = min(clinician.left, self.days.today) - max(clinician.hired, start_of_record)
        if clinician.seat % 5 == 3 and span > 120:
            change = max(clinician.hired, start_of_record) + int(span * (0.3 + 0.4 * self.rng.random()))
            spans[weekdays[0]] = clinician.hired, change
            spans[pick(self.rng, rest)] = change, clinician.left
        return spans

    def group_window(self, clinician: Clinician) -> Window | None:
        """The window that opens with a group, if a room for groups is free then."""
        for window in clinician.windows:
            opening = Window(window.weekday, window.start, window.start + 90, window.first, window.last)
            room = self.take(self.large, opening)
            if room is not None:
                group = Cell(clinician, window.weekday, window.start, 90, room, window.first, window.last)
                group.members = []
                clinician.cells.append(group)
                return window
        return None

    def take(self, rooms: list[Room], window: Window) -> Room | None:
        """A room that nobody has then; where there is none, the sessions of the window are telehealth."""
        for room in rooms:
            others = self.taken.setdefault((room.id, window.weekday), [])
            if all(
                window.end <= other.start
                or other.end <= window.start
                or window.last <= other.first
                or other.last <= window.first
                for other in others
            ):
                others.append(window)
                return room
        return None

    def cut(self, clinician: Clinician, window: Window, start: int) -> list[Cell]:
        cells: list[Cell] = []
        lengths = (30, 30, 30, 30, 60) if clinician.prescriber else STYLES[clinician.seat % len(STYLES)]
        while (left := window.end - start) >= 30:
            minutes = pick(self.rng, [length for length in lengths if length <= left] or [30])
            if left - minutes == 15 and minutes == 45 and not clinician.prescriber:
                minutes = 60
            cells.append(Cell(clinician, window.weekday, start, minutes, window.room, window.first, window.last))
            start += minutes
        return cells

    def write_window(self, clinician: Clinician, window: Window) -> None:
        dates = self.days.dates
        self.files.add(
            "availability",
            clinician.id,
            str(window.weekday),
            clock(window.start),
            clock(window.end),
            dates[window.first] if window.first > clinician.hired or self.rng.random() < 0.3 else "",
            dates[window.last - 1] if window.last != NEVER else "",
        )

    def days_off(self, clinician: Clinician, first: int, last: int, closed: dict[int, str]) -> None:
        """Leave, sick days, hours off and hours added, a week at a time."""
        rng = self.rng
        first, last = max(first, clinician.hired), min(last, clinician.left)
        for sunday in range(first - weekday(first), last, 7):
            workdays = [
                day
                for day in range(max(sunday, first), min(sunday + 7, last))
                if day not in closed and any(worked(window, day) for window in clinician.windows)
            ]
            if not workdays:
                continue
            if rng.random() < 0.04 * min(4.0, away(sunday + 3) / 0.03):
                for day in workdays:
                    self.off(clinician, day, "Leave")
                continue
            one = pick(rng, workdays)
            r = rng.random()
            if r < 0.02:
                self.off(clinician, one, pick(rng, ("Conference, out of town", "Leave", "Jury duty")))
            elif r < 0.06 and one < self.days.today:
                self.off(clinician, one, "Sick", unforeseen=True)
            elif r < 0.085:
                self.off(clinician, one, "Dentist", stretch=(600, 750))
            elif r < 0.11:
                self.open(clinician, one)

    def off(
        self,
        clinician: Clinician,
        day: int,
        reason: str,
        unforeseen: bool = False,
        stretch: tuple[int, int] | None = None,
    ) -> None:
        start, end = stretch or (0, 1440)
        clinician.away[day] = start, end, unforeseen
        times = (clock(start), clock(end)) if stretch else ("", "")
        self.files.add("availability_exceptions", clinician.id, self.days.dates[day], "false", *times, csv_cell(reason))

    def open(self, clinician: Clinician, day: int) -> None:
        """An evening hour more, from home."""
        start = max(window.end for window in clinician.windows if worked(window, day))
        minutes = 30 if clinician.prescriber else 60
        clinician.opened[day] = [Cell(clinician, weekday(day), start, minutes, None, day, day + 1)]
        times = clock(start), clock(start + minutes)
        self.files.add("availability_exceptions", clinician.id, self.days.dates[day], "true", *times, "Extra hour")


def worked(window: Window, day: int) -> bool:
    return window.weekday == weekday(day) and window.first <= day < window.last


def clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"
