"""Field types with their limits: text without control and invisible characters, money, dates, times."""

import re
from datetime import UTC, date, datetime, time
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
)

from api.field_problems import describe_pattern, field_error
from practice.money import format_cents
from practice.people.rules.practices import normalize_email

EXAMPLE_ID = "0197f1f0-5c1e-7aa0-8d3b-2f6c1e9a4b70"
EXAMPLE_SECRET = "x" * 43  # a token or password


def describe(text: str) -> Any:
    """Return the description of a field for the API document, to be put into its `Annotated` type."""
    return Field(description=text)


def example(**values: Any) -> ConfigDict:
    """Return the configuration of a body with an example for the API document."""
    return ConfigDict(json_schema_extra={"examples": [values]})


def parse_email(value: str) -> str:
    """Return the normalized email address, or raise a field error."""
    email = normalize_email(value)
    if email is None:
        raise field_error("Invalid email address: expected one like ada@oak.example.")
    return email


# What changes the order of letters or shows nothing, so that two names look the same or a text looks like another:
# soft hyphens, joiners, direction marks, fillers, tags. Emoji keep their variation selectors (U+FE0E, U+FE0F).
INVISIBLE = re.compile(
    "[\x80-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0d\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)


def refuse_invisible(value: str) -> str:
    """Return the text, or raise a field error when a character of it is invisible."""
    if INVISIBLE.search(value):
        raise field_error("Invisible characters are not allowed. Type the text again instead of pasting it.")
    return value


def remove_spaces(value: str) -> str:
    return value.replace(" ", "")


PLAIN = describe_pattern(
    r"^[^\x00-\x1f\x7f]*$", "Control characters are not allowed, nor are line breaks. Remove them."
)
MULTILINE = describe_pattern(  # newlines and tabs are allowed
    r"^[^\x00-\x08\x0b-\x1f\x7f]*$", "Control characters are not allowed. Remove them."
)

# Text by its maximum length: one line up to 200 characters, several lines from 1000 on, which keep what scripts need.
VISIBLE = AfterValidator(refuse_invisible)
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100, pattern=PLAIN), VISIBLE]
Text40 = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40, pattern=PLAIN), VISIBLE]
Text200 = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=PLAIN), VISIBLE]
Text1000 = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000, pattern=MULTILINE)]
Text4000 = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000, pattern=MULTILINE)]
Text20000 = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=20_000, pattern=MULTILINE)]
Text50000 = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=50_000, pattern=MULTILINE)]
# A reason is at least three characters long.
Reason200 = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=3, max_length=200, pattern=PLAIN), VISIBLE
]
Reason1000 = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=1000, pattern=MULTILINE)]
# An email address whose syntax is checked later: at sign-in by the lookup, of a client with the rest of the record.
EmailText = Annotated[
    str, StringConstraints(strip_whitespace=True, to_lower=True, min_length=1, max_length=254, pattern=PLAIN), VISIBLE
]
Email = Annotated[str, Field(max_length=254, json_schema_extra={"format": "email"}), AfterValidator(parse_email)]


def validate_id_or_me(value: Any, validate: ValidatorFunctionWrapHandler) -> Any:
    """Return the id or `me`, or raise a single field error; a union would raise one for each alternative."""
    try:
        return validate(value)
    except ValidationError:
        raise field_error("Expected an id, a UUID, or `me`.") from None


IdOrMe = Annotated[UUID | Literal["me"], WrapValidator(validate_id_or_me)]
Npi = Annotated[str, StringConstraints(pattern=describe_pattern(r"^[0-9]{10}$", "Expected ten digits."))]
Password = Annotated[str, StringConstraints(min_length=1, max_length=256, pattern=PLAIN)]
Secret = Annotated[
    str,
    StringConstraints(
        min_length=20,
        max_length=100,
        pattern=describe_pattern(r"^[A-Za-z0-9_-]+$", "Invalid characters. Copy it again from where you received it."),
    ),
]
# Authenticators show `123 456`, so people type the space.
Code = Annotated[
    str,
    StringConstraints(
        min_length=6,
        max_length=40,
        pattern=describe_pattern(r"^[A-Za-z0-9 -]+$", "Expected a code of digits, or a recovery code."),
    ),
    AfterValidator(remove_spaces),
]


# Money is an integer of cents in Python and a string with two decimals in JSON, where a number would become a float.
AMOUNT = r"^[0-9]{1,7}(\.[0-9]{1,2})?$"


def parse_cents(value: Any) -> int:
    """Return the cents of an amount in dollars, or raise a field error."""
    if not isinstance(value, str) or not re.fullmatch(AMOUNT, value):
        raise field_error('Invalid amount: expected text with dollars and cents, like "150.00".')
    dollars, _, cents = value.partition(".")
    return int(dollars) * 100 + int(cents.ljust(2, "0"))


MoneyIn = Annotated[
    int,
    BeforeValidator(parse_cents),
    PlainSerializer(format_cents, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": AMOUNT, "examples": ["150.00"]}),
]
MoneyOut = Annotated[
    int,
    PlainSerializer(format_cents, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": r"^-?[0-9]+\.[0-9]{2}$", "examples": ["150.00"]}),
]

# Local times of day of the practice, to the minute.
HH_MM = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"


def parse_time(value: Any) -> time:
    """Return the time of day, or raise a field error."""
    if isinstance(value, time):
        return value
    if not isinstance(value, str) or not re.fullmatch(HH_MM, value):
        raise field_error('Invalid time of day: expected one like "09:30".')
    return time.fromisoformat(value)


def format_time(value: time) -> str:
    return value.strftime("%H:%M")


TimeOfDay = Annotated[
    time,
    BeforeValidator(parse_time),
    PlainSerializer(format_time, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": HH_MM, "examples": ["09:30"]}),
]

# Plausible dates, far enough from the limits of `date` that adding a day or changing the zone cannot overflow.
FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2199, 12, 31)


def to_utc(value: datetime) -> datetime:
    """Return the instant in UTC, or raise a field error when it is out of range."""
    if not FIRST_DAY < value.date() < LAST_DAY:
        raise field_error(f"Out of range: choose an instant between {FIRST_DAY.year} and {LAST_DAY.year}.")
    return value.astimezone(UTC)


Day = Annotated[date, Field(ge=FIRST_DAY, le=LAST_DAY)]
Instant = Annotated[AwareDatetime, AfterValidator(to_utc)]

# Fields with the same meaning in many models. One that may be missing is written `ClientId | None`.
RecordId = Annotated[UUID, describe("The id of this record.")]
ClientId = Annotated[UUID, describe("The id of the client.")]
StaffId = Annotated[UUID, describe("The id of the staff member.")]
ClinicianId = Annotated[UUID, describe("The id of the clinician, a staff member.")]
AppointmentId = Annotated[UUID, describe("The id of the appointment.")]
NoteId = Annotated[UUID, describe("The id of the note.")]
RoomId = Annotated[UUID, describe("The id of the room.")]
# Only for the names beside it (`api.names`): responses name services by their code.
ServiceId = Annotated[UUID, Field(description="The id of the service.", exclude=True)]
AccountId = Annotated[UUID, describe("The account of the person who did it; null for an import or the system.")]
RecordVersion = Annotated[int, describe("The number of this state, as in the `ETag`. A change sends it as `If-Match`.")]
CreatedAt = Annotated[datetime, describe("When the record was created.")]
SetAt = Annotated[datetime, describe("When it was set. Of several for one day, the last one set counts.")]
VoidedAt = Annotated[datetime, describe("When it was voided; null while it counts.")]
VoidReason = Annotated[str, describe("Why it was voided; null while it counts.")]
