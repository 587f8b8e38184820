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
    )
}


def default(key: str) -> int:
    return PARAMETERS[key].default
