"""The kinds of fields, each with its limits: text without control characters, money, dates, times."""

import re
from datetime import UTC, date, datetime, time
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BeforeValidator,
    Field,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
)

from practice.money import money_text
from practice.people.rules.practices import email_address


def address(value: str) -> str:
    kept = email_address(value)
    if kept is None:
        raise ValueError("this is no e-mail address: write it like ada@oak.example")
    return kept


def without_spaces(value: str) -> str:
    return value.replace(" ", "")


PLAIN = r"^[^\x00-\x1f\x7f]*$"
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100, pattern=PLAIN)]
WRITTEN = r"^[^\x00-\x08\x0b-\x1f\x7f]*$"  # with lines and tabs
Written = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000, pattern=WRITTEN)]
LongText = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=50_000, pattern=WRITTEN)]
Why = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=200, pattern=PLAIN)]
Short = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40, pattern=PLAIN)]
# Whoever signs in is looked up, and a client's address is looked at with everything else that may be wrong.
EmailText = Annotated[
    str, StringConstraints(strip_whitespace=True, to_lower=True, min_length=1, max_length=254, pattern=PLAIN)
]
Email = Annotated[str, Field(max_length=254, json_schema_extra={"format": "email"}), AfterValidator(address)]
Npi = Annotated[str, StringConstraints(pattern=r"^[0-9]{10}$")]
Password = Annotated[str, StringConstraints(min_length=1, max_length=256, pattern=PLAIN)]
Secret = Annotated[str, StringConstraints(min_length=20, max_length=100, pattern=r"^[A-Za-z0-9_-]+$")]
# Authenticators show `123 456`, and that is what people type.
Code = Annotated[
    str, StringConstraints(min_length=6, max_length=40, pattern=r"^[A-Za-z0-9 -]+$"), AfterValidator(without_spaces)
]


# Money is whole cents within, and outside a string with two decimals: a JSON number would be a float on the way.
AMOUNT = r"^[0-9]{1,7}(\.[0-9]{1,2})?$"


def cents_of(value: Any) -> int:
    if not isinstance(value, str) or not re.fullmatch(AMOUNT, value):
        raise ValueError('write an amount as a string of dollars and cents, such as "150.00"')
    dollars, _, cents = value.partition(".")
    return int(dollars) * 100 + int(cents.ljust(2, "0"))


MoneyIn = Annotated[
    int,
    BeforeValidator(cents_of),
    PlainSerializer(money_text, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": AMOUNT, "examples": ["150.00"]}),
]
MoneyOut = Annotated[
    int,
    PlainSerializer(money_text, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": r"^-?[0-9]+\.[0-9]{2}$", "examples": ["150.00"]}),
]

# Times of day are the practice's own, to the minute.
HH_MM = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"


def time_of(value: Any) -> time:
    if isinstance(value, time):
        return value
    if not isinstance(value, str) or not re.fullmatch(HH_MM, value):
        raise ValueError('write a time of day like "09:30"')
    return time.fromisoformat(value)


def time_text(value: time) -> str:
    return value.strftime("%H:%M")


TimeOfDay = Annotated[
    time,
    BeforeValidator(time_of),
    PlainSerializer(time_text, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": HH_MM, "examples": ["09:30"]}),
]

# Dates that people mean. Further off, a day more or another zone would leave the calendar.
FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2199, 12, 31)


def in_utc(value: datetime) -> datetime:
    if not FIRST_DAY < value.date() < LAST_DAY:
        raise ValueError(f"choose an instant between {FIRST_DAY.year} and {LAST_DAY.year}")
    return value.astimezone(UTC)


Day = Annotated[date, Field(ge=FIRST_DAY, le=LAST_DAY)]
Instant = Annotated[AwareDatetime, AfterValidator(in_utc)]

# What people write to one another: it may have several lines.
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000, pattern=WRITTEN)]
