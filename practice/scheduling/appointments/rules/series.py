"""Series of appointments: which recurrence rules (RFC 5545) the practice takes, and the starts that they give.

Taken are `FREQ=WEEKLY` with `BYDAY` (`MO,TH`) and `FREQ=MONTHLY` with `BYMONTHDAY` (`15`) or a counted `BYDAY` (`2TU`,
`-1FR`), each with `INTERVAL`, and ended by either `COUNT` or `UNTIL` (a local date, or an instant in UTC; both
inclusive). A week of the rule begins on Monday, as the RFC has it. Monthly on the 31st skips the months that have
none; the last day of every month is `BYMONTHDAY=-1`.

Every occurrence keeps the local time of the first. A time that the clock skips on some day moves forward by the gap,
and one that comes twice is the first of the two.
"""

import re
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from dateutil.relativedelta import relativedelta
from dateutil.rrule import rrulestr

from practice.local_time import instant

LONGEST_RULE = 200  # characters
YEARS = 2

WEEKDAY = "(?:MO|TU|WE|TH|FR|SA|SU)"
COUNTED_WEEKDAY = f"[+-]?[1-5]{WEEKDAY}"
MONTH_DAY = "[+-]?(?:[1-9]|[12][0-9]|3[01])"

PARTS = {
    "FREQ": ("WEEKLY|MONTHLY", "FREQ is WEEKLY or MONTHLY."),
    "INTERVAL": ("[1-9][0-9]?", "INTERVAL is a whole number from 1 to 99."),
    "BYDAY": (
        f"{WEEKDAY}(,{WEEKDAY})*|{COUNTED_WEEKDAY}(,{COUNTED_WEEKDAY})*",
        "BYDAY is days such as MO,TH in a weekly series, or such as 2TU or -1FR in a monthly one.",
    ),
    "BYMONTHDAY": (
        f"{MONTH_DAY}(,{MONTH_DAY})*",
        "BYMONTHDAY is days of the month, 1 to 31, or counted from its end, -1 to -31.",
    ),
    "COUNT": ("[1-9][0-9]{0,2}", "COUNT is a whole number from 2 to 999."),
    "UNTIL": (
        "[12][0-9]{7}(T[0-9]{6}Z)?",
        "UNTIL is a date such as 20261231, or an instant in UTC such as 20261231T235959Z.",
    ),
}


def series_problems(rule: str, first: datetime, zone: ZoneInfo) -> list[str]:
    """What is wrong with a series by this rule that starts at `first`."""
    parts, problems = _read(rule)
    return problems or _expand(parts, first, zone)[1]


def occurrences(rule: str, first: datetime, zone: ZoneInfo) -> list[datetime]:
    """The starts of a series without problems, in UTC and ascending; the first of them is `first` itself."""
    parts, problems = _read(rule)
    starts = []
    if not problems:
        starts, problems = _expand(parts, first, zone)
    if problems:
        raise ValueError(" ".join(problems))
    return starts


def _read(rule: str) -> tuple[dict[str, str], list[str]]:
    """The parts of the rule as written, and what is wrong with them before any day is looked at."""
    if len(rule) > LONGEST_RULE or not rule.isascii():
        return {}, [f"A rule for a series is plain text of at most {LONGEST_RULE} characters."]
    parts: dict[str, str] = {}
    problems = []
    for name, _, value in (part.partition("=") for part in rule.upper().split(";")):
        if name not in PARTS:
            problems.append(f"{name!r} cannot be part of the rule; that is made of {', '.join(PARTS)}.")
        elif name in parts:
            problems.append(f"{name} stands in the rule more than once.")
        elif not re.fullmatch(PARTS[name][0], value) or (name == "UNTIL" and not _is_on_the_calendar(value)):
            problems.append(PARTS[name][1])
        parts[name] = value
    return parts, list(dict.fromkeys(problems)) or _combination_problems(parts)


def _combination_problems(parts: dict[str, str]) -> list[str]:
    problems = []
    frequency, days = parts.get("FREQ"), parts.get("BYDAY", "")
    counted = any(character.isdigit() for character in days)
    if frequency is None:
        problems.append("The rule says how often with FREQ=WEEKLY or FREQ=MONTHLY.")
    if frequency == "WEEKLY" and (counted or "BYMONTHDAY" in parts):
        problems.append("A weekly series names plain days, such as BYDAY=MO,TH.")
    if frequency == "MONTHLY" and days and not counted:
        problems.append("A monthly series says which of the month's days it means, such as BYDAY=2TU or BYDAY=-1FR.")
    if frequency == "MONTHLY" and days and "BYMONTHDAY" in parts:
        problems.append("A monthly series goes by BYDAY or by BYMONTHDAY, not by both.")
    if ("COUNT" in parts) == ("UNTIL" in parts):
        problems.append("A series ends by either COUNT or UNTIL.")
    return problems


def _expand(parts: dict[str, str], first: datetime, zone: ZoneInfo) -> tuple[list[datetime], list[str]]:
    if not 1900 <= first.year < 2900:
        return [], ["The first appointment of the series lies too far away."]
    local = first.astimezone(zone)
    last_day = local.date() + relativedelta(years=YEARS)
    by = [f"{name}={parts[name]}" for name in ("FREQ", "INTERVAL", "BYDAY", "BYMONTHDAY") if name in parts]
    # only dates come from the library, and only two years of them, so that no rule can keep it busy
    dates = rrulestr(";".join([*by, f"UNTIL={last_day:%Y%m%d}"]), dtstart=datetime.combine(local.date(), time.min))
    days = [day.date() for day in dates]
    problems = []
    if local.date() not in days:
        problems.append("The first appointment does not fall on a day of the rule; move it or change the rule.")
    starts = [first.astimezone(UTC), *(instant(day, local.time(), zone) for day in days if day > local.date())]
    if "COUNT" in parts:
        too_long = int(parts["COUNT"]) > len(starts)
        starts = starts[: int(parts["COUNT"])]
    else:
        end = _end(parts["UNTIL"], zone)
        too_long = end > instant(last_day + timedelta(days=1), time.min, zone)
        starts = [start for start in starts if start < end]
    if too_long:
        problems.append(f"A series lasts at most {YEARS} years; end it earlier and book the rest later.")
    elif len(starts) < 2:
        problems.append("A series has at least two appointments; end it later, or book the one by itself.")
    return starts, problems


def _is_on_the_calendar(until: str) -> bool:
    try:
        _moment(until)
    except ValueError:
        return False
    return True


def _moment(until: str) -> datetime:
    return datetime.strptime(until, "%Y%m%dT%H%M%SZ" if "T" in until else "%Y%m%d").replace(tzinfo=UTC)


def _end(until: str, zone: ZoneInfo) -> datetime:
    """The first instant at which nothing starts any more."""
    at = _moment(until)
    if "T" in until:
        return at + timedelta(microseconds=1)
    return instant(at.date() + timedelta(days=1), time.min, zone)
