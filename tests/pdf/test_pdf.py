"""PDF documents: user text appears exactly as written, and is never read as markup."""

import io

import pytest
from pypdf import PdfReader

from practice.pdf import Document, Section, Table, render_pdf

HOSTILE = "#panic() $x$ @ref <label> \\ *bold* _it_ `code` [box] // comment /* more */ #import 1"


def extract_pages(document: Document) -> list[str]:
    return [page.extract_text() for page in PdfReader(io.BytesIO(render_pdf(document))).pages]


def remove_whitespace(text: str) -> str:
    return "".join(text.split())


def test_every_text_appears_exactly_as_written() -> None:
    table = Table(["Session", "Amount"], [["A1", "45.38"], [HOSTILE, "1.00"]], ["Amount"])
    sections = [
        Section("Lines", f"One\ntwo\n\n{HOSTILE}", table),
        Section("Pending", table=Table(["Session"], [], [], "None.")),
    ]
    details = [("Who", "Łukasz Żółć"), ("What", HOSTILE)]
    document = Document(f"Statement {HOSTILE}", "Week", details, sections, "Oak & Street")
    (page,) = extract_pages(document)
    text = remove_whitespace(page)
    for expected in ("Week", "Łukasz Żółć", "One", "two", "A1", "45.38", "Pending", "None.", "Oak & Street", "1 / 1"):
        assert remove_whitespace(expected) in text
    assert text.count(remove_whitespace(HOSTILE)) == 4


def test_a_long_table_continues_on_further_pages_and_repeats_its_header() -> None:
    rows = [[f"S{number}", "1.00"] for number in range(100)]
    pages = extract_pages(
        Document("Statement", sections=[Section("Lines", table=Table(["Session", "Amount"], rows, ["Amount"]))])
    )
    assert len(pages) > 1
    assert all("Amount" in page for page in pages)
    assert [row for row in rows if not any(row[0] in page.split() for page in pages)] == []


@pytest.mark.parametrize("lines", ["\n" * 20_000, "a\n\n\n\n\nb"])
def test_many_empty_lines_are_one(lines: str) -> None:
    assert len(extract_pages(Document("Report", sections=[Section("Summary", lines)]))) == 1
