"""The database rows of a bundle: whole columns, as the texts that COPY takes.

Ids are generated here from a prefix per table and the number of the row. So references need no look-up, and rows are
written in the order of their keys.
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
from ingest.bundle.payers import assign_payers, sum_payments
from ingest.bundle.self_references import measure_chains
from practice.clinical.deadlines.rules import NO_SESSION_NOTES
from practice.store.ids import new_id

Frames = dict[str, pl.DataFrame]

BEGINNING_OF_TIME = datetime(1900, 1, 1, tzinfo=UTC)  # when a value without a date is taken to have been set


@dataclass(frozen=True)
class TableRows:
    """Rows of one database table. `select` turns any chunk of the source into the table's columns."""

    table: str
    source: pl.DataFrame
    select: Callable[[pl.DataFrame], pl.DataFrame]
    constants: dict[str, Any] = field(default_factory=dict)
    sealed: str | None = None  # the column to seal, under the row's id


class Ids:
    """Generated ids: version 7, with the number of the row as the last twelve digits."""

    def __init__(self) -> None:
        self.prefixes: dict[str, str] = {}

    def build(self, table: str, row: str) -> pl.Expr:
        """Return the expression for the id of a table's row, given the column with its number."""
        prefix = self.prefixes.setdefault(table, str(new_id())[:24])
        return pl.concat_str(pl.lit(prefix), pl.col(row).cast(pl.String).str.zfill(12))


def has_left(staff: pl.DataFrame, today: date) -> pl.Series:
    """Return for each of the staff whether their last day is over."""
    return staff.select((pl.col("left_on") < today).fill_null(False)).to_series()


def build_table_rows(bundle: Frames, account_ids: list[str], departed: pl.Series, now: datetime) -> Iterator[TableRows]:
    """Yield the rows of all tables, each after those it refers to. Accounts and `departed` are in the staff's order."""
    ids = Ids()
    frames = {name: frame.with_row_index("row") for name, frame in bundle.items() if name != "practice"}
    time_zone = ZoneInfo(bundle["practice"]["time_zone"].item())
    staff = frames["staff"].with_columns(
        pl.col("email").str.to_lowercase(),
        account_id=pl.Series(account_ids, dtype=pl.String),
        deactivated_at=pl.when(departed).then(pl.lit(now)),
    )
    appointments = assign_references(frames["appointments"], time_zone)
    appointments, groups = assign_groups(appointments, frames["rooms"], now)

    def copy_table(name: str, source: pl.DataFrame, *extra_columns: str, **constants: Any) -> TableRows:
        """Return the rows of the table that a file of the bundle is stored in."""
        table = TABLES[name]
        sealed = next((c.name for c in table.columns if (name, c.name) in column_mapping.SEALED), None)
        select = partial(select_columns, table, ids, extra_columns)
        return TableRows(column_mapping.get_table_name(table), source, select, constants, sealed)

    def derive_table(table: str, source: pl.DataFrame, *columns: pl.Expr, key: str = "row") -> TableRows:
        """Return the rows of a table that has no file of its own, derived from another file's."""
        return TableRows(table, source, lambda chunk: chunk.select(ids.build(table, key).alias("id"), *columns))

    yield copy_table("staff", sort_by_chain(staff, "supervisor_id"), "account_id", "deactivated_at", created_at=now)
    from_the_beginning = pl.lit(BEGINNING_OF_TIME).alias("set_at")
    paid_staff = staff.filter(pl.col("base_pay_rate").is_not_null())
    staff_id, rate = ids.build("staff", "row").alias("staff_id"), pl.col("base_pay_rate").alias("rate_cents")
    yield derive_table("pay_rates", paid_staff, staff_id, rate, from_the_beginning)
    yield copy_table("clients", frames["clients"], created_at=now)
    client_id = ids.build("clients", "row").alias("client_id")
    changes = list_statuses(frames["clients"]).with_row_index("change")
    set_at = (set_at_from("effective_on", now) + pl.duration(microseconds="step")).alias("set_at")
    yield derive_table("client_statuses", changes, client_id, pl.col("status", "effective_on"), set_at, key="change")
    clinician_id = ids.build("staff", "primary_clinician_id").alias("clinician_id")
    assigned = frames["clients"].filter(pl.col("primary_clinician_id").is_not_null())
    effective_on = pl.col("admitted_on").alias("effective_on")
    set_at = set_at_from("admitted_on", now)
    yield derive_table("primary_clinicians", assigned, client_id, clinician_id, effective_on, set_at)
    yield copy_table("coverages", frames["coverages"])
    yield copy_table("services", frames["services"], created_at=now)
    service_id, rate = ids.build("services", "row").alias("service_id"), pl.col("rate").alias("rate_cents")
    yield derive_table("service_rates", frames["services"], service_id, rate, from_the_beginning)
    yield copy_table("rooms", frames["rooms"])
    yield copy_table("availability", frames["availability"])
    yield copy_table("availability_exceptions", frames["availability_exceptions"])
    yield derive_table(
        "group_sessions",
        groups,
        pl.col("external_id"),
        ids.build("staff", "clinician_id").alias("clinician_id"),
        ids.build("services", "service_code").alias("service_id"),
        ids.build("rooms", "room_id").alias("room_id"),
        pl.col("starts_at", "ends_at", "capacity"),
        key="group",
    )
    appointments = add_signatures(sort_by_chain(appointments, "rescheduled_to_id"), frames["notes"])
    yield copy_table("appointments", appointments, "reference", "guarded", "overlap_allowed", "note_signed_at")
    for name in ("notes", "treatment_plan_reviews", "consents", "supervision"):
        yield copy_table(name, frames[name])
    trainings = frames["trainings"].with_columns(set_at_from("completed_on", now, "recorded_at"))
    yield copy_table("trainings", trainings, "recorded_at")
    charges, adjustments = assign_payers(frames)
    charges = charges.with_columns(coverage_id=ids.build("coverages", "coverage_id"))
    yield copy_table("incidents", frames["incidents"])
    yield copy_table("sign_ins", frames["sign_ins"])
    yield copy_table("charges", charges, "coverage_id", "payer_id")
    yield copy_table("claims", frames["claims"])
    yield TableRows("claim_charges", list_claim_charges(frames["claims"]), partial(select_claim_charges, ids))
    yield copy_table("payments", sum_payments(frames), "applied_cents", "refunded_cents", "provider_cents")
    kept = frames["payments"].filter(pl.col("provider_adjustments").is_not_null())
    payment_id, cents = ids.build("payments", "row").alias("payment_id"), pl.col("provider_adjustments")
    code = pl.lit("IMPORTED").alias("code")
    yield derive_table("provider_adjustments", kept, payment_id, code, cents.alias("amount_cents"), pl.col("posted_at"))
    # what takes back comes first, so that at no time more of a payment is applied than in the end
    yield copy_table("payment_applications", frames["payment_applications"].sort(pl.col("amount") >= 0))
    yield copy_table("refunds", frames["refunds"])
    yield copy_table("adjustments", adjustments, "payer_id")
    yield copy_table("rates", frames["rates"].with_columns(set_at_from("effective_on", now)), "set_at")
    yield copy_table("closures", frames["closures"])


def select_columns(table: Table, ids: Ids, extra_columns: tuple[str, ...], chunk: pl.DataFrame) -> pl.DataFrame:
    """Return the columns of the database table that a file is stored in."""
    columns = [column for column in table.columns if (table.name, column.name) not in column_mapping.STORED_ELSEWHERE]
    return chunk.select(
        ids.build(column_mapping.get_table_name(table), "row").alias("id"),
        *(
            build_expression(table, column, ids).alias(column_mapping.get_column_name(table, column))
            for column in columns
        ),
        *extra_columns,
    )


def build_expression(table: Table, column: Column, ids: Ids) -> pl.Expr:
    """Return the expression for a column as COPY takes it."""
    value = pl.col(column.name)
    if column.references:
        return ids.build(column_mapping.get_table_name(TABLES[column.references]), column.name)
    if (table.name, column.name) == ("appointments", "group_id"):
        return ids.build("group_sessions", column.name)
    if column.kind == "hundredths":
        return pl.concat_str(value // 100, pl.lit("."), (value % 100).cast(pl.String).str.zfill(2))
    if column.kind == "list":
        escaped = pl.element().str.replace_all(r'(["\\])', r"\$1")
        items = value.list.eval(pl.concat_str(pl.lit('"'), escaped, pl.lit('"'))).list.join(",")
        return pl.concat_str(pl.lit("{"), items.fill_null(""), pl.lit("}"))
    return value


def sort_by_chain(source: pl.DataFrame, column: str) -> pl.DataFrame:
    """Sort rows so that none refers to a later one: references are checked when a chunk is written."""
    return source.with_columns(length=measure_chains(source[column])).sort("length", "row")


def set_at_from(day: str, now: datetime, name: str = "set_at") -> pl.Expr:
    """Return the time at which an imported value counts as set: the day it is effective from, but never after now."""
    midnight = pl.col(day).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    return pl.min_horizontal(midnight, pl.lit(now)).alias(name)


def assign_references(appointments: pl.DataFrame, time_zone: ZoneInfo) -> pl.DataFrame:
    """Add booking references, numbered in the order of booking within each local year."""
    year = pl.col("created_at").dt.convert_time_zone(time_zone.key).dt.year()
    position = pl.col("created_at").rank("ordinal").over(year)
    number = position.cast(pl.String).str.zfill(6)
    return appointments.with_columns(reference=pl.concat_str(pl.lit("BK-"), year, pl.lit("-"), number))


def assign_groups(appointments: pl.DataFrame, rooms: pl.DataFrame, now: datetime) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the appointments with the number of their group, and the groups.

    Past appointments are not guarded against overlaps. A future group has as many seats as its room, or as are taken.
    """
    is_inactive = pl.col("status").cast(pl.String).is_in(["CANCELLED", "RESCHEDULED", "NO_SHOW"])
    capacity = pl.max_horizontal("seats", "capacity")
    groups = (
        appointments.filter(pl.col("group_id").is_not_null())
        .with_columns(seats=is_inactive.not_().sum().over("group_id"))
        .unique("group_id", keep="first", maintain_order=True)
        .join(rooms.select("capacity", room_id="row"), on="room_id", how="left", maintain_order="left")
        .with_columns(capacity=pl.when(pl.col("room_id").is_not_null() & (pl.col("starts_at") >= now)).then(capacity))
        .select("clinician_id", "service_code", "room_id", "starts_at", "ends_at", "capacity", external_id="group_id")
        .with_row_index("group")
    )
    numbers = groups.select("group", group_id="external_id")
    numbered = appointments.join(numbers, on="group_id", how="left", maintain_order="left").drop("group_id")
    return numbered.rename({"group": "group_id"}).with_columns(guarded=pl.col("starts_at") >= now), groups


def add_signatures(appointments: pl.DataFrame, notes: pl.DataFrame) -> pl.DataFrame:
    """Add the first signature of each appointment's session notes, which no trigger has to write afterwards."""
    is_session_note = pl.col("type").cast(pl.String).is_in(list(NO_SESSION_NOTES)).not_()
    signatures = (
        notes.filter(pl.col("signed_at").is_not_null(), pl.col("appointment_id").is_not_null(), is_session_note)
        .group_by("appointment_id")
        .agg(note_signed_at=pl.col("signed_at").min())
    )
    return appointments.join(signatures, left_on="row", right_on="appointment_id", how="left", maintain_order="left")


def list_statuses(clients: pl.DataFrame) -> pl.DataFrame:
    """Return each client's admission, and the end of treatment if any. Of two on one day, the end is the later step."""
    ended = clients.filter(pl.col("ended_on").is_not_null())
    return pl.concat(
        [
            clients.select("row", status=pl.lit("ACTIVE"), effective_on="admitted_on", step=0),
            ended.select("row", status=pl.col("end_reason").cast(pl.String), effective_on="ended_on", step=1),
        ]
    )


def list_claim_charges(claims: pl.DataFrame) -> pl.DataFrame:
    """Return one row for each charge of a claim, with its position."""
    positions = pl.int_ranges(1, pl.col("charge_ids").list.len() + 1)
    return claims.select("row", "charge_ids", position=positions).explode("charge_ids", "position")


def select_claim_charges(ids: Ids, chunk: pl.DataFrame) -> pl.DataFrame:
    """Return the columns of `claim_charges`."""
    claim_id, charge_id = ids.build("claims", "row"), ids.build("charges", "charge_ids")
    return chunk.select(claim_id.alias("claim_id"), "position", charge_id.alias("charge_id"))
