"""Rules of how clinicians stand: status of the team, compliance, performance, each with its reasons."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Literal

from practice.dashboards.figures import Figure
from practice.dashboards.words import format_value
from practice.text import format_count

TeamStatus = Literal["on_track", "review", "urgent"]
Performance = Literal["excellent", "good", "needs_coaching", "performance_plan"]

TEAM_METRICS = ("kept_visit_rate", "no_show_rate", "unsigned_note_backlog", "same_day_documentation_rate")
COMPLIANCE_METRICS = (
    "notes_signed_within_7_days_rate",
    "treatment_plan_currency",
    "safety_plan_compliance",
    "informed_consent_currency",
    "minor_consent_compliance",
    "telehealth_consent_compliance",
    "hipaa_training_current",
)
FULLY_COMPLIANT, COACHING_BELOW, PLAN_BELOW = Decimal(100), Decimal(95), Decimal(80)


@dataclass(frozen=True)
class Standing:
    """How a clinician stands. Without kept or missed visits there is no word on performance."""

    team_status: TeamStatus
    team_reasons: list[str]
    compliance: Decimal | None
    performance: Performance | None
    performance_reasons: list[str]


def judge_clinician(figures: Mapping[str, Figure], late_notes: int) -> Standing:
    """Return how a clinician stands by their figures and their notes that are unsigned and late."""
    team_status, team_reasons = judge_team_status(figures, late_notes)
    compliance = compute_compliance(figures)
    performance, reasons = judge_performance(figures["kept_visit_rate"], compliance)
    return Standing(team_status, team_reasons, compliance, performance, reasons)


def judge_team_status(figures: Mapping[str, Figure], late_notes: int) -> tuple[TeamStatus, list[str]]:
    """Return urgent with two or more alerts or a late note, on track without an alert, else review; and why."""
    alerts = [figures[key] for key in TEAM_METRICS if figures[key].status == "alert"]
    reasons = [
        f"{figure.metric.label} is {format_value(figure.metric.unit, figure.value)}"
        for figure in alerts
        if figure.metric.key != "unsigned_note_backlog"
    ]
    if late_notes:
        reasons.append(format_count(late_notes, "late note"))
    if len(alerts) >= 2 or late_notes:
        return "urgent", reasons
    return ("review" if alerts else "on_track"), reasons


def compute_compliance(figures: Mapping[str, Figure]) -> Decimal | None:
    """Return the percentage of checks that are ok of those that apply, or None if none applies."""
    checks = [
        (figures[key].numerator, figures[key].denominator or Fraction(0))
        for key in COMPLIANCE_METRICS
        if key in figures
    ]
    hours = figures.get("supervision_hours")
    if hours is not None and hours.status in ("on_target", "alert"):
        checks.append((Fraction(hours.status == "on_target"), Fraction(1)))
    applying = sum((denominator for _, denominator in checks), Fraction(0))
    if not applying:
        return None
    share = 100 * sum((numerator for numerator, _ in checks), Fraction(0)) / applying
    return (Decimal(share.numerator) / share.denominator).quantize(Decimal("0.1"), ROUND_HALF_UP)


def judge_performance(kept: Figure, compliance: Decimal | None) -> tuple[Performance | None, list[str]]:
    """Return the word for kept visits and compliance together, and why."""
    if kept.value is None or compliance is None:
        return None, []
    rate = f"Kept visits {format_value('percent', kept.value)}"
    checks = f"compliance {format_value('percent', compliance)}"
    if kept.status == "alert" and compliance < PLAN_BELOW:
        return "performance_plan", [rate, checks]
    if kept.status == "alert" or compliance < COACHING_BELOW:
        return "needs_coaching", [
            *([rate] if kept.status == "alert" else []),
            *([checks] if compliance < COACHING_BELOW else []),
        ]
    if kept.status == "on_target" and compliance == FULLY_COMPLIANT:
        return "excellent", [rate, checks]
    return "good", [rate, checks]
