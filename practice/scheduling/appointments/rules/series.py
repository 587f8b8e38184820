"""Series rules: the supported recurrence rules (RFC 5545) and the starts that they give.

Supported are `FREQ=WEEKLY` with `BYDAY` (`MO,TH`) and `FREQ=MONTHLY` with `BYMONTHDAY` (`15`) or a numbered `BYDAY`
(`2TU`, `-1FR`), each with `INTERVAL`, ending with either `COUNT` or `UNTIL` (a local date, or an instant in UTC; both
inclusive). Weeks begin on Monday, as in the RFC. Monthly on the 31st skips the months without one; the last day of
every month is `BYMONTHDAY=-1`.

Every occurrence has the local time of the first. A local time that a clock change skips moves forward by the gap; one
that occurs twice is the first of the two.
"""

import re
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from dateutil.relativedelta import relativedelta
from dateutil.rrule import rrulestr

from practice.local_time import to_instant

MAX_RULE_LENGTH = 200  # characters
MAX_YEARS = 2

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
    """Return the problems of a series by this rule that starts at `first`."""
    parts, problems = _read(rule)
    return problems or _expand(parts, first, zone)[1]


def expand_occurrences(rule: str, first: datetime, zone: ZoneInfo) -> list[datetime]:
    """Return the starts of a valid series in UTC, ascending from `first`, or raise ValueError."""
    parts, problems = _read(rule)
    starts = []
    if not problems:
        starts, problems = _expand(parts, first, zone)
    if problems:
        raise ValueError(" ".join(problems))
    return starts


def _read(rule: str) -> tuple[dict[str, str], list[str]]:
    """Return the parts of the rule and their problems, before any date is computed."""
    if len(rule) > MAX_RULE_LENGTH or not rule.isascii():
        return {}, [f"A series rule is ASCII text of at most {MAX_RULE_LENGTH} characters."]
    parts: dict[str, str] = {}
    problems = []
    for name, _, value in (part.partition("=") for part in rule.upper().split(";")):
        if name not in PARTS:
            problems.append(f"{name!r} is not supported in a rule. Use {', '.join(PARTS)}.")
        elif name in parts:
            problems.append(f"{name} occurs more than once in the rule.")
        elif not re.fullmatch(PARTS[name][0], value) or (name == "UNTIL" and not _is_valid_until(value)):
            problems.append(PARTS[name][1])
        parts[name] = value
    return parts, list(dict.fromkeys(problems)) or _combination_problems(parts)


def _combination_problems(parts: dict[str, str]) -> list[str]:
    problems = []
    frequency, days = parts.get("FREQ"), parts.get("BYDAY", "")
    counted = any(character.isdigit() for character in days)
    if frequency is None:
        problems.append("The rule needs FREQ=WEEKLY or FREQ=MONTHLY.")
    if frequency == "WEEKLY" and (counted or "BYMONTHDAY" in parts):
        problems.append("A weekly series takes plain weekdays, such as BYDAY=MO,TH.")
    if frequency == "MONTHLY" and days and not counted:
        problems.append("A monthly series takes numbered weekdays, such as BYDAY=2TU or BYDAY=-1FR.")
    if frequency == "MONTHLY" and days and "BYMONTHDAY" in parts:
        problems.append("A monthly series takes either BYDAY or BYMONTHDAY.")
    if ("COUNT" in parts) == ("UNTIL" in parts):
        problems.append("A series ends with either COUNT or UNTIL.")
    return problems


def _expand(parts: dict[str, str], first: datetime, zone: ZoneInfo) -> tuple[list[datetime], list[str]]:
    """Return the starts of the rule and the problems of its length."""
    if not 1900 <= first.year < 2900:
        return [], ["The first appointment of the series is too far away. Choose another date."]
    local = first.astimezone(zone)
    last_day = local.date() + relativedelta(years=MAX_YEARS)
    rule_parts = [f"{name}={parts[name]}" for name in ("FREQ", "INTERVAL", "BYDAY", "BYMONTHDAY") if name in parts]
    # the library computes only dates, and only two years of them, so no rule can keep it busy
    dates = rrulestr(
        ";".join([*rule_parts, f"UNTIL={last_day:%Y%m%d}"]), dtstart=datetime.combine(local.date(), time.min)
    )
    days = [day.date() for day in dates]
    problems = []
    if local.date() not in days:
        problems.append("The first appointment is not on a day of the rule. Move it or change the rule.")
    starts = [first.astimezone(UTC), *(to_instant(day, local.time(), zone) for day in days if day > local.date())]
    if "COUNT" in parts:
        too_long = int(parts["COUNT"]) > len(starts)
        starts = starts[: int(parts["COUNT"])]
    else:
        end = _find_end(parts["UNTIL"], zone)
        too_long = end > to_instant(last_day + timedelta(days=1), time.min, zone)
        starts = [start for start in starts if start < end]
    if too_long:
        problems.append(f"A series lasts at most {MAX_YEARS} years. End it earlier and book the rest later.")
    elif len(starts) < 2:
        problems.append("A series needs at least two appointments. End it later or book a single appointment.")
    return starts, problems


def _is_valid_until(until: str) -> bool:
    try:
        _parse_until(until)
    except ValueError:
        return False
    return True


def _parse_until(until: str) -> datetime:
    return datetime.strptime(until, "%Y%m%dT%H%M%SZ" if "T" in until else "%Y%m%d").replace(tzinfo=UTC)


def _find_end(until: str, zone: ZoneInfo) -> datetime:
    """Return the first instant after the last possible start."""
    at = _parse_until(until)
    if "T" in until:
        return at + timedelta(microseconds=1)
    return to_instant(at.date() + timedelta(days=1), time.min, zone)
