"""Rules of templates: the sections that each kind of note and report has where a practice set no others."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from practice.clinical.documents.rules.content import AS_IT_CAME, MOST_SECTIONS

KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")
PROGRESS_REPORT = "PROGRESS_REPORT"


@dataclass(frozen=True)
class Place:
    """A section to be filled in: what it is called, what to think of, and whether it may be empty when signed."""

    key: str
    title: str
    prompt: str = ""
    required: bool = True


SOAP = (
    Place("subjective", "Subjective", "What the client tells, in their words where it matters."),
    Place("objective", "Objective", "What you observed: appearance, mood, affect, behaviour."),
    Place("assessment", "Assessment", "What you make of it; progress towards the goals; risk."),
    Place("plan", "Plan", "What happens next, and until when."),
)

USUAL: dict[str, tuple[Place, ...]] = {
    "SOAP_NOTE": SOAP,
    "PROGRESS_NOTE": (
        Place("focus", "Focus of the session"),
        Place("interventions", "Interventions", "What you did, and why."),
        Place("response", "Response", "How the client took it."),
        Place("progress", "Progress towards goals"),
        Place("next_steps", "Next steps"),
    ),
    "INTAKE_ASSESSMENT": (
        Place("presenting_problem", "Presenting problem"),
        Place("history", "History", "Treatment, medical, family, social."),
        Place("mental_status", "Mental status"),
        Place("risk", "Risk"),
        Place("strengths", "Strengths and supports", required=False),
        Place("impression", "Impression"),
        Place("recommendations", "Recommendations"),
    ),
    "PSYCHIATRIC_EVALUATION": (
        Place("complaint", "Chief complaint"),
        Place("history", "History of the present illness"),
        Place("past_history", "Past psychiatric and medical history"),
        Place("medication", "Medication and allergies"),
        Place("mental_status", "Mental status examination"),
        Place("risk", "Risk"),
        Place("impression", "Impression"),
        Place("plan", "Plan"),
    ),
    "TREATMENT_PLAN": (
        Place("problems", "Problems"),
        Place("goals", "Goals"),
        Place("objectives", "Objectives", "Measurable, each with a date."),
        Place("interventions", "Interventions and frequency"),
        Place("discharge_criteria", "When treatment is done"),
    ),
    "SAFETY_PLAN": (
        Place("warning_signs", "Warning signs"),
        Place("coping", "What the client can do alone"),
        Place("people_and_places", "People and places that distract"),
        Place("helpers", "Whom to ask for help"),
        Place("professionals", "Professionals and agencies"),
        Place("means", "Making the surroundings safe"),
    ),
    "DISCHARGE_SUMMARY": (
        Place("reason", "Reason for discharge"),
        Place("course", "Course of treatment"),
        Place("status", "Status at discharge"),
        Place("aftercare", "Aftercare"),
    ),
    "CRISIS_INTERVENTION": (
        Place("event", "What happened"),
        Place("risk", "Risk"),
        Place("interventions", "Interventions"),
        Place("outcome", "Outcome"),
        Place("follow_up", "Follow-up"),
    ),
    PROGRESS_REPORT: (
        Place("summary", "Summary"),
        Place("progress", "Progress towards goals"),
        Place("attendance", "Attendance", required=False),
        Place("recommendations", "Recommendations"),
    ),
}


def template_problems(kind: str, places: Sequence[Place]) -> list[str]:
    keys = [place.key for place in places]
    problems = [
        f"sections: {key!r} is no key. Use small letters, digits and underscores, a letter first."
        for key in keys
        if not KEY.fullmatch(key) or key == AS_IT_CAME
    ]
    problems += [f"sections: {key!r} stands there twice." for key in sorted({k for k in keys if keys.count(k) > 1})]
    if not 1 <= len(keys) <= MOST_SECTIONS:
        problems.append(f"sections: a template has from 1 to {MOST_SECTIONS}.")
    if kind == "SOAP_NOTE" and keys != [place.key for place in SOAP]:
        problems.append("sections: a SOAP note has its four, in their order; titles and prompts can be others.")
    if not any(place.required for place in places):
        problems.append("sections: at least one has to be required, or an empty note could be signed.")
    return problems
