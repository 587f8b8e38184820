"""The checks of a bundle's rows beyond their types: within a row, between rows, and between files.

The rules for booking, completing and signing apply to new writes only. These checks make a record consistent.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import polars as pl

from ingest.bundle.overlaps import INACTIVE, RESOURCES, find_overlaps, flag_overlapping, is_active
from ingest.bundle.problems import Problems
from ingest.bundle.self_references import find_cycles
from ingest.bundle.table_data import TableData
from practice.people.rules.practices import TIME_ZONES, practice_problems

Tables = dict[str, TableData]

# table, earlier column, later column
STRICTLY_ORDERED = (
    ("availability", "start_time", "end_time"),
    ("availability_exceptions", "start_time", "end_time"),
    ("appointments", "starts_at", "ends_at"),
)
ORDERED = (
    ("staff", "hired_on", "left_on"),
    ("clients", "admitted_on", "ended_on"),
    ("clients", "high_risk_since", "high_risk_until"),
    ("coverages", "effective_on", "ends_on"),
    ("availability", "effective_on", "ends_on"),
    ("consents", "signed_at", "revoked_at"),
    ("incidents", "detected_at", "responded_at"),
    ("claims", "submitted_at", "first_response_at"),
    ("claims", "submitted_at", "adjudicated_at"),
)
# table, two columns that are either both filled or both empty
PAIRED = (
    ("clients", "ended_on", "end_reason"),
    ("availability_exceptions", "start_time", "end_time"),
    ("claims", "first_response_at", "first_response"),
    ("claims", "adjudicated_at", "outcome"),
)
# table, reference, referenced table, column that must be equal in both rows
MATCHING = (
    ("notes", "appointment_id", "appointments", "client_id"),
    ("charges", "appointment_id", "appointments", "client_id"),
    ("claims", "coverage_id", "coverages", "client_id"),
)
UNIQUE = (("claims", "control_number"), ("staff", "email"))
SHARED_BY_SEATS = ("clinician_id", "room_id", "starts_at", "ends_at")
POSITIVE = (("supervision", "hours"), ("refunds", "amount"))
EARLY_START = timedelta(minutes=15)  # before their start, sessions can be completed
MAX_APPOINTMENT = timedelta(hours=24)  # queries for what overlaps a moment look back no further


@dataclass(frozen=True)
class Rule:
    """A condition under which a row is invalid."""

    table: str
    column: str
    is_invalid: Callable[[TableData], pl.Expr]
    message: str


RULES = (
    Rule(
        "clients",
        "high_risk_since",
        lambda data: data.has_value("high_risk_until") & ~data.has_value("high_risk_since"),
        "The high-risk period has an end but no start. Fill in its start.",
    ),
    Rule(
        "availability_exceptions",
        "start_time",
        lambda data: pl.col("available") & ~data.has_value("start_time") & ~data.has_value("end_time"),
        "An exception that adds availability needs a start and an end time.",
    ),
    Rule(
        "appointments",
        "status_at",
        lambda data: pl.col("status").is_in(("COMPLETED", *INACTIVE)) & ~data.has_value("status_at"),
        "An appointment with a final status needs the time when that was set.",
    ),
    Rule(
        "appointments",
        "status_at",
        lambda data: (
            pl.col("status").is_in(("COMPLETED", "NO_SHOW")) & (pl.col("status_at") < pl.col("starts_at") - EARLY_START)
        ),
        "A visit is completed or missed at the earliest 15 minutes before its start. Correct its status or this time.",
    ),
    Rule(
        "appointments",
        "ends_at",
        lambda data: pl.col("ends_at") - pl.col("starts_at") > MAX_APPOINTMENT,
        "An appointment can last 24 hours at most. Correct its times.",
    ),
    *(
        Rule(table, column, lambda data, column=column: pl.col(column) == 0, "This must be more than 0.")
        for table, column in POSITIVE
    ),
    *(
        Rule(
            "notes",
            column,
            lambda data, column=column: pl.col("status").is_in(("SIGNED", "AMENDED")) & ~data.has_value(column),
            "A signed note needs the time of the signature and the signer.",
        )
        for column in ("signed_at", "signed_by_id")
    ),
    *(
        Rule(
            "notes",
            column,
            lambda data, column=column: pl.col("status").is_in(("DRAFT", "IN_REVIEW")) & data.has_value(column),
            "An unsigned note cannot have a time of signature or a signer.",
        )
        for column in ("signed_at", "signed_by_id")
    ),
    Rule(
        "supervision",
        "supervisor_id",
        lambda data: pl.col("supervisor_id") == pl.col("supervisee_id"),
        "Supervisor and supervisee must be two people.",
    ),
    Rule(
        "payments",
        "client_id",
        lambda data: (pl.col("payer") == "CLIENT") & ~data.has_value("client_id"),
        "A client's payment needs the client.",
    ),
)


def check_bundle(tables: Tables, now: datetime, problems: Problems, *, allow_overlaps: bool) -> None:
    """Report everything that is inconsistent, and mark the overlaps that are allowed."""
    check_practice(tables["practice"], problems)
    for table_data in tables.values():
        key = list(table_data.table.key)
        check_unique(table_data, key, [pl.col(name) for name in key], problems)
    for table, column in UNIQUE:
        check_unique(tables[table], [column], [pl.col(column).str.to_lowercase()], problems)
    for table, earlier, later in STRICTLY_ORDERED:
        rows = tables[table].find_rows(pl.col(later) <= pl.col(earlier))
        problems.add_rows(table, later, rows, f"This must be after {earlier}.")
    for table, earlier, later in ORDERED:
        rows = tables[table].find_rows(pl.col(later) < pl.col(earlier))
        problems.add_rows(table, later, rows, f"This must not be before {earlier}.")
    for table, *pair in PAIRED:
        for filled, empty in (pair, reversed(pair)):
            rows = tables[table].find_rows(tables[table].has_value(filled) & ~tables[table].has_value(empty))
            problems.add_rows(table, empty, rows, f"This is empty, but {filled} is not. Fill in both or neither.")
    for rule in RULES:
        rows = tables[rule.table].find_rows(rule.is_invalid(tables[rule.table]))
        problems.add_rows(rule.table, rule.column, rows, rule.message)
    for table, reference, referenced_table, column in MATCHING:
        values = tables[referenced_table].frame[column].gather(tables[table].frame[reference])
        rows = tables[table].find_rows(pl.col(column) != pl.lit(values))
        problems.add_rows(table, reference, rows, f"This belongs to another {column.removesuffix('_id')}.")
    check_cycles(tables, problems)
    check_consents(tables, problems)
    check_claimed_charges(tables, problems)
    check_money(tables, problems)
    check_groups(tables["appointments"], problems)
    check_overlaps(tables["appointments"], now, problems, allow_overlaps=allow_overlaps)


def check_practice(practice: TableData, problems: Problems) -> None:
    """Report a bundle without a practice or with several, and an invalid name or time zone."""
    if not len(practice.frame):
        if practice.complete:
            message = "The bundle has no practice. Add practice.csv with one row."
            problems.add(practice.table.file, None, None, message)
        return
    extra_rows = practice.find_rows(pl.int_range(pl.len()) > 0)
    problems.add_rows("practice", None, extra_rows, "A bundle has one practice. Remove this row.")
    for column, find_problems in (
        ("name", lambda name: practice_problems(name, "UTC", None)),
        ("time_zone", lambda time_zone: practice_problems("named", time_zone, None)),
    ):
        value = practice.frame[column][0]
        for problem in find_problems(value) if value is not None else []:
            problems.add_rows("practice", column, pl.Series([0]), problem.message)


def check_unique(table_data: TableData, columns: list[str], values: list[pl.Expr], problems: Problems) -> None:
    """Report each row that repeats the values of an earlier one."""
    if not columns or table_data.frame.select(values).n_unique() == len(table_data.frame):
        return
    readable = pl.all_horizontal(
        pl.col(name).is_not_null()
        if table_data.table.columns_by_name[name].required
        else pl.col(name).is_not_null() | ~table_data.has_value(name)
        for name in columns
    )
    keys = [f"key {number}" for number in range(len(values))]
    rows = table_data.frame.select(
        readable.alias("readable"), *(value.alias(key) for value, key in zip(values, keys, strict=True))
    )
    rows = rows.with_row_index("row").with_columns(first=pl.col("row").min().over(keys))
    repeated = rows.filter(pl.col("readable") & (pl.col("row") != pl.col("first")))
    message = "This is already in line {line}, and must be unique."
    problems.add_rows(table_data.table.name, columns[0], repeated["row"], message, repeated["first"])


def check_cycles(tables: Tables, problems: Problems) -> None:
    """Report rows that refer to themselves, directly or through others."""
    for table, column, message in (
        ("staff", "supervisor_id", "Nobody can be their own supervisor, directly or through others."),
        (
            "appointments",
            "rescheduled_to_id",
            "An appointment cannot be rescheduled to itself, directly or through others.",
        ),
    ):
        problems.add_rows(table, column, find_cycles(tables[table].frame[column]), message)


def check_consents(tables: Tables, problems: Problems) -> None:
    """Report consents that expire before the local day on which they were signed."""
    time_zones = tables["practice"].frame["time_zone"].to_list()
    if len(time_zones) == 1 and time_zones[0] in TIME_ZONES:
        signed_on = pl.col("signed_at").dt.convert_time_zone(time_zones[0]).dt.date()
        rows = tables["consents"].find_rows(pl.col("expires_on") < signed_on)
        problems.add_rows("consents", "expires_on", rows, "This must not be before signed_at.")


def check_claimed_charges(tables: Tables, problems: Problems) -> None:
    """Report claims for charges of another client."""
    claims = tables["claims"].frame.select("client_id", "charge_ids").with_row_index("claim").explode("charge_ids")
    charge_clients = tables["charges"].frame["client_id"].gather(claims["charge_ids"])
    rows = claims.filter(pl.col("client_id") != pl.lit(charge_clients))["claim"].unique()
    problems.add_rows("claims", "charge_ids", rows, "A charge of this claim belongs to another client.")


def check_money(tables: Tables, problems: Problems) -> None:
    """Report payments of which more is applied and refunded than the payer settled, and charges of which more is taken
    back than was applied."""
    applications = tables["payment_applications"].frame.select("payment_id", "charge_id", "amount").drop_nulls()
    refunds = tables["refunds"].frame.select("payment_id", "amount").drop_nulls()
    applied = applications.group_by("payment_id").agg(applied=pl.col("amount").sum())
    refunded = refunds.group_by("payment_id").agg(refunded=pl.col("amount").sum())
    received = pl.col("amount") + pl.col("provider_adjustments").fill_null(0)
    payments = tables["payments"].frame.select(received.alias("received")).with_row_index("payment_id")
    payments = payments.join(applied, on="payment_id", how="left").join(refunded, on="payment_id", how="left")
    payments = payments.with_columns(pl.col("applied", "refunded").fill_null(0))
    over_applied = pl.col("applied") > pl.col("received")
    rows = payments.filter(over_applied)["payment_id"]
    problems.add_rows("payments", "amount", rows, "More of this payment is applied to charges than was received.")
    over_refunded = ~over_applied & (pl.col("applied") + pl.col("refunded") > pl.col("received"))
    rows = payments.filter(over_refunded)["payment_id"]
    problems.add_rows("payments", "amount", rows, "More of this payment is refunded than is left unapplied.")
    reversals = tables["payment_applications"].frame.select("charge_id", "amount").with_row_index("row").drop_nulls()
    reversals = reversals.with_columns(left=pl.col("amount").sum().over("charge_id"))
    excessive = reversals.filter((pl.col("left") < 0) & (pl.col("amount") < 0))
    excessive = excessive.group_by("charge_id").agg(pl.col("row").max())
    problems.add_rows(
        "payment_applications", "amount", excessive["row"], "More is reversed than was applied. Correct the amounts."
    )


def check_groups(appointments: TableData, problems: Problems) -> None:
    """Report seats of a group that differ in clinician, room or times, and clients with two seats in one group."""
    row = pl.int_range(pl.len(), dtype=pl.UInt32)
    seats = appointments.frame.select(row.alias("row"), "group_id", "client_id", "status", *SHARED_BY_SEATS)
    seats = seats.filter(pl.col("group_id").is_not_null())
    if not len(seats):
        return
    seats = seats.with_columns(first=pl.col("row").min().over("group_id"))
    first_seats = seats.select("row", *SHARED_BY_SEATS)
    pairs = seats.join(first_seats, left_on="first", right_on="row", how="left", maintain_order="left", suffix=" first")
    message = "All seats of a group must have the same value here, and {key} on line {line} has another."
    for column in SHARED_BY_SEATS:
        invalid_rows = appointments.list_invalid_rows(column)
        readable = ~pairs["row"].is_in(invalid_rows) & ~pairs["first"].is_in(invalid_rows)
        different = pairs.filter(readable & pl.col(column).ne_missing(pl.col(f"{column} first")))
        problems.add_rows("appointments", column, different["row"], message, different["first"])
    active_seats = seats.filter(is_active() & pl.col("client_id").is_not_null())
    active_seats = active_seats.with_columns(seat=pl.col("row").min().over("group_id", "client_id"))
    repeated = active_seats.filter(pl.col("row") != pl.col("seat"))
    message = "The client already has a seat in this group: {key} on line {line}."
    problems.add_rows("appointments", "client_id", repeated["row"], message, repeated["seat"])


def check_overlaps(appointments: TableData, now: datetime, problems: Problems, *, allow_overlaps: bool) -> None:
    """Report overlapping appointments and add the column `overlap_allowed`.

    `allow_overlaps` accepts those that both have begun. Overlaps come with the later appointment, so that one decides.
    """
    for resource in RESOURCES:
        overlaps = find_overlaps(appointments.frame, resource)
        if allow_overlaps:
            overlaps = overlaps.filter(pl.col("starts_at") >= now)
        message = f"This overlaps {{key}} on line {{line}}, for the same {resource.removesuffix('_id')}."
        problems.add_rows("appointments", resource, overlaps["row"], message, overlaps["other"])
    appointments.frame = appointments.frame.with_columns(flag_overlapping(appointments.frame).alias("overlap_allowed"))
