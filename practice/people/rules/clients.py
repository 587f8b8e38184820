"""Rules about clients: valid records, minors, and the status that results from a history of changes."""

import re
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, NamedTuple

from dateutil.relativedelta import relativedelta

from practice.errors import FieldProblem
from practice.people.rules.consents import is_same_name
from practice.people.rules.practices import normalize_email

EARLIEST_BIRTH = date(1900, 1, 1)
ACTIVE = "ACTIVE"

EMAIL_FIELDS = {"email": "email", "guardian_email": "guardian email"}
PHONE_FIELDS = {
    "phone": "phone",
    "emergency_contact_phone": "emergency contact phone",
    "guardian_phone": "guardian phone",
}
GUARDIAN_FIELDS = ("birth_date", "emancipated", "guardian_name")

# What a complete record has, besides a coverage or self-pay.
DEMOGRAPHICS = {
    "first_name": "first name",
    "last_name": "last name",
    "birth_date": "birth date",
    "address": "address",
    "city": "city",
    "state": "state",
    "zip": "zip code",
    "phone": "phone",
    "emergency_contact_name": "emergency contact's name",
    "emergency_contact_phone": "emergency contact's phone",
}


def compute_adult_cutoff(day: date) -> date:
    """Return the latest birth date of an adult on the day. Those born on February 29 come of age on March 1."""
    return day - relativedelta(years=18)


def redact_birth_date(birth_date: date, today: date) -> date:
    """Return a date that tells the year of birth only, or less of those over 89. It never makes a person older, nor an
    adult a minor."""
    end_of_year = min(date(max(birth_date.year, today.year - 90), 12, 31), today)
    return end_of_year if is_minor(birth_date, today) else min(end_of_year, compute_adult_cutoff(today))


def redact_former_birth_date(birth_date: date, admitted_on: date, redacted: date) -> date:
    """Return what remains of the birth date in earlier versions: who was of age on admission stays so on each day."""
    was_adult = birth_date <= compute_adult_cutoff(admitted_on)
    return redacted.replace(month=1, day=1) if was_adult else redacted


def is_minor(birth_date: date, day: date) -> bool:
    return birth_date > compute_adult_cutoff(day)


def needs_guardian(birth_date: date, emancipated: bool, day: date) -> bool:
    """Return whether a guardian has to consent for the client."""
    return is_minor(birth_date, day) and not emancipated


class Contact(NamedTuple):
    """Where messages go; either part can be missing."""

    email: str | None
    phone: str | None


def is_portal_holder_replaced(client: Any, changes: Mapping[str, Any], day: date) -> bool:
    """Return whether the changes put somebody else in charge: another guardian, or the client instead or no longer.

    A name in other spacing or case, or with other accents or apostrophes, is the same person's.
    """
    needed = needs_guardian(client.birth_date, client.emancipated, day)
    birth_date, emancipated = (changes.get(name, getattr(client, name)) for name in ("birth_date", "emancipated"))
    if needs_guardian(birth_date, emancipated, day) != needed:
        return True
    if client.guardian_name is None or "guardian_name" not in changes:
        return False
    return needed and not is_same_name(changes["guardian_name"] or "", client.guardian_name)


def choose_contact(client: Any, day: date) -> Contact:
    """Return where the client's messages go on a day: for a minor to the guardian.

    A guardian without any contact details is reached through those of the client's record, which for a child are
    usually a parent's.
    """
    guardian = Contact(client.guardian_email, client.guardian_phone)
    if any(guardian) and needs_guardian(client.birth_date, client.emancipated, day):
        return guardian
    return Contact(client.email, client.phone)


def choose_portal_email(client: Any, day: date) -> str | None:
    """Return the address, in lower case, of whom the client's portal account is for: a minor's guardian or the client.

    Unlike messages, an account is for the person who signs, so a child's own address never stands in for a guardian's.
    """
    email = client.guardian_email if needs_guardian(client.birth_date, client.emancipated, day) else client.email
    return email.lower() if email else None


def derive_status(ended_on: date | None, end_reason: str | None, day: date) -> str:
    """Return the status on a day by the record alone; for past days the history can differ."""
    return ACTIVE if ended_on is None or ended_on > day else end_reason or "INACTIVE"


def client_problems(sent: Mapping[str, Any], record: Mapping[str, Any], today: date) -> list[FieldProblem]:
    """Check the sent fields within the resulting record.

    Fields that are not sent are not checked, so an old error elsewhere does not block a new phone number.
    """
    problems = contact_problems(sent)
    for check in (birth_problems, admission_problems, risk_problems, guardian_problems):
        problems += check(sent, record, today)
    return problems


def contact_problems(sent: Mapping[str, Any]) -> list[FieldProblem]:
    problems = [
        FieldProblem(field, f"Invalid {label}: expected an address like casey@example.com.")
        for field, label in EMAIL_FIELDS.items()
        if sent.get(field) and normalize_email(sent[field]) is None
    ]
    problems += [
        FieldProblem(field, f"Invalid {label}: expected a number like 404-555-0100.")
        for field, label in PHONE_FIELDS.items()
        if sent.get(field) and not is_valid_phone(sent[field])
    ]
    if sent.get("zip") and not re.fullmatch(r"[0-9]{5}(-[0-9]{4})?", sent["zip"]):
        problems.append(FieldProblem("zip", "Invalid zip code: expected five digits, or nine like 30301-1234."))
    return problems


def is_valid_phone(text: str) -> bool:
    """Return whether the text is a phone number, with optional country code and extension."""
    match = re.fullmatch(r"\+?[0-9() ./-]+( ?(x|ext\.?) ?[0-9]{1,6})?", text)
    digits = re.sub("[^0-9]", "", re.split("x|e", text)[0])
    return match is not None and 7 <= len(digits) <= 15


def birth_problems(sent: Mapping[str, Any], record: Mapping[str, Any], today: date) -> list[FieldProblem]:
    if "birth_date" not in sent:
        return []
    if record["birth_date"] > today:
        return [FieldProblem("birth_date", "The birth date is in the future. Check the year.")]
    if record["birth_date"] < EARLIEST_BIRTH:
        return [FieldProblem("birth_date", "The birth date is before 1900. Check the year.")]
    return []


def admission_problems(sent: Mapping[str, Any], record: Mapping[str, Any], today: date) -> list[FieldProblem]:
    if not sent.keys() & {"birth_date", "admitted_on"}:
        return []
    messages = []
    if record["admitted_on"] > today:
        messages.append("The admission date is in the future. Choose today or earlier.")
    if record["admitted_on"] < record["birth_date"] <= today:
        messages.append("The admission date is before the birth date. Check both dates.")
    if record.get("ended_on") and record["admitted_on"] > record["ended_on"]:
        messages.append(
            f"The admission date is after the end of treatment on {record['ended_on']}. Choose an earlier date."
        )
    return [FieldProblem("admitted_on", message) for message in messages]


def risk_problems(sent: Mapping[str, Any], record: Mapping[str, Any], today: date) -> list[FieldProblem]:
    since, until = record.get("high_risk_since"), record.get("high_risk_until")
    if not sent.keys() & {"high_risk_since", "high_risk_until"} or until is None:
        return []
    if since is None:
        return [FieldProblem("high_risk_since", "A high-risk end date requires a start date. Set `high_risk_since`.")]
    if until < since:
        return [FieldProblem("high_risk_until", "The high-risk end date is before its start date. Check both dates.")]
    return []


def guardian_problems(sent: Mapping[str, Any], record: Mapping[str, Any], today: date) -> list[FieldProblem]:
    if not sent.keys() & set(GUARDIAN_FIELDS) or record["emancipated"] or record.get("guardian_name"):
        return []
    minor = compute_adult_cutoff(today) < record["birth_date"] <= today
    message = "A minor needs a guardian's name, unless emancipated. Set `guardian_name`."
    return [FieldProblem("guardian_name", message)] if minor else []


def clinician_problems(
    field: str, roles: Iterable[str] | None, left_on: date | None, deactivated: bool, today: date
) -> list[FieldProblem]:
    """Check a proposed primary clinician; `roles` is None if the staff member does not exist."""
    if roles is None or "clinician" not in roles:
        return [FieldProblem(field, "The primary clinician is not a clinician of this practice. Choose another.")]
    left = deactivated or (left_on is not None and left_on <= today)
    return [FieldProblem(field, "The primary clinician has left the practice. Choose another.")] if left else []


# Changes take effect on a date. Rows are only added; each replaces those set before it for its day and later ones.

History = Iterable[tuple[date, str]]  # in the order in which the changes were set


def list_changes_in_force(history: Iterable[tuple[date, Any]]) -> list[tuple[date, Any]]:
    """Return the changes that no later one has replaced, by the day on which they take effect."""
    in_force: list[tuple[date, Any]] = []
    for day, change in history:
        in_force = [earlier for earlier in in_force if earlier[0] < day] + [(day, change)]
    return in_force


def status_problems(
    status: str, day: date, history: History, *, admitted_on: date, current_status: str, today: date
) -> list[FieldProblem]:
    """Check a new status from a day on; `current_status` is the client's status today.

    It replaces changes planned for later days, but not those that have already taken effect.
    """
    messages = []
    passed = [since for since, other in list_changes_in_force(history) if day < since <= today and other != status]
    if day < admitted_on:
        messages.append(f"The client was admitted on {admitted_on}. Choose that day or a later one.")
    elif passed:
        messages.append(f"Another change took effect on {max(passed)}. Choose that day or a later one.")
    if day > today and current_status != ACTIVE:
        messages.append("A client who is not active today cannot change status in the future. Choose today or earlier.")
    return [FieldProblem("effective_on", message) for message in messages]


def derive_end(history: History) -> tuple[date | None, str | None]:
    """Return since when the client is not active, and their status instead."""
    ended_on, end_reason = None, None
    for day, status in list_changes_in_force(history):
        ended_on = None if status == ACTIVE else ended_on or day
        end_reason = None if status == ACTIVE else status
    return ended_on, end_reason


def clinician_change_problems(day: date, latest: date | None, today: date) -> list[FieldProblem]:
    if day > today:
        message = "A change of the primary clinician cannot take effect in the future. Choose today or earlier."
        return [FieldProblem("effective_on", message)]
    if latest is not None and day < latest:
        message = f"The latest change takes effect on {latest}. Choose that day or a later one."
        return [FieldProblem("effective_on", message)]
    return []
