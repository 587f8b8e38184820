"""Appointments that overlap: of one clinician, one client, one room, found in the order of their times.

Active appointments only. The seats of a group are one booking of the clinician and the room, and one each of their
clients. Where one ends when the next begins, they do not overlap.
"""

import polars as pl

INACTIVE = ("CANCELLED", "RESCHEDULED", "NO_SHOW")
RESOURCES = ("clinician_id", "client_id", "room_id")


def overlaps(appointments: pl.DataFrame, resource: str) -> pl.DataFrame:
    """Each booking that begins before an earlier one of the resource has ended: its row, and the earlier one's.

    Of the earlier ones it is that which ends last, so a long appointment is seen over short ones that came between.
    """
    before = pl.col("ends_at").cum_max().shift(1).over("resource")
    longest = pl.col("ends_at") > before
    holder = pl.when(longest.fill_null(True)).then("row").forward_fill().shift(1).over("resource")
    ordered = bookings(appointments, resource).sort("resource", "starts_at", "row")
    return ordered.select("row", other=holder, starts_at="starts_at", overlaps=pl.col("starts_at") < before).filter(
        "overlaps"
    )


def overlapping(appointments: pl.DataFrame) -> pl.Series:
    """Whether each appointment overlaps another one, earlier or later."""
    marked = []
    for resource in RESOURCES:
        ordered = bookings(appointments, resource).sort("resource", "starts_at", "row")
        earlier = pl.col("starts_at") < pl.col("ends_at").cum_max().shift(1).over("resource")
        later = pl.col("ends_at") > pl.col("starts_at").shift(-1).over("resource")
        marked.append(ordered.filter(earlier | later).select("row", "group_id"))
    found = pl.concat(marked)
    groups = found["group_id"].drop_nulls().unique()
    rows = pl.int_range(pl.len()).is_in(found["row"].implode())
    seats = pl.col("group_id").is_in(groups.implode()).fill_null(False) & active()
    return appointments.select(rows | seats).to_series()


def bookings(appointments: pl.DataFrame, resource: str) -> pl.DataFrame:
    """The times that a resource is taken. Of a group, the first active seat stands for all of them."""
    held = (
        appointments.select(
            "starts_at", "ends_at", "group_id", "status", "client_id", pl.col(resource).alias("resource")
        )
        .with_row_index("row")
        .filter(active() & (pl.col("starts_at") < pl.col("ends_at")) & pl.col("resource").is_not_null())
    )
    alone, seats = held.filter(pl.col("group_id").is_null()), held.filter(pl.col("group_id").is_not_null())
    # whoever sits twice in a group is told so by itself
    seats = seats.unique(["group_id", "resource"], keep="first", maintain_order=True)
    return pl.concat([alone, seats])


def active() -> pl.Expr:
    return ~pl.col("status").is_in(INACTIVE)
