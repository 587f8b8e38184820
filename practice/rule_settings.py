"""The configurable parameters of the practice's rules: key, range, default and description of each."""

from collections.abc import Iterator
from dataclasses import dataclass

from practice.metric_dictionary import BOUNDS, METRICS


@dataclass(frozen=True)
class Parameter:
    """A rule parameter, which each practice can set from a date on."""

    key: str
    default: int
    minimum: int
    maximum: int
    description: str


def generate_metric_parameters() -> Iterator[Parameter]:
    """Yield a parameter for each benchmark and each alert threshold of the metric dictionary."""
    for metric in METRICS.values():
        for bound, default in metric.bounds.items():
            description = f"{metric.label} ({metric.unit}) {BOUNDS[bound]}."
            yield Parameter(f"{metric.key}_{bound}", default, 0, 10_000, description)


PARAMETERS = {
    parameter.key: parameter
    for parameter in (
        Parameter("hipaa_training_days", 365, 30, 1095, "Days after which a HIPAA training must be repeated."),
        Parameter("hipaa_grace_days", 30, 0, 90, "Days that new staff have to complete a first HIPAA training."),
        Parameter(
            "chart_access_days", 90, 0, 3650, "Days after the last visit for which a clinician can open the chart."
        ),
        Parameter("portal_book_hours", 24, 0, 720, "Minimum hours ahead for online booking by clients."),
        Parameter("portal_book_days", 30, 1, 365, "Maximum days ahead for online booking by clients."),
        Parameter("portal_open_visits", 4, 1, 1000, "Maximum open visits for online booking by clients."),
        Parameter(
            "portal_change_hours",
            24,
            0,
            720,
            "Hours before the start after which clients can no longer cancel or move.",
        ),
        Parameter(
            "reschedule_notice_hours", 48, 0, 720, "Hours of notice required for a clinician's reschedule request."
        ),
        Parameter(
            "early_start_minutes",
            15,
            0,
            240,
            "Minutes before its start from which a session can be started or completed.",
        ),
        Parameter(
            "portal_email_hold_hours",
            24,
            0,
            720,
            "Hours after a change of a client's email address or guardian during which the portal invites nobody.",
        ),
        Parameter("slot_step_minutes", 30, 5, 120, "Minutes between the starts of offered free slots."),
        Parameter("waitlist_offer_hours", 24, 1, 168, "Hours for which a freed slot is held for a waitlisted client."),
        Parameter("eligibility_cache_hours", 24, 1, 720, "Hours for which an eligibility response stays valid."),
        Parameter("export_hours", 24, 1, 168, "Hours for which an export of the practice can be downloaded."),
        Parameter("password_max_age_days", 0, 0, 3650, "Days after which a password must be changed; 0 means never."),
        Parameter(
            "incident_notice_days",
            60,
            1,
            60,
            "Days from the detection of an incident to the notification of those affected.",
        ),
        Parameter("note_unlock_hours", 48, 1, 336, "Hours for which an unlocked session can be documented."),
        Parameter("note_reminder_days", 5, 1, 60, "Days after a session until its clinician is reminded of the note."),
        Parameter(
            "note_alert_days", 7, 1, 60, "Days after a session until its note is late and its supervisor notified."
        ),
        Parameter(
            "note_hold_days", 14, 1, 90, "Days after a session until its charge is held because the note is missing."
        ),
        Parameter("plan_review_days", 90, 7, 365, "Days after which a treatment plan must be reviewed."),
        Parameter("plan_reminder_days", 80, 1, 364, "Days after a review until the clinician is reminded of the next."),
        Parameter("safety_plan_days", 365, 7, 1095, "Days for which a safety plan stays current."),
        Parameter("workload_week_sessions", 30, 1, 200, "Sessions in a week above which a clinician works too much."),
        Parameter("supervision_hours_lpc", 2, 0, 40, "Hours of supervision that an LPC needs per month."),
        Parameter("supervision_hours_apc", 2, 0, 40, "Hours of supervision that an APC needs per month."),
        Parameter("supervision_hours_lmsw", 4, 0, 40, "Hours of supervision that an LMSW needs per month."),
        Parameter("rebook_days", 30, 1, 365, "Days after a session within which its client counts as rebooked."),
        Parameter("retention_days", 90, 30, 365, "Days after a first session on which a client's retention is judged."),
        Parameter("interdisciplinary_days", 90, 1, 365, "Days in which a client's disciplines are counted."),
        Parameter("coverage_verification_days", 365, 1, 1095, "Days for which the verification of a coverage counts."),
        Parameter("supervision_note_days", 7, 1, 60, "Days in which the note of a supervision session is due."),
        Parameter("receivable_days", 90, 1, 365, "Days over which the charges beside receivables are averaged."),
        Parameter("collection_days", 90, 1, 365, "Days that a charge has to be paid until its collection is judged."),
        Parameter(
            "average_reimbursement_target_cents",
            0,
            0,
            10**9,
            "Target reimbursement per session in cents; 0 means none.",
        ),
        Parameter("monthly_revenue_target_cents", 0, 0, 10**9, "Target revenue per month in cents; 0 means none."),
        *generate_metric_parameters(),
    )
}


def get_default(key: str) -> int:
    return PARAMETERS[key].default
