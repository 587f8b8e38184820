"""Overlapping appointments of one clinician, client or room, found in one pass in the order of their times.

Only active appointments count. The seats of a group are one booking of the clinician and the room, and one each of
their clients. Appointments of which one ends when the next begins do not overlap.
"""

import polars as pl

INACTIVE = ("CANCELLED", "RESCHEDULED", "NO_SHOW")
RESOURCES = ("clinician_id", "client_id", "room_id")


def find_overlaps(appointments: pl.DataFrame, resource: str) -> pl.DataFrame:
    """Return each booking that begins before an earlier one of the resource has ended: its row, and the earlier one's.

    The earlier one is the one that ends last, so a long appointment is found over short ones in between.
    """
    latest_end = pl.col("ends_at").cum_max().shift(1).over("resource")
    ends_last = pl.col("ends_at") > latest_end
    earlier_row = pl.when(ends_last.fill_null(True)).then("row").forward_fill().shift(1).over("resource")
    bookings = select_bookings(appointments, resource).sort("resource", "starts_at", "row")
    return bookings.select(
        "row", other=earlier_row, starts_at="starts_at", overlaps=pl.col("starts_at") < latest_end
    ).filter("overlaps")


def flag_overlapping(appointments: pl.DataFrame) -> pl.Series:
    """Return for each appointment whether it overlaps another one, earlier or later."""
    per_resource = []
    for resource in RESOURCES:
        bookings = select_bookings(appointments, resource).sort("resource", "starts_at", "row")
        overlaps_earlier = pl.col("starts_at") < pl.col("ends_at").cum_max().shift(1).over("resource")
        overlaps_later = pl.col("ends_at") > pl.col("starts_at").shift(-1).over("resource")
        per_resource.append(bookings.filter(overlaps_earlier | overlaps_later).select("row", "group_id"))
    overlapping = pl.concat(per_resource)
    groups = overlapping["group_id"].drop_nulls().unique()
    rows = pl.int_range(pl.len()).is_in(overlapping["row"].implode())
    seats = pl.col("group_id").is_in(groups.implode()).fill_null(False) & is_active()
    return appointments.select(rows | seats).to_series()


def select_bookings(appointments: pl.DataFrame, resource: str) -> pl.DataFrame:
    """Return the times at which a resource is booked. The first active seat of a group represents all of them."""
    bookings = (
        appointments.select(
            "starts_at", "ends_at", "group_id", "status", "client_id", pl.col(resource).alias("resource")
        )
        .with_row_index("row")
        .filter(is_active() & (pl.col("starts_at") < pl.col("ends_at")) & pl.col("resource").is_not_null())
    )
    single = bookings.filter(pl.col("group_id").is_null())
    # a client with two seats in one group is a problem of its own
    seats = bookings.filter(pl.col("group_id").is_not_null())
    seats = seats.unique(["group_id", "resource"], keep="first", maintain_order=True)
    return pl.concat([single, seats])


def is_active() -> pl.Expr:
    return ~pl.col("status").is_in(INACTIVE)
