"""Rules of what notes and reports say: sections and diagnoses, how they are kept, and what has to be filled in."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

SECTION_LENGTH = 20_000
MOST_SECTIONS = 30
MOST_DIAGNOSES = 12
ICD_10 = re.compile(r"[A-Z][0-9][0-9AB](\.[0-9A-TV-Z]{1,4})?")
AS_IT_CAME = "text"  # the one section of a note that came in as plain text


@dataclass(frozen=True)
class Section:
    key: str
    title: str
    text: str = ""


@dataclass(frozen=True)
class Content:
    """What somebody wrote. `salt` is random: without it nobody could be kept from guessing a short text by its hash."""

    sections: tuple[Section, ...]
    diagnoses: tuple[str, ...] = ()
    salt: str = field(default="", repr=False)

    @property
    def empty(self) -> bool:
        return not any(section.text.strip() for section in self.sections)


def kept(content: Content) -> str:
    """As it is sealed and signed: the same content is always the same text."""
    document = {
        "sections": [[section.key, section.title, section.text] for section in content.sections],
        "diagnoses": list(content.diagnoses),
        "salt": content.salt,
    }
    return json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def read(text: str) -> Content:
    document = json.loads(text)
    sections = tuple(Section(*parts) for parts in document["sections"])
    return Content(sections, tuple(document["diagnoses"]), document["salt"])


def as_it_came(text: str) -> Content:
    return Content((Section(AS_IT_CAME, "", text),))


def written(content: Content) -> str:
    """As one text, for a bundle, for looking for words, for paper."""
    if [section.key for section in content.sections] == [AS_IT_CAME]:
        return content.sections[0].text
    parts = [f"{section.title}\n{section.text.strip()}" for section in content.sections if section.text.strip()]
    if content.diagnoses:
        parts.append("Diagnoses\n" + ", ".join(content.diagnoses))
    return "\n\n".join(parts)


def composed(content: Content, addenda: Sequence[Content]) -> str:
    """A note as it stands: what it says, and below it what was added after its signature."""
    below = [f"Addendum {number}\n{written(addendum).strip()}" for number, addendum in enumerate(addenda, 1)]
    return "\n\n".join([written(content), *below])


def filled(titles: Mapping[str, str], texts: Mapping[str, str], diagnoses: Iterable[str], salt: str) -> Content:
    """A template's sections with what was written into them. What belongs into none comes last, to be refused."""
    known = [Section(key, title, texts.get(key, "")) for key, title in titles.items()]
    strange = [Section(key, key, text) for key, text in texts.items() if key not in titles]
    return Content((*known, *strange), tuple(diagnoses), salt)


def content_problems(content: Content, keys: Iterable[str]) -> list[str]:
    """What is wrong with something to be saved. Empty sections may be: it is not signed yet."""
    known = list(keys)
    problems = [
        f"sections: number {place} is none of this note's; those are {', '.join(known)}."
        for place, section in enumerate(content.sections, 1)
        if section.key not in known
    ]
    found = [section.key for section in content.sections]
    problems += [f"sections: {key!r} stands there twice." for key in sorted({k for k in found if found.count(k) > 1})]
    problems += [
        f"sections: {section.key!r} is longer than {SECTION_LENGTH:,} characters."
        for section in content.sections
        if len(section.text) > SECTION_LENGTH
    ]
    return problems + diagnosis_problems(content.diagnoses)


def diagnosis_problems(codes: Iterable[str]) -> list[str]:
    given = list(codes)
    problems = [
        f"diagnoses: number {place} is no ICD-10 code. Write it like F41.1."
        for place, code in enumerate(given, 1)
        if not ICD_10.fullmatch(code)
    ]
    if len(given) != len(set(given)):
        problems.append("diagnoses: a code stands there twice.")
    if len(given) > MOST_DIAGNOSES:
        problems.append(f"diagnoses: there are at most {MOST_DIAGNOSES}.")
    return problems


def signing_problems(content: Content, required: Iterable[str], what: str = "note") -> list[str]:
    """What is missing for a signature, or to finish a report."""
    if content.empty:
        return [f"The {what} is empty."]
    if [section.key for section in content.sections] == [AS_IT_CAME]:
        return []
    filled = {section.key for section in content.sections if section.text.strip()}
    titles = {section.key: section.title for section in content.sections}
    return [f"{titles.get(key, key)} is empty." for key in required if key not in filled]
