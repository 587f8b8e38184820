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
        Parameter("password_max_age_days", 0, 0, 3650, "Days after which a password has to be changed; 0 is never."),
        Parameter(
            "incident_notice_days", 60, 1, 60, "Days from an incident's detection until those concerned are told."
        ),
        Parameter("average_reimbursement_target_cents", 0, 0, 10**9, "Target per session, in cents; 0 is none."),
        Parameter("monthly_revenue_target_cents", 0, 0, 10**9, "Target of a month's revenue, in cents; 0 is none."),
    )
}


def default(key: str) -> int:
    return PARAMETERS[key].default
