"""Rules about documents: media types by content, and sanitized file names."""

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from practice.people.rules.documents import (
    EXTENSIONS,
    MAX_BYTES,
    MAX_NAME_LENGTH,
    detect_media_type,
    file_problems,
    sanitize_name,
)


def make_zip(*names: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            archive.writestr(name, "<xml/>")
    return buffer.getvalue()


WORD_FILE = make_zip("[Content_Types].xml", "word/document.xml")


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (b"%PDF-1.7\n...", "application/pdf"),
        (b"\x89PNG\r\n\x1a\n\0\0", "image/png"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "image/jpeg"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "image/heic"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0", None),  # a video
        (WORD_FILE, "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        (make_zip("[Content_Types].xml", "word/document.xml", "word/vbaProject.bin"), None),
        (make_zip("xl/workbook.xml"), None),
        ("Grüße\tand\r\nlines\f".encode(), "text/plain"),
        ("Grüße".encode("latin-1"), None),
        (b"a\0b", None),
        (b"\x7fELF\x02\x01", None),
        (b"MZ\x90\0", None),
        (b" %PDF-1.7", "text/plain"),
    ],
)
def test_the_media_type_is_detected_by_content(content: bytes, media_type: str | None) -> None:
    assert detect_media_type(content) == media_type
    assert bool(file_problems(content, media_type)) is (media_type is None)


def test_a_file_is_neither_empty_nor_above_the_limit() -> None:
    for content, problems in ((b"", 1), (b"a", 0), (b"a" * MAX_BYTES, 0), (b"a" * (MAX_BYTES + 1), 1)):
        assert len(file_problems(content, detect_media_type(content))) == problems


@pytest.mark.parametrize(
    ("name", "sanitized"),
    [
        ("letter.pdf", "letter.pdf"),
        ("Letter.PDF", "Letter.PDF"),
        ("../../etc/passwd", "passwd.pdf"),
        ("C:\\scans\\Überweisung 3.pdf", "Überweisung 3.pdf"),
        ("a\r\nSet-Cookie: b.pdf", "a Set-Cookie: b.pdf"),
        ("exe.\u202efdp.pdf", "exe. fdp.pdf"),  # right-to-left override
        ("scan.exe", "scan.exe.pdf"),
        (".pdf", "pdf.pdf"),
        ("...", "document.pdf"),
        ("", "document.pdf"),
        ("x" * 300 + ".pdf", "x" * 96 + ".pdf"),
    ],
)
def test_a_name_loses_misleading_characters(name: str, sanitized: str) -> None:
    assert sanitize_name(name, "application/pdf") == sanitized


@given(st.text(max_size=400), st.sampled_from(sorted(EXTENSIONS)))
def test_a_sanitized_name_is_short_and_printable_and_has_an_extension_of_its_type(name: str, media_type: str) -> None:
    sanitized = sanitize_name(name, media_type)
    assert sanitized.isprintable()
    assert len(sanitized) <= MAX_NAME_LENGTH
    assert not set(sanitized) & set("/\\")
    assert sanitized.lower().endswith(EXTENSIONS[media_type])
    assert not sanitized.startswith((".", " "))
    assert sanitize_name(sanitized, media_type) == sanitized
