"""What a bundle's rows have to agree on beyond their types: with themselves, with each other, with other files.

The rules for booking, completing and signing bind new writes. These here are what makes a record a record.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import polars as pl

from ingest.bundle.overlaps import INACTIVE, RESOURCES, active, overlapping, overlaps
from ingest.bundle.problems import Problems
from ingest.bundle.self_references import circles
from ingest.bundle.table_data import Sheet
from practice.people.rules.practices import ZONES, practice_problems

Sheets = dict[str, Sheet]

# table, earlier, later
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
# table, two columns of which neither stands without the other
TOGETHER = (
    ("clients", "ended_on", "end_reason"),
    ("availability_exceptions", "start_time", "end_time"),
    ("claims", "first_response_at", "first_response"),
    ("claims", "adjudicated_at", "outcome"),
)
# table, column, other table, and the column that both agree on
AGREEING = (
    ("notes", "appointment_id", "appointments", "client_id"),
    ("charges", "appointment_id", "appointments", "client_id"),
    ("claims", "coverage_id", "coverages", "client_id"),
)
UNIQUE = (("claims", "control_number"), ("staff", "email"))
SHARED_BY_SEATS = ("clinician_id", "room_id", "starts_at", "ends_at")
MORE_THAN_NOTHING = (("supervision", "hours"), ("refunds", "amount"))
LONGEST_APPOINTMENT = timedelta(hours=24)  # what overlaps a moment is looked for no further back


@dataclass(frozen=True)
class Rule:
    """Rows of a table are wrong where the condition holds."""

    table: str
    column: str
    condition: Callable[[Sheet], pl.Expr]
    message: str


RULES = (
    Rule(
        "clients",
        "high_risk_since",
        lambda s: s.given("high_risk_until") & ~s.given("high_risk_since"),
        "The time of high risk has an end and no beginning.",
    ),
    Rule(
        "availability_exceptions",
        "start_time",
        lambda s: pl.col("available") & ~s.given("start_time") & ~s.given("end_time"),
        "A stretch that is opened needs its times.",
    ),
    Rule(
        "appointments",
        "status_at",
        lambda s: pl.col("status").is_in(("COMPLETED", *INACTIVE)) & ~s.given("status_at"),
        "An appointment that is over needs the moment when its status was set.",
    ),
    Rule(
        "appointments",
        "ends_at",
        lambda s: pl.col("ends_at") - pl.col("starts_at") > LONGEST_APPOINTMENT,
        "An appointment lasts a day at most.",
    ),
    *(
        Rule(table, column, lambda s, column=column: pl.col(column) == 0, "This has to be more than nothing.")
        for table, column in MORE_THAN_NOTHING
    ),
    *(
        Rule(
            "notes",
            column,
            lambda s, column=column: pl.col("status").is_in(("SIGNED", "AMENDED")) & ~s.given(column),
            "A signed note says when and by whom it was signed.",
        )
        for column in ("signed_at", "signed_by_id")
    ),
    *(
        Rule(
            "notes",
            column,
            lambda s, column=column: pl.col("status").is_in(("DRAFT", "IN_REVIEW")) & s.given(column),
            "A note that is not signed says neither when nor by whom.",
        )
        for column in ("signed_at", "signed_by_id")
    ),
    Rule(
        "supervision",
        "supervisor_id",
        lambda s: pl.col("supervisor_id") == pl.col("supervisee_id"),
        "Nobody supervises themselves.",
    ),
    Rule(
        "payments",
        "client_id",
        lambda s: (pl.col("payer") == "CLIENT") & ~s.given("client_id"),
        "A client's payment names the client.",
    ),
)


def check(sheets: Sheets, now: datetime, problems: Problems, *, allow_overlaps: bool) -> None:
    """Tell what is wrong; mark the overlaps that are let through."""
    check_practice(sheets["practice"], problems)
    for sheet in sheets.values():
        check_unique(sheet, list(sheet.table.key), [pl.col(name) for name in sheet.table.key], problems)
    for table, column in UNIQUE:
        check_unique(sheets[table], [column], [pl.col(column).str.to_lowercase()], problems)
    for table, earlier, later in STRICTLY_ORDERED:
        wrong = sheets[table].where(pl.col(later) <= pl.col(earlier))
        problems.rows(table, later, wrong, f"This is not after {earlier}.")
    for table, earlier, later in ORDERED:
        wrong = sheets[table].where(pl.col(later) < pl.col(earlier))
        problems.rows(table, later, wrong, f"This is before {earlier}.")
    for table, *pair in TOGETHER:
        for one, other in (pair, reversed(pair)):
            wrong = sheets[table].where(sheets[table].given(one) & ~sheets[table].given(other))
            problems.rows(table, other, wrong, f"This is empty, and {one} is not.")
    for rule in RULES:
        problems.rows(
            rule.table, rule.column, sheets[rule.table].where(rule.condition(sheets[rule.table])), rule.message
        )
    for table, column, other, common in AGREEING:
        theirs = sheets[other].frame[common].gather(sheets[table].frame[column])
        wrong = sheets[table].where(pl.col(common) != pl.lit(theirs))
        problems.rows(table, column, wrong, f"This belongs to another {common.removesuffix('_id')}.")
    check_circles(sheets, problems)
    check_consents(sheets, problems)
    check_claimed_charges(sheets, problems)
    check_money(sheets, problems)
    check_groups(sheets["appointments"], problems)
    check_overlaps(sheets["appointments"], now, problems, allow_overlaps=allow_overlaps)


def check_practice(sheet: Sheet, problems: Problems) -> None:
    if not len(sheet.frame):
        if sheet.whole:
            problems.at(
                sheet.table.file, None, None, "The bundle names no practice: the file is missing or has no row."
            )
        return
    problems.rows("practice", None, sheet.where(pl.int_range(pl.len()) > 0), "The file has one row, of one practice.")
    for column, told in (
        ("name", lambda name: practice_problems(name, "UTC", None)),
        ("time_zone", lambda zone: practice_problems("named", zone, None)),
    ):
        for message in told(sheet.frame[column][0]) if sheet.frame[column][0] is not None else []:
            problems.rows("practice", column, pl.Series([0]), message)


def check_unique(sheet: Sheet, columns: list[str], values: list[pl.Expr], problems: Problems) -> None:
    """The first one keeps it; each later one is told."""
    if not columns or sheet.frame.select(values).n_unique() == len(sheet.frame):
        return
    readable = pl.all_horizontal(
        pl.col(name).is_not_null()
        if sheet.table.by_name[name].required
        else pl.col(name).is_not_null() | ~sheet.given(name)
        for name in columns
    )
    keys = [f"key {place}" for place in range(len(values))]
    found = sheet.frame.select(readable.alias("readable"), *(v.alias(k) for v, k in zip(values, keys, strict=True)))
    found = found.with_row_index("row").with_columns(first=pl.col("row").min().over(keys))
    again = found.filter(pl.col("readable") & (pl.col("row") != pl.col("first")))
    words = "This stands in line {line} already, and may stand only once."
    problems.rows(sheet.table.name, columns[0], again["row"], words, again["first"])


def check_circles(sheets: Sheets, problems: Problems) -> None:
    for table, column, words in (
        ("staff", "supervisor_id", "Nobody can be their own supervisor, directly or over others."),
        ("appointments", "rescheduled_to_id", "An appointment cannot be moved to itself, directly or over others."),
    ):
        problems.rows(table, column, circles(sheets[table].frame[column]), words)


def check_consents(sheets: Sheets, problems: Problems) -> None:
    zones = sheets["practice"].frame["time_zone"].to_list()
    if len(zones) == 1 and zones[0] in ZONES:
        signed_on = pl.col("signed_at").dt.convert_time_zone(zones[0]).dt.date()
        wrong = sheets["consents"].where(pl.col("expires_on") < signed_on)
        problems.rows("consents", "expires_on", wrong, "This is before signed_at.")


def check_claimed_charges(sheets: Sheets, problems: Problems) -> None:
    """A claim is for its client's charges."""
    claims = sheets["claims"].frame.select("client_id", "charge_ids").with_row_index("claim").explode("charge_ids")
    theirs = sheets["charges"].frame["client_id"].gather(claims["charge_ids"])
    wrong = claims.filter(pl.col("client_id") != pl.lit(theirs))["claim"].unique()
    problems.rows("claims", "charge_ids", wrong, "A charge of this claim belongs to another client.")


def check_money(sheets: Sheets, problems: Problems) -> None:
    """Of a payment no more is applied and given back than came in; of a charge no more taken back than was applied."""
    applications = sheets["payment_applications"].frame.select("payment_id", "charge_id", "amount").drop_nulls()
    refunds = sheets["refunds"].frame.select("payment_id", "amount").drop_nulls()
    applied = applications.group_by("payment_id").agg(applied=pl.col("amount").sum())
    returned = refunds.group_by("payment_id").agg(returned=pl.col("amount").sum())
    payments = sheets["payments"].frame.select("amount").with_row_index("payment_id")
    payments = payments.join(applied, on="payment_id", how="left").join(returned, on="payment_id", how="left")
    payments = payments.with_columns(pl.col("applied", "returned").fill_null(0))
    over = pl.col("applied") > pl.col("amount")
    wrong = payments.filter(over)["payment_id"]
    problems.rows("payments", "amount", wrong, "More of this payment is applied to charges than came in.")
    rest = payments.filter(~over & (pl.col("applied") + pl.col("returned") > pl.col("amount")))["payment_id"]
    problems.rows("payments", "amount", rest, "More of this payment is given back than its unapplied rest.")
    pair = ("payment_id", "charge_id")
    reversals = sheets["payment_applications"].frame.select(*pair, "amount").with_row_index("row").drop_nulls()
    reversals = reversals.with_columns(left=pl.col("amount").sum().over(pair))
    beyond = reversals.filter((pl.col("left") < 0) & (pl.col("amount") < 0)).group_by(pair).agg(pl.col("row").max())
    problems.rows("payment_applications", "amount", beyond["row"], "More is taken back than was applied.")


def check_groups(sheet: Sheet, problems: Problems) -> None:
    """The seats of a group are one booking, and nobody sits on two of them."""
    row = pl.int_range(pl.len(), dtype=pl.UInt32)
    seats = sheet.frame.select(row.alias("row"), "group_id", "client_id", "status", *SHARED_BY_SEATS)
    seats = seats.filter(pl.col("group_id").is_not_null())
    if not len(seats):
        return
    seats = seats.with_columns(first=pl.col("row").min().over("group_id"))
    firsts = seats.select("row", *SHARED_BY_SEATS)
    both = seats.join(firsts, left_on="first", right_on="row", how="left", maintain_order="left", suffix=" first")
    words = "The seats of a group share this, and {key} on line {line} has another."
    for column in SHARED_BY_SEATS:
        readable = ~both["row"].is_in(sheet.faulty_rows(column)) & ~both["first"].is_in(sheet.faulty_rows(column))
        wrong = both.filter(readable & pl.col(column).ne_missing(pl.col(f"{column} first")))
        problems.rows("appointments", column, wrong["row"], words, wrong["first"])
    sitting = seats.filter(active() & pl.col("client_id").is_not_null())
    sitting = sitting.with_columns(seat=pl.col("row").min().over("group_id", "client_id"))
    twice = sitting.filter(pl.col("row") != pl.col("seat"))
    words = "The client sits in this group already, as {key} on line {line}."
    problems.rows("appointments", "client_id", twice["row"], words, twice["seat"])


def check_overlaps(sheet: Sheet, now: datetime, problems: Problems, *, allow_overlaps: bool) -> None:
    for resource in RESOURCES:
        found = overlaps(sheet.frame, resource)
        if allow_overlaps:  # of those that had begun; found in the order of beginning, so the later one decides
            found = found.filter(pl.col("starts_at") >= now)
        words = f"This and {{key}} on line {{line}} overlap, of one {resource.removesuffix('_id')}."
        problems.rows("appointments", resource, found["row"], words, found["other"])
    sheet.frame = sheet.frame.with_columns(overlapping(sheet.frame).alias("overlap_allowed"))
