"""Templates: the usual ones are in order, and what is wrong with others is said."""

import pytest

from practice.clinical.documents.rules.templates import PROGRESS_REPORT, SOAP, USUAL, Place, template_problems
from practice.clinical.models.notes import NOTE_TYPES


@pytest.mark.parametrize("kind", USUAL)
def test_the_usual_templates_are_in_order(kind: str) -> None:
    assert template_problems(kind, USUAL[kind]) == []


def test_every_kind_of_note_has_one_and_so_have_reports() -> None:
    assert set(USUAL) == {*NOTE_TYPES, PROGRESS_REPORT}


def test_a_soap_note_keeps_its_four_sections_and_may_ask_otherwise() -> None:
    asked = [Place(place.key, place.title.upper(), "Otherwise?") for place in SOAP]
    assert template_problems("SOAP_NOTE", asked) == []
    assert len(template_problems("SOAP_NOTE", asked[:3])) == 1
    assert len(template_problems("SOAP_NOTE", asked[::-1])) == 1


@pytest.mark.parametrize(
    ("places", "problems"),
    [
        ([], 2),
        ([Place("Mood", "Mood")], 1),
        ([Place("text", "Text")], 1),  # which is what a note is called that came in as it is
        ([Place("mood", "Mood"), Place("mood", "Again")], 1),
        ([Place("mood", "Mood", required=False)], 1),
        ([Place(f"s{number}", "S") for number in range(31)], 1),
        ([Place("mood", "Mood"), Place("sleep", "Sleep", required=False)], 0),
    ],
)
def test_what_is_wrong_with_a_template_is_said(places: list[Place], problems: int) -> None:
    assert len(template_problems("PROGRESS_NOTE", places)) == problems
