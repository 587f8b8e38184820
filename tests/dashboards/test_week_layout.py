"""Where the time grid puts visits, gaps and blocks, and what it says of them."""

from datetime import date, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from dashboards.week_layout import build_week
from practice.local_time import start_of_day, to_instant

ZONE = ZoneInfo("America/New_York")
DAY = timedelta(days=1)
MONDAY = date(2026, 3, 23)


def at(day: date, hour: int, minute: int = 0, *, second_time: bool = False) -> str:
    """Return the instant of a local time; `second_time` is the later one of an hour that comes twice."""
    instant = to_instant(day, time(hour, minute), ZONE)
    return (instant + timedelta(hours=second_time)).isoformat()


def span(start: str, end: str) -> dict[str, str]:
    return {"starts_at": start, "ends_at": end}


def column(day: date, **more: Any) -> dict[str, Any]:
    bounds = (start_of_day(day, ZONE), start_of_day(day + DAY, ZONE))
    plain = {"id": "c1", "name": "Dana Poe", "on": day.isoformat(), "closed": False, "closure_reason": None}
    empty = {"open": [], "away": [], "free": [], "taken": []}
    return plain | empty | span(*(bound.isoformat() for bound in bounds)) | more


def visit(start: str, end: str, **more: Any) -> dict[str, Any]:
    plain = {"id": f"v {start}", "clinician_id": "c1", "clinician_name": "Dana Poe", "room_id": None, "room_name": None}
    state = {"status": "CONFIRMED", "ready_at": None, "telehealth": False, "group_session_id": None}
    return plain | state | {"client_name": "Casey Elm"} | span(start, end) | more


def draw(columns: list[dict[str, Any]], visits: list[dict[str, Any]], **more: Any) -> Any:
    choices = {"by": "clinician", "hide_names": False, "titles": "day", "today": str(MONDAY), "opens": ["visit", "gap"]}
    return build_week(columns, visits, ZONE, **choices | more)


def items(week: Any, number: int = 0) -> list[dict[str, Any]]:
    return week.data["columns"][number]["items"]


def test_blocks_are_where_the_clock_says_with_words_for_their_state() -> None:
    day = column(MONDAY, open=[span(at(MONDAY, 9), at(MONDAY, 17))], free=[span(at(MONDAY, 10), at(MONDAY, 17))])
    week = draw([day], [visit(at(MONDAY, 9), at(MONDAY, 9, 50))])
    (drawn,) = week.data["columns"]
    assert (drawn["title"], drawn["note"]) == ("Monday, March 23", "Open 9:00 am–5:00 pm")
    seen, free = drawn["items"]
    assert (seen["top"], seen["height"], seen["time"]) == (540, 50, "9:00–9:50 am")
    assert (seen["title"], seen["below"], seen["state"]["word"]) == ("Casey Elm", "no room", "Confirmed")
    assert (free["title"], free["time"]) == ("Free", "10:00 am–5:00 pm")
    assert week.gaps[free["id"]] == {"id": "c1", **span(at(MONDAY, 10), at(MONDAY, 17))}
    assert (week.data["first"], week.data["hours"][0], week.data["hours"][-1]) == (480, "8 am", "5 pm")


def test_a_gap_opens_for_those_who_book_alone() -> None:
    day = column(MONDAY, free=[span(at(MONDAY, 10), at(MONDAY, 11))])
    week = draw([day], [], opens=["visit"])
    assert ([item["id"] for item in items(week)], week.gaps) == ([None], {})


def test_visits_of_a_week_to_look_at_open_nothing() -> None:
    week = draw([column(MONDAY)], [visit(at(MONDAY, 9), at(MONDAY, 10))], opens=[])
    assert ([item["id"] for item in items(week)], week.visits) == ([None], {})


def test_names_are_hidden_in_blocks() -> None:
    week = draw([column(MONDAY)], [visit(at(MONDAY, 9), at(MONDAY, 10))], hide_names=True)
    assert items(week)[0]["title"] == "C. E."


def test_visits_at_the_same_time_stand_side_by_side() -> None:
    visits = [visit(at(MONDAY, 9), at(MONDAY, 11)), visit(at(MONDAY, 10), at(MONDAY, 11), id="b", status="NO_SHOW")]
    visits.append(visit(at(MONDAY, 11), at(MONDAY, 12), id="c"))
    places = [(item["slot"], item["slots"]) for item in items(draw([column(MONDAY)], visits))]
    assert places == [(0, 2), (1, 2), (0, 1)]


def test_the_seats_of_a_group_are_one_block() -> None:
    seats = [visit(at(MONDAY, 9), at(MONDAY, 10), id=id, group_session_id="g") for id in ("a", "b")]
    week = draw([column(MONDAY)], seats)
    (group,) = items(week)
    assert (group["title"], [seat["id"] for seat in week.visits[group["id"]]]) == ("Group of 2", ["a", "b"])


def test_a_visit_across_midnight_is_on_both_days() -> None:
    night = visit(at(MONDAY, 23, 30), at(MONDAY + DAY, 0, 30))
    week = draw([column(MONDAY), column(MONDAY + DAY)], [night])
    (before,), (after,) = items(week), items(week, 1)
    assert (before["top"], before["height"]) == (23 * 60 + 30, 30)
    assert before["time"] == "11:30 pm–12:30 am, until the next day"
    assert (after["top"], after["height"]) == (0, 30)
    assert after["time"] == "11:30 pm–12:30 am, since the day before"
    assert len(week.data["hours"]) == 24


def test_the_hour_that_comes_twice_says_which_one_is_meant() -> None:
    fall = date(2026, 11, 1)
    first = visit(at(fall, 1, 0), at(fall, 1, 45))
    second = visit(at(fall, 1, 0, second_time=True), at(fall, 1, 45, second_time=True))
    around = visit(at(fall, 0, 30), at(fall, 2, 0), id="around")
    found = {item["id"]: item for item in items(draw([column(fall)], [first, second, around]))}
    assert found[first["id"]]["time"] == "1:00–1:45 am EDT"
    assert found[second["id"]]["time"] == "1:00–1:45 am EST"
    assert found[first["id"]]["slot"] != found[second["id"]]["slot"]
    assert found["around"]["height"] == 150  # minutes that pass


def test_a_visit_over_the_hour_that_is_skipped_ends_where_the_clock_says() -> None:
    spring = date(2027, 3, 14)
    (item,) = items(draw([column(spring)], [visit(at(spring, 1, 30), at(spring, 3, 30))]))
    assert (item["top"], item["top"] + item["height"], item["time"]) == (90, 210, "1:30–3:30 am")


def test_closures_blocks_and_absences_are_said_in_words() -> None:
    taken = {"id": "b", "kind": "block", "reason": "Meeting", **span(at(MONDAY, 12), at(MONDAY, 13))}
    day = column(MONDAY, taken=[taken], away=[span(at(MONDAY, 13), at(MONDAY, 14))])
    closed = column(MONDAY + DAY, closed=True, closure_reason="Painters")
    week = draw([day, closed], [])
    said = [(item["id"], item["title"], item["below"]) for item in items(week)]
    assert said == [(None, "Blocked", "Meeting"), (None, "Away", "")]
    assert week.data["columns"][1]["note"] == "Closed: Painters"


def test_a_held_time_opens_for_those_who_answer_for_clients() -> None:
    held = {"id": "o", "kind": "held", "reason": None, **span(at(MONDAY, 12), at(MONDAY, 13))}
    day = column(MONDAY, taken=[held])
    for opens, expected in ((["visit", "held"], "o"), (["visit", "gap"], None)):
        assert [item["id"] for item in items(draw([day], [], opens=opens))] == [expected]


def test_a_day_of_everybody_leaves_out_who_has_nothing_and_keeps_visits_without_a_room() -> None:
    other = column(MONDAY, id="r2", name="Room 2", open=[span(at(MONDAY, 9), at(MONDAY, 17))])
    visits = [visit(at(MONDAY, 9), at(MONDAY, 10))]
    week = draw([column(MONDAY, id="r1", name="Room 1"), other], visits, by="room", titles="name")
    assert [drawn["title"] for drawn in week.data["columns"]] == ["Room 2", "No room"]
    assert items(week, 1)[0]["below"] == "Dana Poe"
    assert [drawn["title"] for drawn in draw([column(MONDAY)], [], titles="name").data["columns"]] == ["Dana Poe"]
