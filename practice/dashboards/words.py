"""Values in words and figures for people: amounts, percentages, targets, changes, periods."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from practice.analytics.periods import last_day_of_period
from practice.money import format_dollars

UNITS = {"percent": " %", "days": " days", "hours": " h", "minutes": " min", "sessions": " sessions", "count": ""}
STATUS_WORDS = {
    "on_target": "On target",
    "below_target": "Below target",
    "alert": "Alert",
    "info": "",
    "no_data": "No data yet",
}


def format_number(value: Decimal) -> str:
    """Return a number without needless zeros."""
    text = f"{value:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def format_value(unit: str, value: Decimal | None) -> str:
    """Return a value with its unit, such as `78.4 %`, or a dash without one."""
    if value is None:
        return "–"
    if unit == "dollars":
        return format_dollars(round(value * 100))
    name = UNITS[unit].removesuffix("s") if value == 1 else UNITS[unit]
    return f"{format_number(value)}{name}"


def describe_target(unit: str, bounds: Mapping[str, int]) -> str:
    """Return the target in words, such as `Target 85 % or more`, or nothing without one."""
    at_least, at_most, below = (bounds.get(f"target_{name}") for name in ("at_least", "at_most", "below"))
    if at_least is not None and at_most is not None:
        return f"Target {at_least} to {format_value(unit, Decimal(at_most))}"
    if at_least is not None:
        target = format_value(unit, Decimal(at_least))
        return f"Target {target}" if unit == "percent" and at_least == 100 else f"Target {target} or more"
    if at_most is not None:
        return f"Target {format_value(unit, Decimal(at_most))} or less"
    return "" if below is None else f"Target under {format_value(unit, Decimal(below))}"


def describe_change(unit: str, value: Decimal | None, previous: Decimal | None) -> str:
    """Return the change since the period before, such as `-3.6 points`, or nothing if one of the two is missing."""
    if value is None or previous is None:
        return ""
    change = value - previous
    if change == 0:
        return "no change"
    amount = f"{format_number(abs(change))} points" if unit == "percent" else format_value(unit, abs(change))
    return f"{'+' if change > 0 else '-'}{amount}"


def name_period(kind: str, start: date) -> str:
    """Return the name of a period, such as `March 2026` or `March 8 to 14, 2026`."""
    if kind == "day":
        return f"{start:%B} {start.day}, {start.year}"
    if kind == "month":
        return f"{start:%B} {start.year}"
    if kind == "quarter":
        return f"quarter {1 + (start.month - 1) // 3} of {start.year}"
    last = last_day_of_period(kind, start)
    end = str(last.day) if last.month == start.month else f"{last:%B} {last.day}"
    return f"{start:%B} {start.day} to {end}, {last.year}"


def name_period_before(kind: str, start: date) -> str:
    """Return how people call the period before one of a kind."""
    return {
        "day": "the day before",
        "week": "the week before",
        "month": f"{start:%B}",
        "quarter": "the quarter before",
    }[kind]


def join_words(words: Sequence[str]) -> str:
    """Return words as people list them: `a, b and c`."""
    *others, last = words or [""]
    return f"{', '.join(others)} and {last}" if others else last


def format_moment(at: datetime, zone: ZoneInfo) -> str:
    """Return an instant as people say it: `Sunday, March 15, 2026, 11:59 pm`."""
    local = at.astimezone(zone)
    time = f"{local.hour % 12 or 12}:{local:%M} {'am' if local.hour < 12 else 'pm'}"
    return f"{local:%A, %B} {local.day}, {local.year}, {time}"
