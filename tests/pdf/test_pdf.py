"""Paper: what people wrote stands on it to the letter, whatever it looks like, and is never read as markup."""

import io

import pytest
from pypdf import PdfReader

from practice.pdf import Paper, Part, Table, pdf_of

HOSTILE = "#panic() $x$ @ref <label> \\ *bold* _it_ `code` [box] // comment /* more */ #import 1"


def pages_of(paper: Paper) -> list[str]:
    return [page.extract_text() for page in PdfReader(io.BytesIO(pdf_of(paper))).pages]


def without_blanks(text: str) -> str:
    return "".join(text.split())


def test_everything_that_is_given_stands_on_it_to_the_letter() -> None:
    table = Table(["Session", "Amount"], [["A1", "45.38"], [HOSTILE, "1.00"]], ["Amount"])
    parts = [
        Part("Lines", f"One\ntwo\n\n{HOSTILE}", table),
        Part("Standing by", table=Table(["Session"], [], [], "None.")),
    ]
    paper = Paper(f"Statement {HOSTILE}", "Week", [("Who", "Łukasz Żółć"), ("What", HOSTILE)], parts, "Oak & Street")
    (page,) = pages_of(paper)
    text = without_blanks(page)
    for told in ("Week", "Łukasz Żółć", "One", "two", "A1", "45.38", "Standing by", "None.", "Oak & Street", "1 / 1"):
        assert without_blanks(told) in text
    assert text.count(without_blanks(HOSTILE)) == 4


def test_a_long_table_goes_on_over_pages_that_repeat_its_head() -> None:
    rows = [[f"S{number}", "1.00"] for number in range(100)]
    pages = pages_of(Paper("Statement", parts=[Part("Lines", table=Table(["Session", "Amount"], rows, ["Amount"]))]))
    assert len(pages) > 1
    assert all("Amount" in page for page in pages)
    assert [row for row in rows if not any(row[0] in page.split() for page in pages)] == []


@pytest.mark.parametrize("lines", ["\n" * 20_000, "a\n\n\n\n\nb"])
def test_many_empty_lines_are_one(lines: str) -> None:
    assert len(pages_of(Paper("Report", parts=[Part("Summary", lines)]))) == 1
