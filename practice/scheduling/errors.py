"""How booking says no: a booking that is wrong in several ways says all of them, and has the code of the first."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy.exc import IntegrityError

from practice.errors import Problem, Refusal


class BookingRefused(Refusal):
    """`details.problems` holds every reason, `details.alternatives` other times and places where there are any."""


class SlotTaken(BookingRefused):
    code = "SLOT_TAKEN"


class GroupFull(BookingRefused):
    code = "GROUP_FULL"


class OutsideHours(BookingRefused):
    code = "OUTSIDE_HOURS"


class OutsideBookingWindow(BookingRefused):
    code = "OUTSIDE_BOOKING_WINDOW"


class ClientNotActive(BookingRefused):
    code = "CLIENT_NOT_ACTIVE"


class ConsentMissing(BookingRefused):
    code = "CONSENT_MISSING"


class ConsentLapsed(BookingRefused):
    code = "CONSENT_LAPSED"


class ConsentRevoked(BookingRefused):
    code = "CONSENT_REVOKED"


class ConsentOutdated(BookingRefused):
    code = "CONSENT_OUTDATED"


class ClinicianNotActive(BookingRefused):
    code = "CLINICIAN_NOT_ACTIVE"


class ServiceNotOffered(BookingRefused):
    code = "SERVICE_NOT_OFFERED"


class RoomNotUsable(BookingRefused):
    code = "ROOM_NOT_USABLE"


class NotBookable(BookingRefused):
    code = "NOT_BOOKABLE"


BOOKING_REFUSALS = (
    *(SlotTaken, GroupFull, OutsideHours, OutsideBookingWindow, ClientNotActive, ConsentMissing, ConsentLapsed),
    *(ConsentRevoked, ConsentOutdated, ClinicianNotActive, ServiceNotOffered, RoomNotUsable, NotBookable),
)
BY_CODE = {refusal.code: refusal for refusal in BOOKING_REFUSALS}


class WrongStatus(Refusal):
    code = "WRONG_STATUS"


class TooLate(Refusal):
    code = "TOO_LATE"


class DemographicsMissing(Refusal):
    code = "DEMOGRAPHICS_MISSING"


def refuse(problems: Sequence[Problem], alternatives: Sequence[dict[str, Any]] = ()) -> BookingRefused:
    """The refusal for these problems, a taken time first: that is what other offers help with."""
    listed = sorted(dict.fromkeys(problems), key=lambda problem: list(BY_CODE).index(problem.code))
    return BY_CODE[listed[0].code](
        " ".join(problem.sentence for problem in listed),
        problems=[problem._asdict() for problem in listed],
        alternatives=list(alternatives),
    )


# What the database itself refuses, should somebody have taken the time past the locks.
AT_LAST = {
    "never_twice_clinician": Problem("SLOT_TAKEN", "The clinician is taken at this time."),
    "never_twice_room": Problem("SLOT_TAKEN", "The room is taken at this time."),
    "never_twice_client": Problem("SLOT_TAKEN", "The client is taken at this time."),
    "group_full": Problem("GROUP_FULL", "The group has no seat left."),
}


@contextmanager
def taken_at_last() -> Generator[None]:
    try:
        yield
    except IntegrityError as error:
        problem = AT_LAST.get(getattr(getattr(error.orig, "diag", None), "constraint_name", None) or "")
        if problem is None:
            raise
        raise refuse([problem]) from None
