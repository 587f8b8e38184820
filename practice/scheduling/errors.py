"""Errors of scheduling. A refused booking lists every problem and has the code of the first."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy.exc import IntegrityError

from practice.errors import Problem, Refusal


class BookingRefused(Refusal):
    """A refused booking. `details.problems` holds every problem, `details.alternatives` other times and rooms."""


class SlotTaken(BookingRefused):
    """The clinician, room or client is taken at this time.

    Fix: choose another time, or one of `details.alternatives`.
    """

    code = "SLOT_TAKEN"


class GroupFull(BookingRefused):
    """The group session has no seat left.

    Fix: choose another group session.
    """

    code = "GROUP_FULL"


class OutsideHours(BookingRefused):
    """The time is outside the clinician's hours, or the practice is closed.

    Fix: choose a time within the hours, or one of `details.alternatives`.
    """

    code = "OUTSIDE_HOURS"


class OutsideBookingWindow(BookingRefused):
    """The time is too soon to be booked online, or too far ahead.

    Fix: choose a time within the booking window, or call the practice.
    """

    code = "OUTSIDE_BOOKING_WINDOW"


class NotBookableOnline(BookingRefused):
    """Clients cannot book this service online, or have to choose a group session.

    Fix: choose another service or a group session, or call the practice.
    """

    code = "NOT_BOOKABLE_ONLINE"


class TooManyOpenVisits(BookingRefused):
    """The client has as many open visits as can be booked online (a setting).

    Fix: cancel one, or call the practice.
    """

    code = "TOO_MANY_OPEN_VISITS"


class ClientNotActive(BookingRefused):
    """The client is not active on that day.

    Fix: readmit the client first.
    """

    code = "CLIENT_NOT_ACTIVE"


class ConsentMissing(BookingRefused):
    """A required consent is not signed.

    Fix: ask the client to sign it.
    """

    code = "CONSENT_MISSING"


class ConsentLapsed(BookingRefused):
    """A required consent has expired.

    Fix: ask the client to sign a new one.
    """

    code = "CONSENT_LAPSED"


class ConsentRevoked(BookingRefused):
    """A required consent was revoked.

    Fix: ask the client to sign a new one.
    """

    code = "CONSENT_REVOKED"


class ConsentOutdated(BookingRefused):
    """The treatment has changed since the informed consent was signed.

    Fix: ask the client to sign a new one.
    """

    code = "CONSENT_OUTDATED"


class ConsentDeclined(BookingRefused):
    """The client declined treatment in an intake form.

    Fix: book again once the client has signed the informed consent.
    """

    code = "CONSENT_DECLINED"


class ClinicianNotActive(BookingRefused):
    """The clinician is not active on that day.

    Fix: choose another clinician. Reschedule a visit that is booked to another clinician, or cancel it.
    """

    code = "CLINICIAN_NOT_ACTIVE"


class ServiceNotOffered(BookingRefused):
    """The service is not offered, or not by this clinician.

    Fix: choose another service or clinician.
    """

    code = "SERVICE_NOT_OFFERED"


class RoomNotUsable(BookingRefused):
    """The room is not in use.

    Fix: choose another room.
    """

    code = "ROOM_NOT_USABLE"


class NotBookable(BookingRefused):
    """The booking does not match its group session, the group does not take place, or a seat in it cannot be moved.

    Fix: book the service and time of the group, or cancel the seat and book another.
    """

    code = "NOT_BOOKABLE"


CONSENT_REFUSALS = (ConsentDeclined, ConsentMissing, ConsentLapsed, ConsentRevoked)
BOOKING_REFUSALS = (
    *(SlotTaken, GroupFull, OutsideHours, OutsideBookingWindow, NotBookableOnline, TooManyOpenVisits, ClientNotActive),
    *CONSENT_REFUSALS,
    *(ConsentOutdated, ClinicianNotActive, ServiceNotOffered, RoomNotUsable, NotBookable),
)
BY_CODE = {refusal.code: refusal for refusal in BOOKING_REFUSALS}


class WrongStatus(Refusal):
    """The status of the record does not allow this step.

    Fix: read the record again, and take a step that its status allows.
    """

    code = "WRONG_STATUS"


class TooLate(Refusal):
    """The deadline for this change has passed.

    Fix: ask the front desk.
    """

    code = "TOO_LATE"


class DemographicsMissing(Refusal):
    """Required demographics of the client are missing.

    Fix: add the fields in `details.missing` to the client's record.
    """

    code = "DEMOGRAPHICS_MISSING"


def build_refusal(problems: Sequence[Problem], alternatives: Sequence[dict[str, Any]] = ()) -> BookingRefused:
    """Return the refusal for these problems. A taken time comes first: alternatives help with it."""
    ordered = sorted(dict.fromkeys(problems), key=lambda problem: list(BY_CODE).index(problem.code))
    return BY_CODE[ordered[0].code](
        " ".join(problem.message for problem in ordered),
        problems=[problem._asdict() for problem in ordered],
        alternatives=list(alternatives),
    )


# Constraints of the database that refuse a time taken in spite of the locks.
CONSTRAINT_PROBLEMS = {
    "never_twice_clinician": Problem("SLOT_TAKEN", "The clinician is taken at this time."),
    "never_twice_room": Problem("SLOT_TAKEN", "The room is taken at this time."),
    "never_twice_client": Problem("SLOT_TAKEN", "The client is taken at this time."),
    "group_full": Problem("GROUP_FULL", "The group has no seat left."),
    "group_cancelled": Problem("NOT_BOOKABLE", "The group session was cancelled or moved. Choose another one."),
}


@contextmanager
def translate_constraint_errors() -> Generator[None]:
    """Raise the constraint violations above as refused bookings."""
    try:
        yield
    except IntegrityError as error:
        problem = CONSTRAINT_PROBLEMS.get(getattr(getattr(error.orig, "diag", None), "constraint_name", None) or "")
        if problem is None:
            raise
        raise build_refusal([problem]) from None
