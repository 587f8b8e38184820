"""Rules of document content: sections and diagnoses, how they are serialized, and what has to be filled in."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from practice.errors import FieldProblem

MAX_SECTION_LENGTH = 20_000
MAX_SECTIONS = 30
MAX_LINES = 2_500  # in all sections together, so that every document can be printed
MAX_DIAGNOSES = 12
ICD_10 = re.compile(r"[A-Z][0-9][0-9AB](\.[0-9A-TV-Z]{1,4})?")
IMPORTED_SECTION = "text"  # the only section of a note imported as plain text


@dataclass(frozen=True)
class Section:
    """One section of a document."""

    key: str
    title: str
    text: str = ""


@dataclass(frozen=True)
class Content:
    """The written content of a document. The random `salt` prevents guessing a short text from its hash."""

    sections: tuple[Section, ...]
    diagnoses: tuple[str, ...] = ()
    salt: str = field(default="", repr=False)

    @property
    def is_empty(self) -> bool:
        return not any(section.text.strip() for section in self.sections)


def canonical_json(content: Content) -> str:
    """Return the content as JSON for encryption and signing. Equal content always gives equal text."""
    document = {
        "sections": [[section.key, section.title, section.text] for section in content.sections],
        "diagnoses": list(content.diagnoses),
        "salt": content.salt,
    }
    return json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def parse(text: str) -> Content:
    """Return the content read from its canonical JSON."""
    document = json.loads(text)
    sections = tuple(Section(*parts) for parts in document["sections"])
    return Content(sections, tuple(document["diagnoses"]), document["salt"])


def imported_content(text: str) -> Content:
    """Return the content of an imported note, which is one plain text."""
    return Content((Section(IMPORTED_SECTION, "", text),))


def as_text(content: Content) -> str:
    """Return the content as one text, for bundles, search and printing."""
    if [section.key for section in content.sections] == [IMPORTED_SECTION]:
        return content.sections[0].text
    parts = [f"{section.title}\n{section.text.strip()}" for section in content.sections if section.text.strip()]
    if content.diagnoses:
        parts.append("Diagnoses\n" + ", ".join(content.diagnoses))
    return "\n\n".join(parts)


def full_text(content: Content, addenda: Sequence[Content]) -> str:
    """Return the content followed by its addenda as one text."""
    addendum_texts = [f"Addendum {number}\n{as_text(addendum).strip()}" for number, addendum in enumerate(addenda, 1)]
    return "\n\n".join([as_text(content), *addendum_texts])


def fill_template(titles: Mapping[str, str], texts: Mapping[str, str], diagnoses: Iterable[str], salt: str) -> Content:
    """Return the sections of a template filled with the texts. Unknown sections come last and fail validation."""
    known = [Section(key, title, texts.get(key, "")) for key, title in titles.items()]
    unknown = [Section(key, key, text) for key, text in texts.items() if key not in titles]
    return Content((*known, *unknown), tuple(diagnoses), salt)


def content_problems(content: Content, keys: Iterable[str]) -> list[FieldProblem]:
    """Return why the content cannot be saved. Sections may be empty until signing."""
    known = list(keys)
    problems = [
        FieldProblem("sections", f"Unknown section. Use the keys of the template: {', '.join(known)}.")
        for section in content.sections
        if section.key not in known
    ][:1]
    section_keys = [section.key for section in content.sections]
    problems += [
        FieldProblem("sections", f"Section {key!r} occurs twice. Send it once.")
        for key in sorted({k for k in section_keys if section_keys.count(k) > 1})
    ]
    problems += [
        FieldProblem("sections", f"Section {section.key!r} is longer than {MAX_SECTION_LENGTH:,} characters.")
        for section in content.sections
        if len(section.text) > MAX_SECTION_LENGTH
    ]
    lines = sum(bool(line.strip()) for section in content.sections for line in section.text.split("\n"))
    if lines > MAX_LINES:
        message = f"The sections have {lines:,} lines; at most {MAX_LINES:,} can be printed. Remove or join lines."
        problems.append(FieldProblem("sections", message))
    return problems + diagnosis_problems(content.diagnoses)


def diagnosis_problems(codes: Iterable[str]) -> list[FieldProblem]:
    codes_list = list(codes)
    problems = [
        FieldProblem(f"diagnoses.item {number}", f"Diagnosis {number} is not an ICD-10 code. Write it like F41.1.")
        for number, code in enumerate(codes_list, 1)
        if not ICD_10.fullmatch(code)
    ]
    if len(codes_list) != len(set(codes_list)):
        problems.append(FieldProblem("diagnoses", "A diagnosis is listed twice. List each once."))
    if len(codes_list) > MAX_DIAGNOSES:
        problems.append(FieldProblem("diagnoses", f"List at most {MAX_DIAGNOSES} diagnoses."))
    return problems


def signing_problems(content: Content, required: Iterable[str], document: str = "note") -> list[str]:
    """Return what is missing before a note can be signed or a report finished."""
    if content.is_empty:
        return [f"The {document} is empty."]
    if [section.key for section in content.sections] == [IMPORTED_SECTION]:
        return []
    filled_keys = {section.key for section in content.sections if section.text.strip()}
    titles = {section.key: section.title for section in content.sections}
    return [f"{titles.get(key, key)} is empty." for key in required if key not in filled_keys]
