"""When an intake form is complete, and which consents it gives. Values in, sentences out."""

from collections.abc import Mapping
from typing import Any

from practice.people.rules.consents import GUARDIAN

STEPS = ("personal", "assessment", "goals", "agreements")
Answers = Mapping[str, Mapping[str, Any]]
"""By step, and in it by question; a step that was never saved is not there."""

# What has to be answered, in the words of the sentence that asks for it. Everything else may stay open.
NEEDED = {
    "personal": {
        "emergency_contact": "whom to call in an emergency",
        "medical_history": "the medical history, or that there is none",
        "current_medications": "current medications, or that there are none",
        "allergies": "allergies, or that there are none",
    },
    "assessment": {
        "previous_therapy": "whether there was therapy before",
        "current_symptoms": "at least one symptom or concern",
        "severity_level": "how severe it is, from 1 to 10",
    },
    "goals": {
        "therapy_goals": "at least one goal",
        "expectations": "what is expected of the therapy",
    },
    "agreements": {
        "consent_to_treatment": "yes or no to the treatment",
        "confidentiality_agreement": "yes or no to the confidentiality agreement",
        "data_processing_consent": "yes or no to the processing of data",
        "terms": "yes or no to the terms",
    },
}
CONSENTS = {
    "consent_to_treatment": "INFORMED_TREATMENT",
    "confidentiality_agreement": "CONFIDENTIALITY",
    "data_processing_consent": "DATA_PROCESSING",
}


def missing(answers: Answers, minor: bool) -> list[str]:
    """All that a form still lacks, over all its steps. No is an answer; it gives no consent."""
    found = [
        f"{step.capitalize()}: say {words}."
        for step, questions in NEEDED.items()
        for question, words in questions.items()
        if answers.get(step, {}).get(question) in (None, [])
    ]
    agreements = answers.get("agreements", {})
    if any(agreements.get(question) for question in NEEDED["agreements"]) and not agreements.get("signed_by_name"):
        found.append("Agreements: write the name of who signs.")
    if minor and agreements.get("consent_to_treatment") and not agreements.get("guardian_name"):
        found.append("Agreements: the client is under 18, so write the name of the guardian who consents.")
    return found


def consents_given(agreements: Mapping[str, Any], minor: bool) -> dict[str, str]:
    """Kind of consent -> who gave it, of a complete form."""
    given = {kind: agreements["signed_by_name"] for question, kind in CONSENTS.items() if agreements[question]}
    if minor and agreements["consent_to_treatment"]:
        given[GUARDIAN] = agreements["guardian_name"]
    return given
