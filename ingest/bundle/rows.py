"""The rows of the database that a bundle becomes: whole columns, as the texts that COPY takes.

Ids are made here, from a head that each table has and the number of the row: so references need no look-up, and rows
come in the order of their keys.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from ingest.bundle import column_mapping
from ingest.bundle.format import TABLES, Column, Table
from ingest.bundle.self_references import lengths
from practice.store.ids import new_id

Frames = dict[str, pl.DataFrame]

SINCE_EVER = datetime(1900, 1, 1, tzinfo=UTC)  # when that was set which came along without a date


@dataclass(frozen=True)
class Rows:
    """Rows of one table of the database. `shape` makes any portion of the source into its columns."""

    table: str
    source: pl.DataFrame
    shape: Callable[[pl.DataFrame], pl.DataFrame]
    constants: dict[str, Any] = field(default_factory=dict)
    sealed: str | None = None  # the column whose text is sealed, under the row's id


class Ids:
    """Ids of version 7 whose last twelve digits are the number of the row."""

    def __init__(self) -> None:
        self.heads: dict[str, str] = {}

    def of(self, table: str, row: str) -> pl.Expr:
        head = self.heads.setdefault(table, str(new_id())[:24])
        return pl.concat_str(pl.lit(head), pl.col(row).cast(pl.String).str.zfill(12))


def gone(staff: pl.DataFrame, today: date) -> pl.Series:
    """Who of the staff has left: the last day is over."""
    return staff.select((pl.col("left_on") < today).fill_null(False)).to_series()


def database_rows(bundle: Frames, account_ids: list[str], left: pl.Series, now: datetime) -> Iterator[Rows]:
    """In an order in which each refers to what is there already. Accounts and who left are in the staff's order."""
    ids = Ids()
    frames = {name: frame.with_row_index("row") for name, frame in bundle.items() if name != "practice"}
    zone = ZoneInfo(bundle["practice"]["time_zone"].item())
    staff = frames["staff"].with_columns(
        pl.col("email").str.to_lowercase(),
        account_id=pl.Series(account_ids, dtype=pl.String),
        deactivated_at=pl.when(left).then(pl.lit(now)),
    )
    appointments, groups = seated(referenced(frames["appointments"], zone), frames["rooms"], now)

    def whole(name: str, source: pl.DataFrame, *more: str, **constants: Any) -> Rows:
        table = TABLES[name]
        sealed = next((c.name for c in table.columns if (name, c.name) in column_mapping.SEALED), None)
        return Rows(column_mapping.table_of(table), source, partial(shaped, table, ids, more), constants, sealed)

    def part(table: str, source: pl.DataFrame, *columns: pl.Expr, key: str = "row") -> Rows:
        """Rows of a table that the bundle has no file for, made of another file's."""
        return Rows(table, source, lambda portion: portion.select(ids.of(table, key).alias("id"), *columns))

    yield whole("staff", after_what_it_leads_to(staff, "supervisor_id"), "account_id", "deactivated_at", created_at=now)
    since_ever = pl.lit(SINCE_EVER).alias("set_at")
    paid = staff.filter(pl.col("base_pay_rate").is_not_null())
    rate = pl.col("base_pay_rate").alias("rate_cents")
    yield part("pay_rates", paid, ids.of("staff", "row").alias("staff_id"), rate, since_ever)
    yield whole("clients", frames["clients"], created_at=now)
    client = ids.of("clients", "row").alias("client_id")
    changes = statuses(frames["clients"]).with_row_index("change")
    known = (noted("effective_on", now) + pl.duration(microseconds="step")).alias("set_at")
    yield part("client_statuses", changes, client, pl.col("status", "effective_on"), known, key="change")
    clinician = ids.of("staff", "primary_clinician_id").alias("clinician_id")
    assigned = frames["clients"].filter(pl.col("primary_clinician_id").is_not_null())
    since = pl.col("admitted_on").alias("effective_on")
    yield part("primary_clinicians", assigned, client, clinician, since, noted("admitted_on", now))
    yield whole("coverages", frames["coverages"])
    yield whole("services", frames["services"], created_at=now)
    service = ids.of("services", "row").alias("service_id")
    yield part("service_rates", frames["services"], service, pl.col("rate").alias("rate_cents"), since_ever)
    yield whole("rooms", frames["rooms"])
    yield whole("availability", frames["availability"])
    yield whole("availability_exceptions", frames["availability_exceptions"])
    yield part(
        "group_sessions",
        groups,
        pl.col("external_id"),
        ids.of("staff", "clinician_id").alias("clinician_id"),
        ids.of("services", "service_code").alias("service_id"),
        ids.of("rooms", "room_id").alias("room_id"),
        pl.col("starts_at", "ends_at", "capacity"),
        key="group",
    )
    appointments = after_what_it_leads_to(appointments, "rescheduled_to_id")
    yield whole("appointments", appointments, "reference", "guarded", "overlap_allowed")
    for name in ("notes", "treatment_plan_reviews", "consents", "supervision"):
        yield whole(name, frames[name])
    trainings = frames["trainings"].with_columns(noted("completed_on", now, "recorded_at"))
    yield whole("trainings", trainings, "recorded_at")
    for name in ("incidents", "sign_ins", "charges", "claims"):
        yield whole(name, frames[name])
    yield Rows("claim_charges", claimed(frames["claims"]), partial(claim_charges, ids))
    for name in ("payments", "payment_applications", "refunds", "adjustments"):
        yield whole(name, frames[name])
    yield whole("rates", frames["rates"].with_columns(noted("effective_on", now)), "set_at")
    yield whole("closures", frames["closures"])


def shaped(table: Table, ids: Ids, more: tuple[str, ...], portion: pl.DataFrame) -> pl.DataFrame:
    own = [column for column in table.columns if (table.name, column.name) not in column_mapping.ELSEWHERE]
    return portion.select(
        ids.of(column_mapping.table_of(table), "row").alias("id"),
        *(written(table, column, ids).alias(column_mapping.column_of(table, column)) for column in own),
        *more,
    )


def written(table: Table, column: Column, ids: Ids) -> pl.Expr:
    value = pl.col(column.name)
    if column.references:
        return ids.of(column_mapping.table_of(TABLES[column.references]), column.name)
    if (table.name, column.name) == ("appointments", "group_id"):
        return ids.of("group_sessions", column.name)
    if column.kind == "hundredths":
        return pl.concat_str(value // 100, pl.lit("."), (value % 100).cast(pl.String).str.zfill(2))
    if column.kind == "list":
        escaped = pl.element().str.replace_all(r'(["\\])', r"\$1")
        items = value.list.eval(pl.concat_str(pl.lit('"'), escaped, pl.lit('"'))).list.join(",")
        return pl.concat_str(pl.lit("{"), items.fill_null(""), pl.lit("}"))
    return value


def after_what_it_leads_to(source: pl.DataFrame, column: str) -> pl.DataFrame:
    """In an order in which no row refers to a later one: a portion's references are checked when it is written."""
    return source.with_columns(length=lengths(source[column])).sort("length", "row")


def noted(day: str, now: datetime, name: str = "set_at") -> pl.Expr:
    """What came along is taken as known from the day that it counts from, though from no later than now."""
    begin = pl.col(day).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    return pl.min_horizontal(begin, pl.lit(now)).alias(name)


def referenced(appointments: pl.DataFrame, zone: ZoneInfo) -> pl.DataFrame:
    """Each with a booking reference, numbered in the order in which those of a local year were made."""
    year = pl.col("created_at").dt.convert_time_zone(zone.key).dt.year()
    place = pl.col("created_at").rank("ordinal").over(year)
    number = place.cast(pl.String).str.zfill(6)
    return appointments.with_columns(reference=pl.concat_str(pl.lit("BK-"), year, pl.lit("-"), number))


def seated(appointments: pl.DataFrame, rooms: pl.DataFrame, now: datetime) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Appointments with the number of their group, and the groups. What has begun occupies nothing any more; of what is
    to come nobody takes more seats than the room has."""
    given_up = pl.col("status").cast(pl.String).is_in(["CANCELLED", "RESCHEDULED", "NO_SHOW"])
    seats = pl.max_horizontal("seats", "capacity")
    groups = (
        appointments.filter(pl.col("group_id").is_not_null())
        .with_columns(seats=given_up.not_().sum().over("group_id"))
        .unique("group_id", keep="first", maintain_order=True)
        .join(rooms.select("capacity", room_id="row"), on="room_id", how="left", maintain_order="left")
        .with_columns(capacity=pl.when(pl.col("room_id").is_not_null() & (pl.col("starts_at") >= now)).then(seats))
        .select("clinician_id", "service_code", "room_id", "starts_at", "ends_at", "capacity", external_id="group_id")
        .with_row_index("group")
    )
    numbers = groups.select("group", group_id="external_id")
    seats = appointments.join(numbers, on="group_id", how="left", maintain_order="left").drop("group_id")
    return seats.rename({"group": "group_id"}).with_columns(guarded=pl.col("starts_at") >= now), groups


def statuses(clients: pl.DataFrame) -> pl.DataFrame:
    """Admitted, and perhaps ended: who did both on one day has ended."""
    ended = clients.filter(pl.col("ended_on").is_not_null())
    return pl.concat(
        [
            clients.select("row", status=pl.lit("ACTIVE"), effective_on="admitted_on", step=0),
            ended.select("row", status=pl.col("end_reason").cast(pl.String), effective_on="ended_on", step=1),
        ]
    )


def claimed(claims: pl.DataFrame) -> pl.DataFrame:
    positions = pl.int_ranges(1, pl.col("charge_ids").list.len() + 1)
    return claims.select("row", "charge_ids", position=positions).explode("charge_ids", "position")


def claim_charges(ids: Ids, portion: pl.DataFrame) -> pl.DataFrame:
    return portion.select(
        ids.of("claims", "row").alias("claim_id"), "position", ids.of("charges", "charge_ids").alias("charge_id")
    )
