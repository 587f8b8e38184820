"""Which files a chart takes, told from what is in them, and under which name. Values in, values out."""

import re
import unicodedata

LARGEST = 10 * 1024 * 1024
LONGEST_NAME = 100
PDF, PNG, JPEG, HEIC = "application/pdf", "image/png", "image/jpeg", "image/heic"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
TEXT = "text/plain"
ENDINGS = {  # the first is given to a file whose name ends otherwise
    PDF: (".pdf",),
    PNG: (".png",),
    JPEG: (".jpg", ".jpeg"),
    HEIC: (".heic", ".heif"),
    DOCX: (".docx",),
    TEXT: (".txt",),
}
BEGINNINGS = {PDF: b"%PDF-", PNG: b"\x89PNG\r\n\x1a\n", JPEG: b"\xff\xd8\xff"}
HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"mif1")
NO_TEXT = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f]")


def media_type_of(content: bytes) -> str | None:
    """What a file is by its own bytes, whatever it is called or said to be; None for all that a chart does not take."""
    for media_type, beginning in BEGINNINGS.items():
        if content.startswith(beginning):
            return media_type
    if content[4:8] == b"ftyp" and content[8:12] in HEIC_BRANDS:
        return HEIC
    if content.startswith(b"PK\x03\x04"):  # names stand in a ZIP as they are; one with macros is refused
        return DOCX if b"word/document.xml" in content and b"vbaProject" not in content else None
    try:
        return None if NO_TEXT.search(content.decode()) else TEXT
    except UnicodeDecodeError:
        return None


def clean_name(given: str, media_type: str) -> str:
    """The last part of a path, without what cannot be seen, ending as files of its type do."""
    name = re.split(r"[/\\]", given)[-1]
    name = "".join(" " if unicodedata.category(letter)[0] in "CZ" else letter for letter in name)
    name = " ".join(name.split()).strip(". ")
    endings = ENDINGS[media_type]
    ending = next((name[-len(one) :] for one in endings if name.lower().endswith(one)), "")
    stem = name.removesuffix(ending)[: LONGEST_NAME - len(endings[-1])].strip(". ")
    return (stem or "document") + (ending or endings[0])


def file_problems(content: bytes, media_type: str | None) -> list[str]:
    if not content:
        return ["The file is empty."]
    if len(content) > LARGEST:
        return [f"The file is larger than {LARGEST // 1024 // 1024} MiB. Send it in parts, or smaller."]
    if media_type is None:
        return ["A chart takes PDF, PNG, JPEG, HEIC, text (UTF-8) and Word files without macros; this is none of them."]
    return []
