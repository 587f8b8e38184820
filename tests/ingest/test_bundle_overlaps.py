"""Overlaps found in order of time are those found by comparing everything with everything."""

from datetime import UTC, datetime, timedelta
from itertools import combinations
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.bundle.overlaps import RESOURCES, overlapping, overlaps

START = datetime(2026, 3, 1, tzinfo=UTC)
STATUS = ["SCHEDULED", "COMPLETED", "IN_PROGRESS", "CANCELLED", "RESCHEDULED", "NO_SHOW"]

alone = st.fixed_dictionaries(
    {
        "clinician_id": st.integers(0, 2),
        "client_id": st.integers(0, 3),
        "room_id": st.none() | st.integers(0, 1),
        "start": st.integers(0, 12),
        "minutes": st.integers(0, 8),
        "status": st.sampled_from(STATUS),
        "group_id": st.none(),
    }
)
group = st.tuples(alone, st.lists(st.tuples(st.integers(0, 3), st.sampled_from(STATUS)), min_size=1, max_size=4))


def appointments(singles: list[dict[str, Any]], groups: list[Any]) -> list[dict[str, Any]]:
    seats = [
        session | {"group_id": f"G{number}", "client_id": client, "status": status}
        for number, (session, sitting) in enumerate(groups)
        for client, status in sitting
    ]
    return [
        row
        | {
            "starts_at": START + timedelta(hours=row["start"]),
            "ends_at": START + timedelta(hours=row["start"] + row["minutes"]),
        }
        for row in singles + seats
    ]


def frame_of(rows: list[dict[str, Any]]) -> pl.DataFrame:
    number, instant = pl.UInt32, pl.Datetime("us", "UTC")
    schema = {"clinician_id": number, "client_id": number, "room_id": number, "status": pl.Enum(STATUS)}
    times = {"starts_at": instant, "ends_at": instant, "group_id": pl.String}
    return pl.DataFrame([{name: row[name] for name in schema | times} for row in rows], schema=schema | times)


def compared(rows: list[dict[str, Any]], resource: str) -> set[tuple[int, int]]:
    """Every pair of rows that holds the resource at the same moment."""
    live = [
        (place, row)
        for place, row in enumerate(rows)
        if row["status"] in STATUS[:3] and row[resource] is not None and row["minutes"]
    ]
    return {
        (a, b)
        for (a, one), (b, two) in combinations(live, 2)
        if one[resource] == two[resource]
        and not (one["group_id"] is not None and one["group_id"] == two["group_id"])
        and one["starts_at"] < two["ends_at"]
        and two["starts_at"] < one["ends_at"]
    }


@given(st.lists(alone, max_size=12), st.lists(group, max_size=4))
@settings(max_examples=400)
def test_overlaps_are_those_found_by_comparing_all_pairs(singles: list[dict[str, Any]], groups: list[Any]) -> None:
    rows = appointments(singles, groups)
    frame = frame_of(rows)
    touched: set[int] = set()
    for resource in RESOURCES:
        pairs = compared(rows, resource)
        touched |= {row for pair in pairs for row in pair}
        found = overlaps(frame, resource)
        for row, other in found.select("row", "other").rows():
            assert (min(row, other), max(row, other)) in pairs
            assert rows[other]["starts_at"] <= rows[row]["starts_at"]
        # whoever begins first in a cluster is told as the other of somebody; of a group, one seat speaks for all
        told = {booking(rows, row, resource) for row in found["row"]}
        later = {
            booking(rows, max(pair, key=lambda p: (rows[p]["starts_at"], first_of(rows, p, resource))), resource)
            for pair in pairs
        }
        assert told == later
    seats = {row for row in range(len(rows)) if rows[row]["group_id"] and rows[row]["status"] in STATUS[:3]}
    groups_touched = {rows[row]["group_id"] for row in touched} - {None}
    touched |= {row for row in seats if rows[row]["group_id"] in groups_touched}
    assert set(overlapping(frame).arg_true().to_list()) == touched


def booking(rows: list[dict[str, Any]], row: int, resource: str) -> Any:
    """What the row is a booking of: itself, or the seat of its group that speaks for the resource."""
    return first_of(rows, row, resource)


def first_of(rows: list[dict[str, Any]], row: int, resource: str) -> int:
    mine = rows[row]
    if mine["group_id"] is None:
        return row
    return min(
        place
        for place, other in enumerate(rows)
        if other["group_id"] == mine["group_id"] and other[resource] == mine[resource] and other["status"] in STATUS[:3]
    )
