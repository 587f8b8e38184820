"""Rules about clients: what a record may say, who is a minor, and what a history of changes comes to."""

import re
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from dateutil.relativedelta import relativedelta

from practice.people.rules.practices import email_address

EARLIEST_BIRTH = date(1900, 1, 1)
ACTIVE = "ACTIVE"

EMAILS = {"email": "The e-mail address", "guardian_email": "The guardian's e-mail address"}
PHONES = {
    "phone": "The phone",
    "emergency_contact_phone": "The emergency contact's phone",
    "guardian_phone": "The guardian's phone",
}
GUARDED_BY = ("birth_date", "emancipated", "guardian_name")


def adult_since(day: date) -> date:
    """Who was born then or before is of age on the day. Of those born on 29 February that is 1 March."""
    return day - relativedelta(years=18)


def is_minor(birth_date: date, day: date) -> bool:
    return birth_date > adult_since(day)


def needs_guardian(birth_date: date, emancipated: bool, day: date) -> bool:
    """Whether somebody else consents for them."""
    return is_minor(birth_date, day) and not emancipated


def status_on(ended_on: date | None, end_reason: str | None, day: date) -> str:
    """What the record says of a day. The history may say more of days past."""
    return ACTIVE if ended_on is None or ended_on > day else end_reason or "INACTIVE"


def client_problems(sent: Mapping[str, Any], record: Mapping[str, Any], today: date) -> list[str]:
    """What is wrong with what is written now, in a record that then says all this. What stood there before is not
    asked about: an old oddity is no reason to refuse another phone number."""
    problems = contact_problems(sent)
    for holds in (birth_problems, admission_problems, risk_problems, guardian_problems):
        problems += holds(sent, record, today)
    return problems


def contact_problems(sent: Mapping[str, Any]) -> list[str]:
    problems = [
        f"{words} is not one; look at how it is written."
        for field, words in EMAILS.items()
        if sent.get(field) and email_address(sent[field]) is None
    ]
    problems += [
        f"{words} is no phone number; write one like 404-555-0100."
        for field, words in PHONES.items()
        if sent.get(field) and not phone_is_valid(sent[field])
    ]
    if sent.get("zip") and not re.fullmatch(r"[0-9]{5}(-[0-9]{4})?", sent["zip"]):
        problems.append("The zip code has five digits, or nine like 30301-1234.")
    return problems


def phone_is_valid(text: str) -> bool:
    """Digits as people group them, with a country in front or an extension behind."""
    shaped = re.fullmatch(r"\+?[0-9() ./-]+( ?(x|ext\.?) ?[0-9]{1,6})?", text)
    digits = re.sub("[^0-9]", "", re.split("x|e", text)[0])
    return shaped is not None and 7 <= len(digits) <= 15


def birth_problems(sent: Mapping[str, Any], record: Mapping[str, Any], today: date) -> list[str]:
    if "birth_date" not in sent:
        return []
    if record["birth_date"] > today:
        return ["The birth date lies in the future."]
    if record["birth_date"] < EARLIEST_BIRTH:
        return ["The birth date lies before 1900; look at the year."]
    return []


def admission_problems(sent: Mapping[str, Any], record: Mapping[str, Any], today: date) -> list[str]:
    if not sent.keys() & {"birth_date", "admitted_on"}:
        return []
    problems = []
    if record["admitted_on"] > today:
        problems.append("The admission lies in the future.")
    if record["admitted_on"] < record["birth_date"] <= today:
        problems.append("The admission lies before the birth.")
    if record.get("ended_on") and record["admitted_on"] > record["ended_on"]:
        problems.append(f"The admission lies after the end of the treatment on {record['ended_on']}.")
    return problems


def risk_problems(sent: Mapping[str, Any], record: Mapping[str, Any], today: date) -> list[str]:
    since, until = record.get("high_risk_since"), record.get("high_risk_until")
    if not sent.keys() & {"high_risk_since", "high_risk_until"} or until is None:
        return []
    if since is None:
        return ["A high risk that ends has begun; say since when."]
    return ["The high risk ends before it began."] if until < since else []


def guardian_problems(sent: Mapping[str, Any], record: Mapping[str, Any], today: date) -> list[str]:
    if not sent.keys() & set(GUARDED_BY) or record["emancipated"] or record.get("guardian_name"):
        return []
    minor = adult_since(today) < record["birth_date"] <= today
    return ["A minor needs a guardian's name, unless emancipated."] if minor else []


def clinician_problems(roles: Iterable[str] | None, left_on: date | None, deactivated: bool, today: date) -> list[str]:
    """Of whoever is to be somebody's primary clinician; without roles nobody was found."""
    if roles is None or "clinician" not in roles:
        return ["The primary clinician is no clinician of this practice."]
    left = deactivated or (left_on is not None and left_on <= today)
    return ["The primary clinician has left the practice."] if left else []


# Changes that count from a date on: rows are only added, and of one date the last one counts.

History = Iterable[tuple[date, str]]


def status_problems(status: str, day: date, history: History, *, admitted_on: date, now: str, today: date) -> list[str]:
    """Of a new status from a day on. `now` is the client's status today."""
    problems = []
    later = [since for since, other in history if since > day and other != status]
    if day < admitted_on:
        problems.append(f"The client was admitted on {admitted_on}; a change counts from that day or later.")
    elif later:
        problems.append(f"Another change counts from {max(later)} on; choose that day or a later one.")
    if day > today and now != ACTIVE:
        problems.append("Somebody who is not active today cannot change from a day in the future on.")
    return problems


def end_of(history: History) -> tuple[date | None, str | None]:
    """Since when the client is no longer active, and what they are instead. The history comes in its order."""
    ended_on, end_reason = None, None
    for day, status in sorted(dict(history).items()):
        ended_on = None if status == ACTIVE else ended_on or day
        end_reason = None if status == ACTIVE else status
    return ended_on, end_reason


def change_of_clinician_problems(day: date, last: date | None, today: date) -> list[str]:
    if day > today:
        return ["A change of the primary clinician counts from today or from a day before."]
    if last is not None and day < last:
        return [f"The last change counts from {last} on; choose that day or a later one."]
    return []
