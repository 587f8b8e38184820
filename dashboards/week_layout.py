"""The columns of a time grid as the component draws them: where each visit, gap and block is, and what it says."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from dashboards.shown import format_clock
from dashboards.visits import STATES, shorten_name

MINUTES_A_DAY = 24 * 60
FIRST_HOUR, LAST_HOUR = 8, 18  # always shown; more where something is before or after
SHORTEST = 20  # minutes as drawn, so that a short visit can be read and hit
TAKEN_WORDS = {"block": "Blocked", "held": "Held for the waitlist", "group": "Group without clients"}


@dataclass(frozen=True)
class Week:
    """A time grid as it is drawn, and what its blocks open: visits, or a free time of a column."""

    data: dict[str, Any]
    visits: dict[str, list[dict[str, Any]]]
    gaps: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass
class Item:
    """A block of a column: its place in minutes of the clock since midnight, and what it says."""

    id: str | None
    kind: str
    top: int
    height: int
    time: str
    title: str
    below: str = ""
    state: dict[str, str] | None = None
    slot: int = 0
    slots: int = 1


def build_week(
    columns: Sequence[dict[str, Any]],
    visits: Sequence[dict[str, Any]],
    zone: ZoneInfo,
    *,
    by: str,
    hide_names: bool,
    titles: str,
    today: str,
    opens: Collection[str],
) -> Week:
    """Return the grid of the columns. `titles` says whether they are named by `name` or by `day`.

    In a day by room, visits without a room get a column at the end. In a day of everybody, columns without anything
    are left out. `opens` has the kinds of blocks that open: `visit`, `gap`, `held`.
    """
    own = f"{by}_id"
    shown = [visit for visit in visits if visit["status"] != "CANCELLED"]
    opened: dict[str, list[dict[str, Any]]] = {}
    gaps: dict[str, dict[str, Any]] = {}
    drawn = []
    for column in [*columns, *([build_roomless(columns[0])] if titles == "name" and by == "room" and columns else [])]:
        of_column = [visit for visit in shown if visit[own] == column["id"] and overlaps(visit, column)]
        opened |= group_seats(of_column) if "visit" in opens else {}
        items = [*build_visits(of_column, column, zone, by, opens="visit" in opens, hide_names=hide_names)]
        items += [build_gap(span, column, zone, gaps, opens="gap" in opens) for span in column["free"]]
        items += [build_taken(taken, column, zone, opens=taken["kind"] in opens) for taken in column["taken"]]
        items += [build_away(span, column, zone) for span in column["away"]]
        place_side_by_side(items)
        if items or column["open"] or titles == "day" or [column] == list(columns):
            drawn.append(build_column(column, items, zone, titles, today))
    starts = [item["top"] // 60 for column in drawn for item in [*column["items"], *column["open"]]]
    ends = [
        -(-(item["top"] + item["height"]) // 60) for column in drawn for item in [*column["items"], *column["open"]]
    ]
    first, last = min([FIRST_HOUR, *starts]), min(24, max([LAST_HOUR, *ends]))
    hours = [format_hour(hour) for hour in range(first, last)]
    return Week({"columns": drawn, "first": first * 60, "hours": hours}, opened, gaps)


def build_roomless(column: dict[str, Any]) -> dict[str, Any]:
    """Return the column of the visits that need no room."""
    return column | {"id": None, "name": "No room", "open": [], "away": [], "free": [], "taken": []}


def overlaps(span: dict[str, Any], column: dict[str, Any]) -> bool:
    start, end = to_instants(span)
    first, last = to_instants(column)
    return start < last and first < end


def to_instants(span: dict[str, Any]) -> tuple[datetime, datetime]:
    return datetime.fromisoformat(span["starts_at"]), datetime.fromisoformat(span["ends_at"])


def find_place(span: dict[str, Any], column: dict[str, Any], zone: ZoneInfo) -> tuple[int, int]:
    """Return the minute of the clock at which a time begins in its column, and how high it is.

    The hours of all columns stand side by side, so the place is that of the clock. Where the clock is set back within
    a visit, its height is what really passes; visits of the hour that comes twice are drawn side by side.
    """
    start, end = to_instants(span)
    first, last = to_instants(column)
    since, until = max(start, first), min(end, last)
    top = count_minutes(since.astimezone(zone))
    bottom = MINUTES_A_DAY if until == last else count_minutes(until.astimezone(zone))
    height = max(bottom - top, int((until - since).total_seconds() // 60), SHORTEST)
    return top, min(height, MINUTES_A_DAY - top)


def count_minutes(moment: datetime) -> int:
    return moment.hour * 60 + moment.minute


def format_span(span: dict[str, Any], column: dict[str, Any], zone: ZoneInfo) -> str:
    """Return the begin and end by the clock, and that a time begins on another day or ends on one."""
    start, end = to_instants(span)
    first, last = to_instants(column)
    since, until = format_moment(start, zone), format_moment(end, zone)
    if since.split()[1:] == until.split()[1:]:  # of the same half of the day
        since = since.split()[0]
    words = f"{since}–{until}"
    if start < first:
        words += ", since the day before"
    return f"{words}, until the next day" if end > last else words


def format_moment(instant: datetime, zone: ZoneInfo) -> str:
    """Return the time of the clock, with the name of the zone in the hour that comes twice."""
    local = instant.astimezone(zone)
    is_twice = local.utcoffset() != local.replace(fold=1 - local.fold).utcoffset()
    return f"{format_clock(local)} {local:%Z}" if is_twice else format_clock(local)


def format_hour(hour: int) -> str:
    return f"{hour % 12 or 12} {'am' if hour < 12 else 'pm'}"


def group_seats(visits: Sequence[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Return the visits by their id, and the seats of a group by its id."""
    together: dict[str, list[dict[str, Any]]] = {}
    for visit in visits:
        together.setdefault(visit["group_session_id"] or visit["id"], []).append(visit)
    return together


def build_visits(
    visits: Sequence[dict[str, Any]],
    column: dict[str, Any],
    zone: ZoneInfo,
    by: str,
    *,
    opens: bool,
    hide_names: bool,
) -> list[Item]:
    """Return the blocks of the visits; the seats of a group are one block."""
    items = []
    for key, seats in group_seats(visits).items():
        visit = seats[0]
        top, height = find_place(visit, column, zone)
        is_group = visit["group_session_id"] is not None
        name = shorten_name(visit["client_name"], hide_names=hide_names)
        where = "telehealth" if visit["telehealth"] else visit["room_name"] or "no room"
        items.append(
            Item(
                id=key if opens else None,
                kind="visit",
                top=top,
                height=height,
                time=format_span(visit, column, zone),
                title=f"Group of {len(seats)}" if is_group else name,
                below=visit["clinician_name"] or "" if by == "room" else where,
                state=None if is_group and len({seat["status"] for seat in seats}) > 1 else describe_state(visit),
            )
        )
    return items


def describe_state(visit: dict[str, Any]) -> dict[str, str]:
    word, color = STATES.get(visit["status"], (visit["status"].title(), "gray"))
    if visit["status"] == "CHECKED_IN" and visit["ready_at"]:
        word = "Ready"
    return {"word": word, "colour": color}


def build_gap(
    span: dict[str, Any], column: dict[str, Any], zone: ZoneInfo, gaps: dict[str, dict[str, Any]], *, opens: bool
) -> Item:
    """Return the block of a free time."""
    key = f"gap {column['id']} {span['starts_at']}"
    if opens:
        gaps[key] = span | {"id": column["id"]}
    top, height = find_place(span, column, zone)
    return Item(key if opens else None, "gap", top, height, format_span(span, column, zone), "Free")


def build_taken(taken: dict[str, Any], column: dict[str, Any], zone: ZoneInfo, *, opens: bool) -> Item:
    """Return the block of a time that something other than a visit takes."""
    top, height = find_place(taken, column, zone)
    time = format_span(taken, column, zone)
    key = taken["id"] if opens else None
    return Item(key, "taken", top, height, time, TAKEN_WORDS[taken["kind"]], taken["reason"] or "")


def build_away(span: dict[str, Any], column: dict[str, Any], zone: ZoneInfo) -> Item:
    top, height = find_place(span, column, zone)
    return Item(None, "taken", top, height, format_span(span, column, zone), "Away")


def place_side_by_side(items: list[Item]) -> None:
    """Give each of the blocks that overlap a slot beside the others."""
    items.sort(key=lambda item: (item.top, -item.height))
    groups: list[list[Item]] = []
    end = 0
    for item in items:
        if item.top >= end:  # nothing before reaches here
            groups.append([])
        taken = {other.slot for other in groups[-1] if other.top + other.height > item.top}
        item.slot = next(slot for slot in range(len(taken) + 1) if slot not in taken)
        groups[-1].append(item)
        end = max(end, item.top + item.height)
    for group in groups:
        for item in group:
            item.slots = max(other.slot for other in group) + 1


def build_column(
    column: dict[str, Any], items: Sequence[Item], zone: ZoneInfo, titles: str, today: str
) -> dict[str, Any]:
    """Return the column with its title, and its hours in words."""
    on = date.fromisoformat(column["on"])
    day = f"{on:%A, %B} {on.day}"  # its year is in the title of the page
    hours = ", ".join(format_span(span, column, zone) for span in column["open"])
    if column["closed"]:
        note = f"Closed: {column['closure_reason']}" if column["closure_reason"] else "Closed"
    else:
        note = f"Open {hours}" if hours else "" if column["id"] is None else "No hours"
    places = [find_place(span, column, zone) for span in column["open"]]
    return {
        "title": column["name"] if titles == "name" else day,
        "note": note,
        "today": titles == "day" and column["on"] == today,
        "closed": column["closed"],
        "open": [{"top": top, "height": height} for top, height in places],
        "items": [vars(item) for item in items],
    }
