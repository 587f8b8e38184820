"""Rules of templates and the default sections of each type of note and report."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from practice.clinical.documents.rules.content import IMPORTED_SECTION, MAX_SECTIONS
from practice.errors import FieldProblem

KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")
KEY_HINT = "Use lowercase letters, digits and underscores, starting with a letter."
PROGRESS_REPORT = "PROGRESS_REPORT"


@dataclass(frozen=True)
class TemplateSection:
    """A section to fill in: its title, a prompt, and whether it may be empty when signed."""

    key: str
    title: str
    prompt: str = ""
    required: bool = True


SOAP = (
    TemplateSection("subjective", "Subjective", "The client's report, in their words where it matters."),
    TemplateSection("objective", "Objective", "Your observations: appearance, mood, affect, behavior."),
    TemplateSection("assessment", "Assessment", "Your assessment: progress toward the goals, risk."),
    TemplateSection("plan", "Plan", "Next steps, with dates."),
)

DEFAULT_TEMPLATES: dict[str, tuple[TemplateSection, ...]] = {
    "SOAP_NOTE": SOAP,
    "PROGRESS_NOTE": (
        TemplateSection("focus", "Focus of the session"),
        TemplateSection("interventions", "Interventions", "Your interventions and their reasons."),
        TemplateSection("response", "Response", "The client's response to them."),
        TemplateSection("progress", "Progress toward goals"),
        TemplateSection("next_steps", "Next steps"),
    ),
    "INTAKE_ASSESSMENT": (
        TemplateSection("presenting_problem", "Presenting problem"),
        TemplateSection("history", "History", "Treatment, medical, family, social."),
        TemplateSection("mental_status", "Mental status"),
        TemplateSection("risk", "Risk"),
        TemplateSection("strengths", "Strengths and supports", required=False),
        TemplateSection("impression", "Impression"),
        TemplateSection("recommendations", "Recommendations"),
    ),
    "PSYCHIATRIC_EVALUATION": (
        TemplateSection("complaint", "Chief complaint"),
        TemplateSection("history", "History of the present illness"),
        TemplateSection("past_history", "Past psychiatric and medical history"),
        TemplateSection("medication", "Medication and allergies"),
        TemplateSection("mental_status", "Mental status examination"),
        TemplateSection("risk", "Risk"),
        TemplateSection("impression", "Impression"),
        TemplateSection("plan", "Plan"),
    ),
    "TREATMENT_PLAN": (
        TemplateSection("problems", "Problems"),
        TemplateSection("goals", "Goals"),
        TemplateSection("objectives", "Objectives", "Measurable, each with a date."),
        TemplateSection("interventions", "Interventions and frequency"),
        TemplateSection("discharge_criteria", "Discharge criteria"),
    ),
    "SAFETY_PLAN": (
        TemplateSection("warning_signs", "Warning signs"),
        TemplateSection("coping", "What the client can do alone"),
        TemplateSection("people_and_places", "People and places that distract"),
        TemplateSection("helpers", "People to ask for help"),
        TemplateSection("professionals", "Professionals and agencies"),
        TemplateSection("means", "Making the surroundings safe"),
    ),
    "DISCHARGE_SUMMARY": (
        TemplateSection("reason", "Reason for discharge"),
        TemplateSection("course", "Course of treatment"),
        TemplateSection("status", "Status at discharge"),
        TemplateSection("aftercare", "Aftercare"),
    ),
    "CRISIS_INTERVENTION": (
        TemplateSection("event", "What happened"),
        TemplateSection("risk", "Risk"),
        TemplateSection("interventions", "Interventions"),
        TemplateSection("outcome", "Outcome"),
        TemplateSection("follow_up", "Follow-up"),
    ),
    PROGRESS_REPORT: (
        TemplateSection("summary", "Summary"),
        TemplateSection("progress", "Progress toward goals"),
        TemplateSection("attendance", "Attendance", required=False),
        TemplateSection("recommendations", "Recommendations"),
    ),
}


def template_problems(kind: str, sections: Sequence[TemplateSection]) -> list[FieldProblem]:
    keys = [section.key for section in sections]
    problems = [
        FieldProblem(f"sections.item {number}.key", f"Invalid key of section {number}. {KEY_HINT}")
        for number, key in enumerate(keys, 1)
        if not KEY.fullmatch(key) or key == IMPORTED_SECTION
    ]
    problems += [
        FieldProblem(f"sections.item {number}.key", f"Section {number} has the key of an earlier one. Choose another.")
        for number, key in enumerate(keys, 1)
        if key in keys[: number - 1]
    ]
    if not 1 <= len(keys) <= MAX_SECTIONS:
        problems.append(FieldProblem("sections", f"A template has from 1 to {MAX_SECTIONS} sections."))
    if kind == "SOAP_NOTE" and keys != [section.key for section in SOAP]:
        message = "A SOAP note has its four sections in order. Only titles and prompts can change."
        problems.append(FieldProblem("sections", message))
    if not any(section.required for section in sections):
        message = "Require at least one section, so that empty notes cannot be signed."
        problems.append(FieldProblem("sections", message))
    return problems
