"""Rules about intake forms: missing answers, and the consents of a complete form."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from practice.people.rules.intake import (
    REQUIRED_ANSWERS,
    collect_consents,
    find_missing_answers,
    is_treatment_declined,
    merge_emergency_contact,
    parse_emergency_contact,
)
from tests.support.drivers.sample_requests.intake import ANSWERS

AGREEMENTS = ANSWERS["agreements"]


def change_answers(step: str, **answers: Any) -> dict[str, dict[str, Any]]:
    return ANSWERS | {step: ANSWERS[step] | answers}


def test_a_complete_form_has_no_missing_answers() -> None:
    assert find_missing_answers(ANSWERS, minor=False) == []


def test_a_blank_form_reports_all_missing_answers_of_all_steps() -> None:
    problems = find_missing_answers({}, minor=True)
    assert len(problems) == sum(len(questions) for questions in REQUIRED_ANSWERS.values())
    assert {problem.message.partition(":")[0] for problem in problems} == {
        "Personal",
        "Assessment",
        "Goals",
        "Agreements",
    }


@given(
    st.sets(
        st.sampled_from([(step, question) for step, questions in REQUIRED_ANSWERS.items() for question in questions])
    )
)
def test_each_unanswered_question_is_reported_once(unanswered: set[tuple[str, str]]) -> None:
    answers = {
        step: {name: answer for name, answer in questions.items() if (step, name) not in unanswered}
        for step, questions in ANSWERS.items()
    }
    assert len(find_missing_answers(answers, minor=False)) == len(unanswered)


@pytest.mark.parametrize(
    ("answers", "minor", "missing"),
    [
        (change_answers("assessment", current_symptoms=[]), False, 1),
        (change_answers("assessment", previous_therapy=True, severity_level=10), False, 0),
        (change_answers("agreements", consent_to_treatment=False), False, 0),  # "no" is an answer
        (change_answers("agreements", signed_by_name=None), False, 1),
        ({**ANSWERS, "agreements": dict.fromkeys(REQUIRED_ANSWERS["agreements"], False)}, True, 0),  # nothing is signed
        (change_answers("agreements", signed_by_name=None), True, 1),
        (change_answers("agreements", signed_by_name=None, guardian_name="Pat Example"), True, 0),
        (change_answers("agreements", signed_by_name=None, guardian_name="Pat Example"), False, 1),
    ],
)
def test_an_agreement_has_to_be_signed(answers: dict[str, Any], minor: bool, missing: int) -> None:
    assert len(find_missing_answers(answers, minor)) == missing


@pytest.mark.parametrize(
    ("agreements", "minor", "signers"),
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
            {"INFORMED_TREATMENT": "Pat Example", "GUARDIAN": "Pat Example"},
        ),
    ],
)
def test_a_yes_gives_a_consent_and_a_no_gives_none(
    agreements: dict[str, Any], minor: bool, signers: dict[str, str]
) -> None:
    assert collect_consents(AGREEMENTS | agreements, minor) == signers


@pytest.mark.parametrize(
    ("text", "name", "phone"),
    [
        ("A sister, 404-555-0102", "A sister", "404-555-0102"),
        ("Kim Example (mother), cell 404-555-0102", "Kim Example (mother)", "404-555-0102"),
        ("Kim Example tel.: (404) 555-0102 or 404-555-0103", "Kim Example", "(404) 555-0102"),
        ("+1 404 555 0102 ext 12\nKim Example", "Kim Example", "+1 404 555 0102 ext 12"),
        ("Kim\n Example", "Kim Example", None),
        ("phone: 404-555-0102", None, "404-555-0102"),
        ("Kim Example, 12 Oak Street, 30301", "Kim Example, 12 Oak Street, 30301", None),
        ("K" * 150, "K" * 100, None),
    ],
)
def test_an_emergency_contact_has_a_name_and_a_phone(text: str, name: str | None, phone: str | None) -> None:
    assert parse_emergency_contact(text) == (name, phone)


@pytest.mark.parametrize(
    ("text", "name", "phone", "changes"),
    [
        ("Kim, 404-555-0102", "Kin", "404-555-0101", {"name": "Kim", "phone": "404-555-0102"}),
        ("Kim, 404-555-0102", None, None, {"name": "Kim", "phone": "404-555-0102"}),
        ("Kin, 404-555-0102", "Kin", "404-555-0101", {"phone": "404-555-0102"}),
        ("Kim", "Kin", "404-555-0101", {}),
        ("Kim", "Kin", None, {}),
        ("Kim", "", "404-555-0101", {"name": "Kim"}),
        ("404-555-0102", "Kin", None, {"phone": "404-555-0102"}),
        ("404-555-0102", "Kin", "404-555-0101", {}),
    ],
)
def test_a_name_and_a_phone_replace_the_contact_only_together(
    text: str, name: str | None, phone: str | None, changes: dict[str, str]
) -> None:
    expected = {f"emergency_contact_{field}": value for field, value in changes.items()}
    assert merge_emergency_contact(text, name, phone) == expected


def test_only_a_no_declines_treatment() -> None:
    assert is_treatment_declined({"consent_to_treatment": False})
    assert not is_treatment_declined({"consent_to_treatment": None})
    assert not is_treatment_declined({})
