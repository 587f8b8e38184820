"""Overlaps found in one pass, against comparing all pairs."""

from datetime import UTC, datetime, timedelta
from itertools import combinations
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.bundle.overlaps import RESOURCES, find_overlaps, flag_overlapping

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


def build_rows(singles: list[dict[str, Any]], groups: list[Any]) -> list[dict[str, Any]]:
    seats = [
        session | {"group_id": f"G{number}", "client_id": client, "status": status}
        for number, (session, members) in enumerate(groups)
        for client, status in members
    ]
    return [
        row
        | {
            "starts_at": START + timedelta(hours=row["start"]),
            "ends_at": START + timedelta(hours=row["start"] + row["minutes"]),
        }
        for row in singles + seats
    ]


def build_frame(rows: list[dict[str, Any]]) -> pl.DataFrame:
    number, instant = pl.UInt32, pl.Datetime("us", "UTC")
    schema = {"clinician_id": number, "client_id": number, "room_id": number, "status": pl.Enum(STATUS)}
    times = {"starts_at": instant, "ends_at": instant, "group_id": pl.String}
    return pl.DataFrame([{name: row[name] for name in schema | times} for row in rows], schema=schema | times)


def find_pairs(rows: list[dict[str, Any]], resource: str) -> set[tuple[int, int]]:
    """Return all pairs of rows that book the resource at the same time."""
    active = [
        (number, row)
        for number, row in enumerate(rows)
        if row["status"] in STATUS[:3] and row[resource] is not None and row["minutes"]
    ]
    return {
        (a, b)
        for (a, first), (b, second) in combinations(active, 2)
        if first[resource] == second[resource]
        and not (first["group_id"] is not None and first["group_id"] == second["group_id"])
        and first["starts_at"] < second["ends_at"]
        and second["starts_at"] < first["ends_at"]
    }


@given(st.lists(alone, max_size=12), st.lists(group, max_size=4))
@settings(max_examples=400)
def test_overlaps_are_those_found_by_comparing_all_pairs(singles: list[dict[str, Any]], groups: list[Any]) -> None:
    rows = build_rows(singles, groups)
    frame = build_frame(rows)
    overlapping_rows: set[int] = set()
    for resource in RESOURCES:
        pairs = find_pairs(rows, resource)
        overlapping_rows |= {row for pair in pairs for row in pair}
        overlaps = find_overlaps(frame, resource)
        for row, other in overlaps.select("row", "other").rows():
            assert (min(row, other), max(row, other)) in pairs
            assert rows[other]["starts_at"] <= rows[row]["starts_at"]
        # the first of several overlapping bookings is reported only as the other one; one seat represents its group
        reported = {find_booking(rows, row, resource) for row in overlaps["row"]}
        later = {
            find_booking(
                rows, max(pair, key=lambda p: (rows[p]["starts_at"], find_booking(rows, p, resource))), resource
            )
            for pair in pairs
        }
        assert reported == later
    seats = {row for row in range(len(rows)) if rows[row]["group_id"] and rows[row]["status"] in STATUS[:3]}
    overlapping_groups = {rows[row]["group_id"] for row in overlapping_rows} - {None}
    overlapping_rows |= {row for row in seats if rows[row]["group_id"] in overlapping_groups}
    assert set(flag_overlapping(frame).arg_true().to_list()) == overlapping_rows


def find_booking(rows: list[dict[str, Any]], row: int, resource: str) -> int:
    """Return the row itself, or the first active seat of its group that books the resource."""
    seat = rows[row]
    if seat["group_id"] is None:
        return row
    return min(
        number
        for number, other in enumerate(rows)
        if other["group_id"] == seat["group_id"] and other[resource] == seat[resource] and other["status"] in STATUS[:3]
    )
