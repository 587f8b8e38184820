"""The parameters of the practice's rules: what each is called, what it may be, and what it is where nobody set it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Parameter:
    key: str
    default: int
    least: int
    most: int
    meaning: str


PARAMETERS = {
    parameter.key: parameter
    for parameter in (
        Parameter("hipaa_training_days", 365, 30, 1095, "Days after which a HIPAA training has to be repeated."),
        Parameter("hipaa_grace_days", 30, 0, 90, "Days that somebody new has for a first HIPAA training."),
        Parameter("portal_book_hours", 24, 0, 720, "Hours ahead from which clients can book online."),
        Parameter("portal_book_days", 30, 1, 365, "Days ahead up to which clients can book online."),
        Parameter("portal_change_hours", 24, 0, 720, "Hours before the start until which clients can cancel or move."),
        Parameter("reschedule_notice_hours", 48, 0, 720, "Notice that a clinician's request to move needs, in hours."),
        Parameter("slot_step_minutes", 30, 5, 120, "Minutes between the starts of the free slots that are offered."),
        Parameter("waitlist_offer_hours", 24, 1, 168, "Hours for which a free time is kept for somebody waiting."),
        Parameter("eligibility_cache_hours", 24, 1, 720, "Hours for which a payer's answer on a coverage is fresh."),
        Parameter("password_max_age_days", 0, 0, 3650, "Days after which a password has to be changed; 0 is never."),
        Parameter(
            "incident_notice_days", 60, 1, 60, "Days from an incident's detection until those concerned are told."
        ),
        Parameter("note_unlock_hours", 48, 1, 336, "Hours for which an unlocked session can be written up."),
        Parameter("note_reminder_days", 5, 1, 60, "Days after a session until its clinician is reminded of its note."),
        Parameter("note_alert_days", 7, 1, 60, "Days after a session until its note is late and a supervisor is told."),
        Parameter("note_hold_days", 14, 1, 90, "Days after a session until its charge is held for want of a note."),
        Parameter("plan_review_days", 90, 7, 365, "Days after which a treatment plan has to be reviewed."),
        Parameter("plan_reminder_days", 80, 1, 364, "Days after a review until its clinician is reminded of the next."),
        Parameter("safety_plan_days", 365, 7, 1095, "Days for which a safety plan is current."),
        Parameter("supervision_hours_lpc", 2, 0, 40, "Hours of supervision a month that an LPC needs."),
        Parameter("supervision_hours_apc", 2, 0, 40, "Hours of supervision a month that an APC needs."),
        Parameter("supervision_hours_lmsw", 4, 0, 40, "Hours of supervision a month that an LMSW needs."),
        Parameter("average_reimbursement_target_cents", 0, 0, 10**9, "Target per session, in cents; 0 is none."),
        Parameter("monthly_revenue_target_cents", 0, 0, 10**9, "Target of a month's revenue, in cents; 0 is none."),
    )
}


def default(key: str) -> int:
    return PARAMETERS[key].default
