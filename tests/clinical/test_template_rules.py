"""Rules of templates: valid defaults and reported problems."""

import pytest

from practice.clinical.documents.rules.templates import (
    DEFAULT_TEMPLATES,
    PROGRESS_REPORT,
    SOAP,
    TemplateSection,
    template_problems,
)
from practice.clinical.models.notes import NOTE_TYPES


@pytest.mark.parametrize("kind", DEFAULT_TEMPLATES)
def test_default_templates_are_valid(kind: str) -> None:
    assert template_problems(kind, DEFAULT_TEMPLATES[kind]) == []


def test_every_note_type_and_reports_have_a_default_template() -> None:
    assert set(DEFAULT_TEMPLATES) == {*NOTE_TYPES, PROGRESS_REPORT}


def test_a_soap_note_keeps_its_four_sections_with_other_prompts() -> None:
    sections = [TemplateSection(section.key, section.title.upper(), "Otherwise?") for section in SOAP]
    assert template_problems("SOAP_NOTE", sections) == []
    assert len(template_problems("SOAP_NOTE", sections[:3])) == 1
    assert len(template_problems("SOAP_NOTE", sections[::-1])) == 1


@pytest.mark.parametrize(
    ("sections", "problems"),
    [
        ([], 2),
        ([TemplateSection("Mood", "Mood")], 1),
        ([TemplateSection("text", "Text")], 1),  # the key of imported notes
        ([TemplateSection("mood", "Mood"), TemplateSection("mood", "Again")], 1),
        ([TemplateSection("mood", "Mood", required=False)], 1),
        ([TemplateSection(f"s{number}", "S") for number in range(31)], 1),
        ([TemplateSection("mood", "Mood"), TemplateSection("sleep", "Sleep", required=False)], 0),
    ],
)
def test_invalid_templates_are_reported(sections: list[TemplateSection], problems: int) -> None:
    assert len(template_problems("PROGRESS_NOTE", sections)) == problems
