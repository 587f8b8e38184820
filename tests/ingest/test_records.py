"""CSV syntax: both checks agree, and well-formed files are read like any other reader reads them."""

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.bundle.format import Column, Table
from ingest.bundle.reader import read_texts
from ingest.bundle.records import is_well_formed, parse_header, scan_records, strip_file

pieces = st.sampled_from(["a", "b", ",", ",", "\n", "\n", "\r\n", "\r", '"', '""', '"x,\n"', " ", "é", "\u2028", "\0"])
TABLE = Table("pairs", (Column("x", "text"), Column("y", "text")), key=())


@given(st.lists(pieces, max_size=25).map("".join))
@settings(max_examples=1500)
def test_a_scan_finds_problems_exactly_if_the_file_is_not_well_formed(body: str) -> None:
    data = strip_file(("x,y\n" + body).encode())
    assert is_well_formed(data, 2) == (not scan_records(data, 2).problems)


@given(st.lists(pieces, max_size=25).map("".join))
@settings(max_examples=1500)
def test_a_well_formed_file_is_read_like_by_the_csv_module(body: str) -> None:
    data = strip_file(("x,y\n" + body).encode())
    if is_well_formed(data, 2):
        rows = list(csv.reader(io.StringIO(data.decode(), newline=""), strict=True))
        assert read_texts(data, TABLE, ["x", "y"]).rows() == [tuple(v or None for v in row) for row in rows[1:]]


@given(
    st.lists(
        st.tuples(st.text(st.characters(codec="utf-8", exclude_characters="\0")), st.text(alphabet='ab",\r\n |é')),
        max_size=20,
    ),
    st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
    st.sampled_from(["\n", "\r\n"]),
)
def test_any_text_survives_a_round_trip(rows: list[tuple[str, str]], quoting: int, line_end: str) -> None:
    if quoting == csv.QUOTE_MINIMAL:  # the csv module does not quote lone carriage returns
        rows = [(x.replace("\r", ""), y.replace("\r", "")) for x, y in rows]
    out = io.StringIO(newline="")
    writer = csv.writer(out, quoting=quoting, lineterminator=line_end)  # ty: ignore[invalid-argument-type]
    writer.writerows([("x", "y"), *rows])
    data = strip_file(out.getvalue().encode())
    assert is_well_formed(data, 2)
    assert read_texts(data, TABLE, ["x", "y"]).rows() == [(x or None, y or None) for x, y in rows]


def test_records_over_several_lines_have_the_line_on_which_they_begin() -> None:
    data = b'x,y\n1,"a\nb"\n2,c\n"3\n\n\n",d\n4,"e""\n"\n5,f'
    result = scan_records(data, 2)
    assert (result.lines, result.problems) == ([1, 2, 4, 5, 9, 11], [])


@pytest.mark.parametrize(
    ("body", "lines"),
    [
        ("1\n2,b\n", [2]),  # too few
        ("1,a\n2,b,c\n", [3]),  # too many
        ('1,a\n2,b"c\n3,d\n4,e"\n', [3, 5]),  # quotes inside bare fields
        ('1,"a"b\n2,c\n', [2]),  # text after a closing quote
        ('1,"a\n2,b\n3,c\n', [2]),  # never closed
        ('1,"a\n2,"b"\n3,c\n', [2]),  # closed only by that of the next row
        ("1,a\n\n2,b\n", [3]),
        ("1,a\rb\n2,c\n", [2]),
        ("1,a\r2,c\r", [2]),
        ("1,a\0\n2,b\n", [2]),
        ('1,"a\0\n"\n2\n', [2, 4]),
    ],
)
def test_unreadable_rows_are_reported_by_line_and_the_others_are_read(body: str, lines: list[int]) -> None:
    data = strip_file(("x,y\n" + body).encode())
    result = scan_records(data, 2)
    assert not is_well_formed(data, 2)
    assert [line for line, _ in result.problems] == lines
    assert len(result.records) == len(result.lines)
    assert all(parse_header(record.encode()) for record in result.records)


def test_invalid_utf8_is_reported_by_line() -> None:
    data = b"x,y\n1,a\n2,\xe9\n3,\xc3\xa9\n4,\xed\xa0\x80"
    result = scan_records(data, 2)
    assert not is_well_formed(data, 2)
    assert [line for line, _ in result.problems] == [3, 5]
    assert result.records[1:] == ["1,a", "3,é"]


@pytest.mark.parametrize(
    "data", [b"", b"\n", b"\r\n1,2", "id,name\n".encode("utf-16"), b'id,"na\nme"\n', b"i\0d,x\n", b'i"d,x\n']
)
def test_a_first_line_that_is_not_text_is_not_a_header(data: bytes) -> None:
    assert parse_header(strip_file(data)) is None


@pytest.mark.parametrize(
    ("data", "header"),
    [
        (b"id,name", ["id", "name"]),
        (b"id,name\r\n1,2", ["id", "name"]),
        (b'"id","na""me"\n', ["id", 'na"me']),
        (b"\xef\xbb\xbfid,name\n", ["id", "name"]),
        (b",\n", ["", ""]),
    ],
)
def test_the_header_is_the_first_line(data: bytes, header: list[str]) -> None:
    assert parse_header(strip_file(data)) == header


def test_a_very_long_field_is_one_field() -> None:
    long_text = "x" * 5_000_000 + "\n" * 1000
    data = f'x,y\n1,"{long_text}"'.encode()
    assert is_well_formed(data, 2)
    assert read_texts(data, TABLE, ["x", "y"])["y"].item() == long_text
