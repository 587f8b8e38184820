"""Time as numbers: days since 1970 (local) and instants as minutes since 1970 (UTC), and how both are written.

Numbers, because a million appointments have twenty instants each and a datetime costs ten times as much.
"""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

EPOCH = date(1970, 1, 1).toordinal()
DAY = 1440
NEVER = 10**9
CLOCK = [f"T{minute // 60:02d}:{minute % 60:02d}:00Z" for minute in range(DAY)]

AWAY = {6: 0.03, 7: 0.055, 8: 0.18, 12: 0.03}
"""How likely somebody is on holiday, by month; elsewhere 0.02."""

ASKING = {1: 1.35, 2: 1.1, 7: 0.85, 8: 0.7, 9: 1.3, 10: 1.1, 12: 0.6}
"""How many ask for help, by month, against the mean."""


class Dates(dict[int, str]):
    """Days as they are written, each made once."""

    def __missing__(self, day: int) -> str:
        self[day] = written = to_date(day).isoformat()
        return written


class Offsets(dict[int, int]):
    """Minutes east of Greenwich at noon of a local day."""

    def __init__(self, zone: ZoneInfo) -> None:
        super().__init__()
        self.zone = zone

    def __missing__(self, day: int) -> int:
        noon = datetime.combine(to_date(day), time(12), self.zone)
        self[day] = minutes = int((noon.utcoffset() or timedelta()).total_seconds()) // 60
        return minutes


class Days:
    def __init__(self, time_zone: str, until: datetime) -> None:
        if until.tzinfo is None:
            raise ValueError("The end of the record is an instant: give it a time zone.")
        self.dates = Dates()
        self.offsets = Offsets(ZoneInfo(time_zone))
        self.until = int(until.astimezone(UTC).timestamp()) // 60
        self.today = self.local_day(self.until)

    def at(self, day: int, minute: int) -> int:
        """The instant of a time of day, by the practice's clock."""
        return day * DAY + minute - self.offsets[day]

    def local_day(self, instant: int) -> int:
        return (instant + self.offsets[instant // DAY]) // DAY

    def waking(self, instant: int) -> int:
        """An instant of the same day between eight and eight, when people do things."""
        minute = (instant + self.offsets[instant // DAY]) % DAY
        return instant + 480 - minute + minute // 2

    def stamp(self, instant: int) -> str:
        return self.dates[instant // DAY] + CLOCK[instant % DAY]

    def stamp_if(self, instant: int) -> str:
        """Empty for what has not happened by the end of the record."""
        return self.stamp(instant) if instant <= self.until else ""


def to_date(day: int) -> date:
    return date.fromordinal(day + EPOCH)


def to_day(value: date) -> int:
    return value.toordinal() - EPOCH


def weekday(day: int) -> int:
    """0 is Sunday."""
    return (day + 4) % 7


def month_number(day: int) -> int:
    on = to_date(day)
    return on.year * 12 + on.month - 1


def first_of_month(number: int) -> int:
    return to_day(date(number // 12, number % 12 + 1, 1))


def away(day: int) -> float:
    on = to_date(day)
    if (on.month, on.day) >= (12, 20) or (on.month, on.day) <= (1, 2):
        return 0.45
    return AWAY.get(on.month, 0.02)


def asking(day: int) -> float:
    return ASKING.get(to_date(day).month, 1.0)


def holidays(first: int, last: int) -> dict[int, str]:
    """The days on which the practice is closed."""
    closed = {}
    for year in range(to_date(first).year, to_date(last).year + 1):
        november = to_day(date(year, 11, 1))
        september = to_day(date(year, 9, 1))
        may = to_day(date(year, 5, 31))
        closed |= {
            to_day(date(year, 1, 1)): "New Year's Day",
            may - (weekday(may) - 1) % 7: "Holiday, last Monday in May",
            to_day(date(year, 7, 4)): "Holiday",
            september + (1 - weekday(september)) % 7: "Holiday, first Monday in September",
            november + (4 - weekday(november)) % 7 + 21: "Holiday",
            to_day(date(year, 12, 25)): "Closed between the years",
        }
    return {day: closed[day] for day in sorted(closed) if first <= day <= last}
