"""What a file is by its bytes, and the name that it is kept under."""

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from practice.people.rules.documents import ENDINGS, LARGEST, LONGEST_NAME, clean_name, file_problems, media_type_of


def zipped(*names: str) -> bytes:
    into = io.BytesIO()
    with zipfile.ZipFile(into, "w") as archive:
        for name in names:
            archive.writestr(name, "<xml/>")
    return into.getvalue()


WORD = zipped("[Content_Types].xml", "word/document.xml")


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (b"%PDF-1.7\n...", "application/pdf"),
        (b"\x89PNG\r\n\x1a\n\0\0", "image/png"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "image/jpeg"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "image/heic"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0", None),  # a film
        (WORD, "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        (zipped("[Content_Types].xml", "word/document.xml", "word/vbaProject.bin"), None),
        (zipped("xl/workbook.xml"), None),
        ("Grüße\tand\r\nlines\f".encode(), "text/plain"),
        ("Grüße".encode("latin-1"), None),
        (b"a\0b", None),
        (b"\x7fELF\x02\x01", None),
        (b"MZ\x90\0", None),
        (b" %PDF-1.7", "text/plain"),
    ],
)
def test_a_files_bytes_say_what_it_is(content: bytes, media_type: str | None) -> None:
    assert media_type_of(content) == media_type
    assert bool(file_problems(content, media_type)) is (media_type is None)


def test_a_file_is_neither_empty_nor_beyond_the_limit() -> None:
    for content, problems in ((b"", 1), (b"a", 0), (b"a" * LARGEST, 0), (b"a" * (LARGEST + 1), 1)):
        assert len(file_problems(content, media_type_of(content))) == problems


@pytest.mark.parametrize(
    ("given_name", "kept"),
    [
        ("letter.pdf", "letter.pdf"),
        ("Letter.PDF", "Letter.PDF"),
        ("../../etc/passwd", "passwd.pdf"),
        ("C:\\scans\\Überweisung 3.pdf", "Überweisung 3.pdf"),
        ("a\r\nSet-Cookie: b.pdf", "a Set-Cookie: b.pdf"),
        ("exe.\u202efdp.pdf", "exe. fdp.pdf"),  # a sign that turns the writing round
        ("scan.exe", "scan.exe.pdf"),
        (".pdf", "pdf.pdf"),
        ("...", "document.pdf"),
        ("", "document.pdf"),
        ("x" * 300 + ".pdf", "x" * 96 + ".pdf"),
    ],
)
def test_a_name_is_kept_without_what_could_mislead(given_name: str, kept: str) -> None:
    assert clean_name(given_name, "application/pdf") == kept


@given(st.text(max_size=400), st.sampled_from(sorted(ENDINGS)))
def test_a_kept_name_is_short_visible_and_ends_as_its_type_does(name: str, media_type: str) -> None:
    kept = clean_name(name, media_type)
    assert kept.isprintable()
    assert len(kept) <= LONGEST_NAME
    assert not set(kept) & set("/\\")
    assert kept.lower().endswith(ENDINGS[media_type])
    assert not kept.startswith((".", " "))
    assert clean_name(kept, media_type) == kept
