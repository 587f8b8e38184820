"""Time as numbers: local days since 1970 and instants as UTC minutes since 1970, and their text in a bundle.

They are numbers because a million appointments have twenty instants each, and a datetime takes ten times as long.
"""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

EPOCH = date(1970, 1, 1).toordinal()
DAY = 1440
NEVER = 10**9
CLOCK = [f"T{minute // 60:02d}:{minute % 60:02d}:00Z" for minute in range(DAY)]

# the chance of being on vacation, by month; 0.02 in other months
ABSENCE_RATES = {6: 0.03, 7: 0.055, 8: 0.18, 12: 0.03}

# new clients by month, relative to the mean
REFERRAL_RATES = {1: 1.35, 2: 1.1, 7: 0.85, 8: 0.7, 9: 1.3, 10: 1.1, 12: 0.6}


class Dates(dict[int, str]):
    """The texts of days, each formatted once."""

    def __missing__(self, day: int) -> str:
        self[day] = text = to_date(day).isoformat()
        return text


class Offsets(dict[int, int]):
    """The UTC offsets of local days at noon, in minutes."""

    def __init__(self, zone: ZoneInfo) -> None:
        super().__init__()
        self.zone = zone

    def __missing__(self, day: int) -> int:
        noon = datetime.combine(to_date(day), time(12), self.zone)
        self[day] = minutes = int((noon.utcoffset() or timedelta()).total_seconds()) // 60
        return minutes


class Days:
    """Converts and formats the days and instants of one time zone, up to the end of the record."""

    def __init__(self, time_zone: str, until: datetime) -> None:
        if until.tzinfo is None:
            raise ValueError("The end of the record has no time zone. Pass an aware datetime.")
        self.dates = Dates()
        self.offsets = Offsets(ZoneInfo(time_zone))
        self.until = int(until.astimezone(UTC).timestamp()) // 60
        self.today = self.to_local_day(self.until)

    def to_instant(self, day: int, minute: int) -> int:
        """Return the instant of a local time of day."""
        return day * DAY + minute - self.offsets[day]

    def to_local_day(self, instant: int) -> int:
        return (instant + self.offsets[instant // DAY]) // DAY

    def shift_to_daytime(self, instant: int) -> int:
        """Return an instant of the same day between 8 am and 8 pm."""
        minute = (instant + self.offsets[instant // DAY]) % DAY
        return instant + 480 - minute + minute // 2

    def format_instant(self, instant: int) -> str:
        return self.dates[instant // DAY] + CLOCK[instant % DAY]

    def format_if_past(self, instant: int) -> str:
        """Return an instant as text, or an empty string if it is after the end of the record."""
        return self.format_instant(instant) if instant <= self.until else ""


def to_date(day: int) -> date:
    return date.fromordinal(day + EPOCH)


def to_day(value: date) -> int:
    return value.toordinal() - EPOCH


def get_weekday(day: int) -> int:
    """Return the weekday, with Sunday as 0."""
    return (day + 4) % 7


def get_month_number(day: int) -> int:
    date_ = to_date(day)
    return date_.year * 12 + date_.month - 1


def get_first_of_month(number: int) -> int:
    return to_day(date(number // 12, number % 12 + 1, 1))


def get_absence_rate(day: int) -> float:
    date_ = to_date(day)
    if (date_.month, date_.day) >= (12, 20) or (date_.month, date_.day) <= (1, 2):
        return 0.45
    return ABSENCE_RATES.get(date_.month, 0.02)


def get_referral_rate(day: int) -> float:
    return REFERRAL_RATES.get(to_date(day).month, 1.0)


def list_holidays(first: int, last: int) -> dict[int, str]:
    """Return the days on which the practice is closed, with the reasons."""
    closed = {}
    for year in range(to_date(first).year, to_date(last).year + 1):
        november = to_day(date(year, 11, 1))
        september = to_day(date(year, 9, 1))
        may = to_day(date(year, 5, 31))
        closed |= {
            to_day(date(year, 1, 1)): "New Year's Day",
            may - (get_weekday(may) - 1) % 7: "Holiday, last Monday in May",
            to_day(date(year, 7, 4)): "Holiday",
            september + (1 - get_weekday(september)) % 7: "Holiday, first Monday in September",
            november + (4 - get_weekday(november)) % 7 + 21: "Holiday",
            to_day(date(year, 12, 25)): "Closed between the years",
        }
    return {day: closed[day] for day in sorted(closed) if first <= day <= last}
