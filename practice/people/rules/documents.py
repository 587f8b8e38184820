"""Rules about documents: accepted file types, detected by content, and safe file names."""

import re
import unicodedata

from practice.errors import FieldProblem

MAX_BYTES = 10 * 1024 * 1024
MAX_NAME_LENGTH = 100
PDF, PNG, JPEG, HEIC = "application/pdf", "image/png", "image/jpeg", "image/heic"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
TEXT = "text/plain"
EXTENSIONS = {  # the first one is appended to names with another extension
    PDF: (".pdf",),
    PNG: (".png",),
    JPEG: (".jpg", ".jpeg"),
    HEIC: (".heic", ".heif"),
    DOCX: (".docx",),
    TEXT: (".txt",),
}
SIGNATURES = {PDF: b"%PDF-", PNG: b"\x89PNG\r\n\x1a\n", JPEG: b"\xff\xd8\xff"}
HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"mif1")
CONTROL_CHARACTERS = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f]")


def detect_media_type(content: bytes) -> str | None:
    """Return the media type by the content, whatever the name or declared type; None if it is not accepted."""
    for media_type, signature in SIGNATURES.items():
        if content.startswith(signature):
            return media_type
    if content[4:8] == b"ftyp" and content[8:12] in HEIC_BRANDS:
        return HEIC
    if content.startswith(b"PK\x03\x04"):  # member names are uncompressed in a ZIP; macros are refused
        return DOCX if b"word/document.xml" in content and b"vbaProject" not in content else None
    try:
        return None if CONTROL_CHARACTERS.search(content.decode()) else TEXT
    except UnicodeDecodeError:
        return None


def sanitize_name(path: str, media_type: str) -> str:
    """Return the last part of the path without invisible characters and with an extension of the media type."""
    name = re.split(r"[/\\]", path)[-1]
    name = "".join(" " if unicodedata.category(character)[0] in "CZ" else character for character in name)
    name = " ".join(name.split()).strip(". ")
    accepted = EXTENSIONS[media_type]
    extension = next((name[-len(suffix) :] for suffix in accepted if name.lower().endswith(suffix)), "")
    stem = name.removesuffix(extension)[: MAX_NAME_LENGTH - len(accepted[-1])].strip(". ")
    return (stem or "document") + (extension or accepted[0])


def file_problems(content: bytes, media_type: str | None) -> list[FieldProblem]:
    if not content:
        return [FieldProblem("file", "The file is empty. Choose another file.")]
    if len(content) > MAX_BYTES:
        return [FieldProblem("file", f"The file is larger than {MAX_BYTES // 1024 // 1024} MiB. Compress or split it.")]
    if media_type is None:
        message = "Unsupported file type: expected PDF, PNG, JPEG, HEIC, text (UTF-8) or Word without macros."
        return [FieldProblem("file", message)]
    return []
