"""Well formed or not: the two ways of telling agree, and what is well formed is read as every other reader reads it."""

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.bundle.format import Column, Table
from ingest.bundle.reader import texts_of
from ingest.bundle.records import body_of, header_of, is_well_formed, scan

pieces = st.sampled_from(["a", "b", ",", ",", "\n", "\n", "\r\n", "\r", '"', '""', '"x,\n"', " ", "é", "\u2028", "\0"])
TABLE = Table("pairs", (Column("x", "text"), Column("y", "text")), key=())


@given(st.lists(pieces, max_size=25).map("".join))
@settings(max_examples=1500)
def test_going_through_the_records_finds_something_exactly_where_the_whole_is_not_well_formed(body: str) -> None:
    data = body_of(("x,y\n" + body).encode())
    assert is_well_formed(data, 2) == (not scan(data, 2).problems)


@given(st.lists(pieces, max_size=25).map("".join))
@settings(max_examples=1500)
def test_what_is_well_formed_reads_as_any_other_reader_reads_it(body: str) -> None:
    data = body_of(("x,y\n" + body).encode())
    if is_well_formed(data, 2):
        others = list(csv.reader(io.StringIO(data.decode(), newline=""), strict=True))
        assert texts_of(data, TABLE, ["x", "y"]).rows() == [tuple(v or None for v in row) for row in others[1:]]


@given(
    st.lists(
        st.tuples(st.text(st.characters(codec="utf-8", exclude_characters="\0")), st.text(alphabet='ab",\r\n |é')),
        max_size=20,
    ),
    st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
    st.sampled_from(["\n", "\r\n"]),
)
def test_whatever_text_is_written_comes_back(rows: list[tuple[str, str]], quoting: int, end: str) -> None:
    if quoting == csv.QUOTE_MINIMAL:  # that writer leaves lone carriage returns bare
        rows = [(x.replace("\r", ""), y.replace("\r", "")) for x, y in rows]
    out = io.StringIO(newline="")
    writer = csv.writer(out, quoting=quoting, lineterminator=end)  # ty: ignore[invalid-argument-type]
    writer.writerows([("x", "y"), *rows])
    data = body_of(out.getvalue().encode())
    assert is_well_formed(data, 2)
    assert texts_of(data, TABLE, ["x", "y"]).rows() == [(x or None, y or None) for x, y in rows]


def test_records_over_several_lines_are_found_where_they_begin() -> None:
    data = b'x,y\n1,"a\nb"\n2,c\n"3\n\n\n",d\n4,"e""\n"\n5,f'
    found = scan(data, 2)
    assert (found.lines, found.problems) == ([1, 2, 4, 5, 9, 11], [])


@pytest.mark.parametrize(
    ("body", "lines"),
    [
        ("1\n2,b\n", [2]),  # too few
        ("1,a\n2,b,c\n", [3]),  # too many
        ('1,a\n2,b"c\n3,d\n4,e"\n', [3, 5]),  # quotes inside bare fields
        ('1,"a"b\n2,c\n', [2]),  # text behind a closing quote
        ('1,"a\n2,b\n3,c\n', [2]),  # never closed
        ('1,"a\n2,"b"\n3,c\n', [2]),  # closed only by the next one's
        ("1,a\n\n2,b\n", [3]),
        ("1,a\rb\n2,c\n", [2]),
        ("1,a\r2,c\r", [2]),
        ("1,a\0\n2,b\n", [2]),
        ('1,"a\0\n"\n2\n', [2, 4]),
    ],
)
def test_each_row_that_cannot_be_read_is_told_by_its_line_and_the_others_stay(body: str, lines: list[int]) -> None:
    data = body_of(("x,y\n" + body).encode())
    found = scan(data, 2)
    assert not is_well_formed(data, 2)
    assert [line for line, _ in found.problems] == lines
    assert len(found.records) == len(found.lines)
    assert all(header_of(record.encode()) for record in found.records)


def test_bytes_that_are_no_utf8_are_told_by_line() -> None:
    data = b"x,y\n1,a\n2,\xe9\n3,\xc3\xa9\n4,\xed\xa0\x80"
    found = scan(data, 2)
    assert not is_well_formed(data, 2)
    assert [line for line, _ in found.problems] == [3, 5]
    assert found.records[1:] == ["1,a", "3,é"]


@pytest.mark.parametrize(
    "data", [b"", b"\n", b"\r\n1,2", "id,name\n".encode("utf-16"), b'id,"na\nme"\n', b"i\0d,x\n", b'i"d,x\n']
)
def test_a_first_line_that_is_no_row_of_text_is_no_header(data: bytes) -> None:
    assert header_of(body_of(data)) is None


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
    assert header_of(body_of(data)) == header


def test_a_field_beyond_any_buffer_is_one_field() -> None:
    long = "x" * 5_000_000 + "\n" * 1000
    data = f'x,y\n1,"{long}"'.encode()
    assert is_well_formed(data, 2)
    assert texts_of(data, TABLE, ["x", "y"])["y"].item() == long
