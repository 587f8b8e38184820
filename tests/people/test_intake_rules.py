"""What an intake form still lacks, and which consents a complete one gives."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from practice.people.rules.intake import NEEDED, consents_given, missing
from tests.support.drivers.sample_requests.intake import ANSWERS

AGREEMENTS = ANSWERS["agreements"]


def changed(step: str, **answers: Any) -> dict[str, dict[str, Any]]:
    return ANSWERS | {step: ANSWERS[step] | answers}


def test_a_form_with_everything_lacks_nothing() -> None:
    assert missing(ANSWERS, minor=False) == []


def test_a_blank_form_lacks_everything_of_every_step_at_once() -> None:
    found = missing({}, minor=True)
    assert len(found) == sum(len(questions) for questions in NEEDED.values())
    assert {sentence.partition(":")[0] for sentence in found} == {"Personal", "Assessment", "Goals", "Agreements"}


@given(st.sets(st.sampled_from([(step, question) for step, questions in NEEDED.items() for question in questions])))
def test_each_open_question_is_asked_for_once(open_ones: set[tuple[str, str]]) -> None:
    answers = {
        step: {name: answer for name, answer in given.items() if (step, name) not in open_ones}
        for step, given in ANSWERS.items()
    }
    assert len(missing(answers, minor=False)) == len(open_ones)


@pytest.mark.parametrize(
    ("answers", "minor", "lacking"),
    [
        (changed("assessment", current_symptoms=[]), False, 1),
        (changed("assessment", previous_therapy=True, severity_level=10), False, 0),
        (changed("agreements", consent_to_treatment=False), False, 0),  # no is an answer
        (changed("agreements", signed_by_name=None), False, 1),
        ({**ANSWERS, "agreements": dict.fromkeys(NEEDED["agreements"], False)}, True, 0),  # nothing is signed
        (ANSWERS, True, 1),
        (changed("agreements", guardian_name="Pat Example"), True, 0),
        (changed("agreements", consent_to_treatment=False), True, 0),
    ],
)
def test_what_is_agreed_to_has_to_be_signed(answers: dict[str, Any], minor: bool, lacking: int) -> None:
    assert len(missing(answers, minor)) == lacking


@pytest.mark.parametrize(
    ("agreed", "minor", "given_by"),
    [
        (
            {},
            False,
            dict.fromkeys(("INFORMED_TREATMENT", "CONFIDENTIALITY", "DATA_PROCESSING"), "Casey Example"),
        ),
        ({"consent_to_treatment": False}, True, dict.fromkeys(("CONFIDENTIALITY", "DATA_PROCESSING"), "Casey Example")),
        (
            {"confidentiality_agreement": False, "data_processing_consent": False, "guardian_name": "Pat Example"},
            True,
            {"INFORMED_TREATMENT": "Casey Example", "GUARDIAN": "Pat Example"},
        ),
    ],
)
def test_a_yes_gives_a_consent_and_a_no_gives_none(
    agreed: dict[str, Any], minor: bool, given_by: dict[str, str]
) -> None:
    assert consents_given(AGREEMENTS | agreed, minor) == given_by
