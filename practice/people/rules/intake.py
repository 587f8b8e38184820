"""Rules about intake forms: required answers, and the consents and emergency contact that a form gives."""

import re
from collections.abc import Mapping
from typing import Any

from practice.errors import FieldProblem
from practice.people.rules.clients import is_valid_phone
from practice.people.rules.consents import GUARDIAN

STEPS = ("personal", "assessment", "goals", "agreements")
Answers = Mapping[str, Mapping[str, Any]]
"""Answers by step and question; a step that was never saved is absent."""

# Required answers, as worded in the message that asks for them. All other questions are optional.
REQUIRED_ANSWERS = {
    "personal": {
        "emergency_contact": "an emergency contact",
        "medical_history": "the medical history (or none)",
        "current_medications": "current medications (or none)",
        "allergies": "allergies (or none)",
    },
    "assessment": {
        "previous_therapy": "yes or no for previous therapy",
        "current_symptoms": "at least one symptom or concern",
        "severity_level": "the severity from 1 to 10",
    },
    "goals": {
        "therapy_goals": "at least one goal",
        "expectations": "expectations of the therapy",
    },
    "agreements": {
        "consent_to_treatment": "yes or no for treatment",
        "confidentiality_agreement": "yes or no for the confidentiality agreement",
        "data_processing_consent": "yes or no for data processing",
        "terms": "yes or no for the terms",
    },
}
CONSENTS = {
    "consent_to_treatment": "INFORMED_TREATMENT",
    "confidentiality_agreement": "CONFIDENTIALITY",
    "data_processing_consent": "DATA_PROCESSING",
}


def find_missing_answers(answers: Answers, minor: bool) -> list[FieldProblem]:
    """Return a problem per missing answer over all steps. "No" is an answer that gives no consent."""
    problems = [
        FieldProblem(f"{step}.{question}", f"{step.capitalize()}: enter {label}.")
        for step, questions in REQUIRED_ANSWERS.items()
        for question, label in questions.items()
        if answers.get(step, {}).get(question) in (None, [])
    ]
    agreements = answers.get("agreements", {})
    agrees = any(agreements.get(question) for question in REQUIRED_ANSWERS["agreements"])
    if agrees and choose_signer(agreements, minor) is None:
        guardian = ", who is the guardian because the client is under 18" if minor else ""
        field = "agreements.guardian_name" if minor else "agreements.signed_by_name"
        problems.append(FieldProblem(field, f"Agreements: enter the signer's name{guardian}."))
    return problems


def collect_consents(agreements: Mapping[str, Any], minor: bool) -> dict[str, str]:
    """Return the signer of each kind of consent given in a complete form. For a minor the guardian signs them all."""
    signer = choose_signer(agreements, minor) or ""
    kinds = [kind for question, kind in CONSENTS.items() if agreements[question]]
    kinds += [GUARDIAN] if minor and agreements["consent_to_treatment"] else []
    return dict.fromkeys(kinds, signer)


def choose_signer(agreements: Mapping[str, Any], minor: bool) -> str | None:
    """Return the name that signs: a minor's guardian, entered as the guardian or as the signer."""
    return (agreements.get("guardian_name") if minor else None) or agreements.get("signed_by_name")


def is_treatment_declined(agreements: Mapping[str, Any]) -> bool:
    return agreements.get("consent_to_treatment") is False


# The emergency contact is typed as one text, such as "Kim Example (mother), cell 404-555-0102".
PHONE = re.compile(r"[+(]*[0-9][0-9() ./-]{5,}[0-9](?: ?(?:x|ext\.?) ?[0-9]{1,6})?")
BEFORE_PHONE = re.compile(r"(?:(?:^|[ ,;:(-]+)(?:phone|tel|cell|mobile|at)\b)?[ .,;:(-]*$", re.IGNORECASE)
MAX_NAME = 100


def parse_emergency_contact(text: str) -> tuple[str | None, str | None]:
    """Return the name and the phone number in the text; None for a part that is not found."""
    line = " ".join(text.split())
    match = next((match for match in PHONE.finditer(line) if is_valid_phone(match[0])), None)
    if match is None:
        return line[:MAX_NAME] or None, None
    name = BEFORE_PHONE.sub("", line[: match.start()]) or line[match.end() :].strip(" ,;:-)")
    return name[:MAX_NAME].strip() or None, match[0]


def merge_emergency_contact(text: str, name: str | None, phone: str | None) -> dict[str, str]:
    """Return the changes to the contact in the client's record: the typed one if complete, otherwise what is missing.

    A new name never stands with the old contact's phone number.
    """
    typed_name, typed_phone = parse_emergency_contact(text)
    typed = {"emergency_contact_name": typed_name, "emergency_contact_phone": typed_phone}
    current = {"emergency_contact_name": name, "emergency_contact_phone": phone}
    is_complete = typed_name is not None and typed_phone is not None
    return {
        field: value
        for field, value in typed.items()
        if value is not None and value != current[field] and (is_complete or not current[field])
    }
