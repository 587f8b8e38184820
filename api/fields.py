"""The kinds of text that come in, each with its limits. None may hold control characters."""

from datetime import UTC, date, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, EmailStr, Field, StringConstraints


def lowered(value: str) -> str:
    return value.lower()


def without_spaces(value: str) -> str:
    return value.replace(" ", "")


PLAIN = r"^[^\x00-\x1f\x7f]*$"
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100, pattern=PLAIN)]
WRITTEN = r"^[^\x00-\x08\x0b-\x1f\x7f]*$"  # with lines and tabs
Written = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000, pattern=WRITTEN)]
Day = Annotated[date, Field(ge=date(1900, 1, 1), le=date(2999, 12, 31))]
Moment = Annotated[AwareDatetime, Field(ge=datetime(1900, 1, 2, tzinfo=UTC), lt=datetime(3000, 1, 1, tzinfo=UTC))]
Why = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=200, pattern=PLAIN)]
Short = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40, pattern=PLAIN)]
Email = Annotated[EmailStr, AfterValidator(lowered), Field(max_length=254)]
Npi = Annotated[str, StringConstraints(pattern=r"^[0-9]{10}$")]
Password = Annotated[str, StringConstraints(min_length=1, max_length=256, pattern=PLAIN)]
Secret = Annotated[str, StringConstraints(min_length=20, max_length=100, pattern=r"^[A-Za-z0-9_-]+$")]
# Authenticators show `123 456`, and that is what people type.
Code = Annotated[
    str, StringConstraints(min_length=6, max_length=40, pattern=r"^[A-Za-z0-9 -]+$"), AfterValidator(without_spaces)
]
# What people write to one another: it may have several lines.
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000, pattern=WRITTEN)]


def money(cents: int | None) -> str | None:
    """As the API says it: `150.00`."""
    return None if cents is None else f"{'-' if cents < 0 else ''}{abs(cents) // 100}.{abs(cents) % 100:02}"
