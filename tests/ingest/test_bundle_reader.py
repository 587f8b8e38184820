"""Reading a bundle: valid texts become values, and invalid ones are reported with file, line and column."""

import csv
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.bundle.format import TABLES, Column
from ingest.bundle.kinds import parse_values
from tests.support.builders.bundles import (
    OAK_STREET,
    list_locations,
    load_sample_rows,
    read,
    read_refusal,
    write_folder,
)

INVALID = [
    ("clients", "birth_date", "2026-02-30"),
    ("clients", "birth_date", "2026-2-3"),
    ("clients", "birth_date", "03/04/1990"),
    ("clients", "birth_date", "0090-01-01"),
    ("clients", "birth_date", "٢٠٢٥-01-01"),
    ("clients", "admitted_on", "2025-01-10 "),
    ("clients", "self_pay", "yes"),
    ("clients", "emancipated", "TRUE"),
    ("claims", "outcome", "LOST"),
    ("clients", "first_name", ""),
    ("clients", "first_name", "é" * 201),
    ("clients", "phone", "x" * 2001),
    ("clients", "medical_notes", "x" * 1_000_001),
    ("clients", "primary_clinician_id", "NOBODY"),
    ("staff", "email", "ada at oak"),
    ("staff", "email", "a da@oak.example"),
    ("staff", "roles", "janitor"),
    ("staff", "roles", "clinician|"),
    ("staff", "roles", "clinician|clinician"),
    ("staff", "roles", "clinician,admin"),
    ("staff", "roles", ""),
    ("staff", "base_pay_rate", "-1.00"),
    ("staff", "base_pay_rate", "1.005"),
    ("staff", "base_pay_rate", "1,000.00"),
    ("staff", "base_pay_rate", "$5"),
    ("staff", "base_pay_rate", "1e3"),
    ("staff", "base_pay_rate", "1000000000.01"),
    ("staff", "base_pay_rate", "9" * 40),
    ("staff", "base_pay_rate", "NaN"),
    ("staff", "supervisor_id", "clI"),
    ("coverages", "rank", "0"),
    ("coverages", "rank", "4"),
    ("coverages", "rank", "1.0"),
    ("services", "minutes", "0"),
    ("services", "minutes", "1441"),
    ("services", "minutes", "99999999999999999999"),
    ("services", "minutes", "45 "),
    ("services", "rate", "."),
    ("services", "kind", "individual"),
    ("rooms", "capacity", "-1"),
    ("rooms", "capacity", "2147483648"),
    ("rooms", "equipment", "video||board"),
    ("availability", "weekday", "7"),
    ("availability", "weekday", "-1"),
    ("availability", "start_time", "9:00"),
    ("availability", "end_time", "24:00"),
    ("availability", "end_time", "23:60"),
    ("availability", "end_time", "23:59:00"),
    ("appointments", "starts_at", "2025-10-06T13:00:00"),
    ("appointments", "starts_at", "2025-10-06 13:00:00Z"),
    ("appointments", "starts_at", "2025-10-06T25:00:00Z"),
    ("appointments", "starts_at", "2025-10-06T13:00:60Z"),
    ("appointments", "starts_at", "2025-02-29T13:00:00Z"),
    ("appointments", "starts_at", "2025-10-06T13:00:00.1234567Z"),
    ("appointments", "starts_at", "2025-10-06T13:00:00+25:00"),
    ("appointments", "starts_at", "2025-10-06T13:00:00America/New_York"),
    ("appointments", "starts_at", "1759755600"),
    ("appointments", "actual_minutes", "-5"),
    ("appointments", "client_id", "K9"),
    ("appointments", "room_id", "R9"),
    ("appointments", "service_code", "cou45"),
    ("appointments", "rescheduled_to_id", "A99"),
    ("supervision", "hours", "1:30"),
    ("supervision", "hours", "1.505"),
    ("supervision", "topics", "|"),
    ("charges", "modifiers", "1|2|3|4|5"),
    ("charges", "diagnoses", "|".join(f"F{n}" for n in range(13))),
    ("charges", "units", "0"),
    ("charges", "amount", "-130.00"),
    ("claims", "charge_ids", "H1|H9"),
    ("claims", "charge_ids", "H1|H1"),
    ("claims", "charge_ids", "H1,H2"),
    ("payments", "amount", "100.001"),
    ("payments", "received_on", "2025-13-01"),
    ("payment_applications", "amount", "--5"),
    ("adjustments", "group", "XX"),
    ("rates", "kind", "GROUPS"),
    ("rates", "multiplier", "-1.00"),
    ("rates", "multiplier", "1000.01"),
    ("practice", "average_reimbursement_target", "110.-"),
    ("closures", "date", "2025-11-31"),
]


@pytest.mark.parametrize(("table", "column", "value"), INVALID, ids=lambda v: v if len(v) < 30 else v[:30])
def test_an_invalid_value_is_reported_once_with_its_location(
    tmp_path: Path, table: str, column: str, value: str
) -> None:
    rows = load_sample_rows()
    rows[table][0][column] = value
    write_folder(tmp_path, rows)
    assert list_locations(tmp_path) == [(f"{table}.csv", 2, column)]


def test_all_problems_of_all_files_are_reported_together(tmp_path: Path) -> None:
    by_row: dict[tuple[str, int], dict[str, str]] = {}
    rows = load_sample_rows()
    for table, column, value in INVALID:
        if column not in by_row.setdefault((table, 0), {}):
            by_row[table, 0][column] = value
            rows[table][0][column] = value
    write_folder(tmp_path, rows)
    locations = list_locations(tmp_path)
    expected = [(f"{t}.csv", 2, column) for (t, _), columns in by_row.items() for column in columns]
    assert sorted(locations, key=str) == sorted(expected, key=str)
    assert [file for file, _, _ in locations] == sorted(
        (f for f, _, _ in locations), key=[t.file for t in TABLES.values()].index
    )


def test_no_message_repeats_a_value(tmp_path: Path) -> None:
    rows = load_sample_rows()
    for table, column, _ in INVALID:
        if TABLES[table].columns_by_name[column].kind != "prose":
            rows[table][0][column] = "Secret-Name" * (
                200 if TABLES[table].columns_by_name[column].kind == "text" else 1
            )
    write_folder(tmp_path, rows)
    assert not [p for p in read_refusal(tmp_path).problems if "Secret" in p.message]


def test_the_first_hundred_are_shown_and_all_are_counted(tmp_path: Path) -> None:
    rows = load_sample_rows()
    rows["sign_ins"] = [{"id": f"L{n}", "staff_id": "ADM", "at": "now"} for n in range(250)]
    write_folder(tmp_path, rows)
    refusal = read_refusal(tmp_path)
    assert refusal.total == 250
    assert [p.line for p in refusal.problems] == list(range(2, 102))
    assert "250 problems" in refusal.message


def test_lines_are_counted_with_quoted_line_ends(tmp_path: Path) -> None:
    rows = load_sample_rows()
    rows["notes"][0]["text"] = "one\ntwo\r\n\nfour"
    rows["notes"][1]["status"] = "GONE"
    rows["notes"][3]["type"] = "POEM"
    write_folder(tmp_path, rows)
    assert list_locations(tmp_path) == [("notes.csv", 6, "status"), ("notes.csv", 8, "type")]


def test_one_invalid_row_among_many_is_found(tmp_path: Path) -> None:
    write_folder(tmp_path, load_sample_rows())
    lines = [f"L{n},CLI,2025-10-15T19:00:00Z" for n in range(200_000)]
    lines[123_456] = "L123456,CLI,2025-10-15T19:00:61Z"
    (tmp_path / "sign_ins.csv").write_text("id,staff_id,at\n" + "\n".join(lines) + "\n")
    assert list_locations(tmp_path) == [("sign_ins.csv", 123_458, "at")]
    lines[123_456] = "L123456,CLI"
    (tmp_path / "sign_ins.csv").write_text("id,staff_id,at\n" + "\n".join(lines) + "\n")
    assert list_locations(tmp_path) == [("sign_ins.csv", 123_458, None)]


def test_rows_that_cannot_be_read_do_not_make_others_wrong(tmp_path: Path) -> None:
    write_folder(tmp_path, load_sample_rows())
    clients = (tmp_path / "clients.csv").read_text().splitlines(keepends=True)
    (tmp_path / "clients.csv").write_text("".join([clients[0], clients[1].replace("K1,", "K1,x,"), *clients[2:]]))
    notes = (tmp_path / "notes.csv").read_text()
    (tmp_path / "notes.csv").write_text(notes.replace("DRAFT", "DRAFTED").replace('"Said', "Said"))
    locations = list_locations(tmp_path)
    assert ("clients.csv", 2, None) in locations
    assert ("notes.csv", 2, None) in locations
    assert ("notes.csv", 5, "status") in locations
    assert {file for file, _, _ in locations} == {"clients.csv", "notes.csv"}


def test_problems_of_the_header(tmp_path: Path) -> None:
    rows = load_sample_rows()
    write_folder(tmp_path, rows)
    rooms = (tmp_path / "rooms.csv").read_text()
    (tmp_path / "rooms.csv").write_text(rooms.replace("id,name,capacity,equipment", "id,name,seats,name", 1))
    (tmp_path / "closures.csv").write_bytes(b"")
    (tmp_path / "trainings.csv").write_bytes((tmp_path / "trainings.csv").read_text().encode("utf-16"))
    (tmp_path / "Clients.csv").write_text("id\n")
    (tmp_path / "readme.txt").write_text("not ours")
    assert list_locations(tmp_path) == [
        ("Clients.csv", None, None),
        ("rooms.csv", 1, "capacity"),
        ("rooms.csv", 1, "name"),
        ("rooms.csv", 1, "seats"),
        ("trainings.csv", 1, None),
        ("closures.csv", 1, None),
    ]


def test_a_bundle_has_one_practice(tmp_path: Path) -> None:
    rows = load_sample_rows()
    rows["practice"] *= 2
    assert list_locations(write_folder(tmp_path, rows)) == [("practice.csv", 3, None)]
    rows["practice"] = []
    assert list_locations(write_folder(tmp_path, rows)) == [("practice.csv", None, None)]
    (tmp_path / "practice.csv").unlink()
    assert list_locations(tmp_path) == [("practice.csv", None, None)]


def test_the_practice_needs_a_name_and_a_known_time_zone(tmp_path: Path) -> None:
    rows = load_sample_rows()
    rows["practice"][0] |= {"name": "  ", "time_zone": "Mars/Olympus"}
    assert list_locations(write_folder(tmp_path, rows)) == [
        ("practice.csv", 2, "name"),
        ("practice.csv", 2, "time_zone"),
    ]


@pytest.mark.parametrize(
    "change", ["bom", "crlf", "quoted", "reversed", "no final line end", "extra line ends", "sparse"]
)
def test_the_same_bundle_in_another_notation_is_the_same(tmp_path: Path, change: str) -> None:
    folder = write_folder(tmp_path / "b", load_sample_rows())
    expected = read(OAK_STREET).frames
    for file in folder.iterdir():
        text = file.read_text(encoding="utf-8")
        if change == "bom":
            file.write_bytes(b"\xef\xbb\xbf" + text.encode())
        elif change == "crlf" and '"' not in text:
            file.write_bytes(text.replace("\n", "\r\n").encode())
        elif change == "extra line ends":
            file.write_bytes((text.removesuffix("\n") + "\r\n\n\n").encode())
        elif change == "no final line end":
            file.write_text(text.removesuffix("\n"))
        else:
            rewrite(file, change)
    if change == "sparse":
        (folder / "refunds.csv").write_text("id,payment_id,amount,method,refunded_at\n")
        expected = {name: frame for name, frame in expected.items() if name != "refunds"}
    frames = read(folder).frames
    for name, frame in expected.items():
        assert frames[name].equals(frame), name


def rewrite(file: Path, change: str) -> None:
    with file.open(newline="", encoding="utf-8") as source:
        rows = list(csv.reader(source))
    if change == "reversed":
        rows = [row[::-1] for row in rows]
    if change == "sparse":  # without empty columns
        has_values = [any(row[index] for row in rows[1:]) for index in range(len(rows[0]))]
        rows = [[value for value, keep in zip(row, has_values, strict=True) if keep] for row in rows]
    with file.open("w", newline="", encoding="utf-8") as out:
        csv.writer(out, quoting=csv.QUOTE_ALL if change == "quoted" else csv.QUOTE_MINIMAL).writerows(rows)


def test_missing_files_are_tables_without_rows(tmp_path: Path) -> None:
    frames = read(write_folder(tmp_path, {"practice": load_sample_rows()["practice"]})).frames
    assert set(frames) == set(TABLES)
    assert sum(len(frame) for frame in frames.values()) == 1
    complete = read(OAK_STREET).frames
    assert {name: frame.schema for name, frame in frames.items()} == {n: frame.schema for n, frame in complete.items()}


def test_values_are_converted(tmp_path: Path) -> None:
    frames = read(OAK_STREET).frames
    staff = frames["staff"].row(1, named=True)
    assert (staff["roles"], staff["base_pay_rate"], staff["left_on"]) == (["supervisor", "clinician"], 9500, None)
    assert frames["staff"]["supervisor_id"].to_list() == [None, None, 1, 1]
    first = frames["appointments"].row(0, named=True)
    assert first["ready_at"] == datetime(2025, 10, 6, 12, 58, 0, 250000, tzinfo=UTC)
    assert (first["client_id"], first["clinician_id"], first["service_code"], first["room_id"]) == (0, 2, 0, 0)
    assert frames["appointments"]["rescheduled_to_id"].to_list() == [None, 2, None, None, None, None, None]
    assert frames["claims"]["charge_ids"].to_list() == [[0, 1], [1], [0]]
    assert frames["notes"]["text"].to_list() == ['Said "better", slept.\n\nPlan: go on.', "Begun.", None, "Äöü ≤ 5"]
    assert frames["clients"]["first_name"][2] == 'Max "Mo"'
    assert frames["supervision"]["hours"].to_list() == [150, 200]
    assert frames["availability"]["end_time"].to_list() == [time(12), time(23, 59)]
    assert frames["adjustments"]["amount"].to_list() == [1710, -5]


def parse_value(kind: str, text: str, **limits: int) -> object:
    return parse_values(Column("x", kind, **limits), pl.Series([text]))[0]  # ty: ignore[invalid-argument-type]


@given(st.timedeltas(timedelta(0), timedelta(days=2_900_000)), st.integers(-23 * 60 - 59, 23 * 60 + 59), st.booleans())
def test_an_instant_with_any_offset_is_that_instant(since: timedelta, offset: int, is_whole: bool) -> None:
    instant = datetime(1901, 1, 1, tzinfo=UTC) + since
    instant = instant.replace(microsecond=0) if is_whole else instant
    assert parse_value("instant", instant.astimezone(timezone(timedelta(minutes=offset))).isoformat()) == instant
    assert parse_value("instant", instant.isoformat().replace("+00:00", "Z")) == instant


@given(st.dates(date(1900, 1, 1)))
def test_a_date_is_that_date(day: date) -> None:
    assert parse_value("date", day.isoformat()) == day


@given(st.decimals(-(10**9), 10**9, places=2), st.sampled_from(["{:.2f}", "{:f}", "{:.1f}", "{:.0f}"]))
def test_an_amount_is_that_many_cents(amount: Decimal, template: str) -> None:
    text = template.format(amount)
    assert parse_value("money", text, minimum=-(10**9)) == int(Decimal(text) * 100)


@given(st.text(max_size=12) | st.from_regex(r"[-+0-9.,eE:TZ ]{0,25}", fullmatch=True))
def test_no_text_makes_a_parser_fail(text: str) -> None:
    for table in TABLES.values():
        for column in table.columns:
            series = parse_values(column, pl.Series([text, None]))
            assert series[1] is None
