"""The windows of metrics: settings, of which those in force on the last day of a period decide its values."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise

from practice.metric_dictionary import METRICS
from practice.rule_settings import get_default

WINDOW_KEYS = tuple(sorted({metric.window for metric in METRICS.values() if metric.window is not None}))
FIRST_DAY, LAST_DAY = date(1, 1, 1), date(9999, 1, 1)
SETTINGS_SQL = """
    select key, effective_on, cast({value} as integer) as value
    from {source}
    where rule_settings.tenant_id = scope.tenant_id and set_at <= scope.as_of
    order by set_at
"""
"""Every change of a setting that was made by as_of, in the order in which they were made."""


@dataclass(frozen=True, slots=True)
class Windows:
    """The windows in force from a day until another, in the order of `WINDOW_KEYS`."""

    from_on: date
    until_on: date
    days: tuple[int, ...]

    def format_columns(self) -> str:
        """Return the columns of the table `windows` of a build."""
        columns = "".join(f", {days} as {key}" for key, days in zip(WINDOW_KEYS, self.days, strict=True))
        return f"date '{self.from_on.isoformat()}' as from_on, date '{self.until_on.isoformat()}' as until_on{columns}"


def list_windows(changes: Iterable[tuple[str, date, int]], as_of: datetime) -> list[Windows]:
    """Return the windows over time until as_of, the latest first, from changes of settings in the order in which they
    were made."""
    tomorrow = as_of.date() + timedelta(days=2)  # in every time zone
    by_key: dict[str, dict[date, int]] = {key: {} for key in WINDOW_KEYS}
    for key, effective_on, value in changes:
        if key in by_key:
            by_key[key][effective_on] = value
    starts = sorted({FIRST_DAY, *(day for days in by_key.values() for day in days)})
    found: list[Windows] = []
    for start, end in pairwise([*starts, LAST_DAY]):
        days = tuple(
            max(
                ((day, value) for day, value in by_key[key].items() if day <= start), default=(start, get_default(key))
            )[1]
            for key in WINDOW_KEYS
        )
        if found and found[-1].days == days:
            found[-1] = Windows(found[-1].from_on, end, days)
        else:
            found.append(Windows(start, end, days))
    return [windows for windows in reversed(found) if windows.from_on < tomorrow]
