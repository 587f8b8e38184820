"""PDF documents: user text appears exactly as written and never as markup, and no document harms the service."""

import io
import os
from pathlib import Path

import pytest
from pypdf import PdfReader

from practice import pdf
from practice.pdf import Document, DocumentTooLong, PrintingBusy, Section, Table, render_pdf
from practice.pdf.limits import ProcessLimits, estimate_pages

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


# Limits


def list_children() -> set[str]:
    """Return the child processes of this process."""
    return set(Path(f"/proc/self/task/{os.getpid()}/children").read_text().split())


@pytest.mark.parametrize(
    "document",
    [
        Document("Report", sections=[Section(f"Part {number}", "a\n" * 10_000) for number in range(30)]),
        Document("Report", sections=[Section("Summary", "word " * 400_000)]),
        Document("Report", sections=[Section("Lines", table=Table(["Session"], [["S"]] * 20_000))]),
    ],
)
def test_a_document_of_too_many_pages_is_refused_before_it_is_typeset(
    document: Document, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pdf, "TYPESETTER", Path("/nowhere"))
    with pytest.raises(DocumentTooLong, match=r"pages; a PDF has at most 200\. Shorten"):
        render_pdf(document)


@pytest.mark.parametrize("text", ["a\n" * 2_000, "word " * 20_000], ids=["lines", "words"])
def test_the_estimate_of_pages_is_close(text: str) -> None:
    document = Document("Report", sections=[Section("Summary", text)])
    assert 0.7 <= estimate_pages([text], 0) / len(extract_pages(document)) <= 1.5


@pytest.mark.parametrize(
    "limits",
    [ProcessLimits(memory_bytes=400 << 20), ProcessLimits(cpu_seconds=1), ProcessLimits(seconds=0.5)],
    ids=["memory", "processor time", "time"],
)
def test_a_runaway_document_ends_without_harm_to_the_worker(
    limits: ProcessLimits, monkeypatch: pytest.MonkeyPatch
) -> None:
    children = list_children()
    monkeypatch.setattr(pdf, "MAX_PAGES", 10**6)
    runaway = Document("Report", sections=[Section(f"Part {number}", "a\n" * 10_000) for number in range(30)])
    with monkeypatch.context() as patch:
        patch.setattr(pdf, "LIMITS", limits)
        with pytest.raises(DocumentTooLong, match="takes too long"):
            render_pdf(runaway)
    assert list_children() == children
    assert len(extract_pages(Document("Report", sections=[Section("Summary", "Short.")]))) == 1


@pytest.mark.parametrize(
    "limits",
    [ProcessLimits(memory_bytes=4 << 30, cpu_seconds=1), ProcessLimits(memory_bytes=4 << 30, seconds=0.5)],
    ids=["processor time", "time"],
)
def test_a_document_that_fits_in_memory_ends_when_it_takes_too_long(
    limits: ProcessLimits, monkeypatch: pytest.MonkeyPatch
) -> None:
    children = list_children()
    monkeypatch.setattr(pdf, "MAX_PAGES", 10**6)
    monkeypatch.setattr(pdf, "LIMITS", limits)
    slow = Document("Report", sections=[Section(f"Part {number}", "a\n" * 10_000) for number in range(20)])
    with pytest.raises(DocumentTooLong, match="takes too long"):
        render_pdf(slow)
    assert list_children() == children


def test_one_document_is_typeset_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "MAX_WAIT_SECONDS", 0.01)
    short = Document("Report", sections=[Section("Summary", "Short.")])
    with pdf.TURN, pytest.raises(PrintingBusy):
        render_pdf(short)
    assert len(extract_pages(short)) == 1


def test_the_typesetter_gets_no_environment_and_writes_nothing_to_disk(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    script = tmp_path / "typesetter.py"
    source = Path(pdf.__file__).with_name("typesetter.py").read_text()
    probe = f"""
    import os
    sys.stdout.write(" ".join(os.environ))
    try:
        os.write(os.open({str(tmp_path / "text")!r}, os.O_CREAT | os.O_WRONLY), b"text")
    except OSError:
        sys.stdout.write("no file")
"""
    script.write_text(source.replace("    try:\n", probe + "    try:\n", 1).replace("LAYOUT = Path", "LAYOUT = b'' # "))
    monkeypatch.setattr(pdf, "TYPESETTER", script)
    monkeypatch.setenv("DATABASE_URL", "postgresql://somebody@nowhere/secret")
    printed = pdf.typeset(b"{}").decode(errors="replace")
    assert "DATABASE_URL" not in printed
    assert "no file" in printed
    assert (tmp_path / "text").read_bytes() == b""
