"""Availability, exceptions, closures, sign-ins and incidents of an edge practice."""

from datetime import timedelta

from tests.support.builders.edge_practices.draft import HOUR, TICK, Draft, format_minute
from tests.support.builders.edge_practices.people import CLINICIANS

# minutes since midnight: around prime time, across the hours of clock changes, overlapping, and before midnight
WINDOWS = (
    (9 * 60, 12 * 60),
    (12 * 60, 17 * 60),
    (8 * 60 + 30, 9 * 60 + 30),
    (11 * 60, 13 * 60),
    (16 * 60 + 45, 17 * 60 + 15),
    (0, 4 * 60),
    (60, 2 * 60),
    (90, 105),
    (23 * 60, 24 * 60 - 1),
    (22 * 60 + 30, 23 * 60 + 30),
)
NIGHT = range(0, 4 * 60, 15)


def add_hours(draft: Draft) -> None:
    """Add weekly windows, exceptions and closures."""
    for clinician_id in CLINICIANS:
        for weekday in range(7):
            for start, end in draft.rng.sample(WINDOWS, 4 if 0 < weekday < 5 else 2):
                add_window(draft, clinician_id, weekday, start, end)
        for day in draft.change_days:  # windows that begin or end inside the repeated or skipped hour
            start = draft.rng.choice(NIGHT)
            add_window(draft, clinician_id, day.isoweekday() % 7, start, start + draft.choose(15, 30, 45, 90))
        for _ in range(12):
            add_exception(draft, clinician_id)
    for day in sorted({draft.rng.choice(draft.days), draft.rng.choice(draft.days), draft.choose_edge_date()}):
        draft.add("closures", date=day, reason="Holiday")
        clinician_id = draft.choose(*CLINICIANS)
        number = draft.number("availability_exceptions", "X")
        cells = {"available": True, "start_time": "09:00", "end_time": "12:00"}
        draft.add("availability_exceptions", id=number, clinician_id=clinician_id, date=day, **cells)


def add_window(draft: Draft, clinician_id: str, weekday: int, start: int, end: int) -> None:
    effective_on = draft.choose_edge_date() if draft.flip(0.25) else None
    ends_on = draft.choose_edge_date() if draft.flip(0.25) else None
    draft.add(
        "availability",
        id=draft.number("availability", "W"),
        clinician_id=clinician_id,
        weekday=weekday,
        start_time=format_minute(start),
        end_time=format_minute(end),
        effective_on=effective_on,
        ends_on=max(effective_on, ends_on) if effective_on and ends_on else ends_on,
    )


def add_exception(draft: Draft, clinician_id: str) -> None:
    """Add an exception that opens or closes some time, or closes a whole day."""
    day = draft.rng.choice([*draft.days, *draft.change_days * 5])
    start, end = draft.rng.choice([*WINDOWS, (10 * 60, 11 * 60 + 15), (8 * 60, 18 * 60)])
    available = draft.flip(0.4)
    has_times = available or draft.flip(0.7)
    draft.add(
        "availability_exceptions",
        id=draft.number("availability_exceptions", "X"),
        clinician_id=clinician_id,
        date=day,
        available=available,
        start_time=format_minute(start) if has_times else None,
        end_time=format_minute(end) if has_times else None,
    )


def add_sign_ins(draft: Draft) -> None:
    """Add sign-ins, some of them at midnight or just before, and in the repeated hour."""
    for staff_id in ("ADM", *CLINICIANS):
        for day in draft.days:
            at = None
            if draft.flip(0.55):
                at = draft.calendar.at_minute(day, draft.rng.randrange(7 * 60, 19 * 60))
            elif draft.flip(0.15):
                at = draft.calendar.start_of(day) - draft.choose(TICK, 0 * TICK)
            elif day in draft.change_days:
                at = draft.calendar.at_minute(day, draft.rng.choice(NIGHT)) + draft.choose(0, 1) * HOUR
            if at:
                draft.add("sign_ins", id=draft.number("sign_ins", "S"), staff_id=staff_id, at=at)
        for at in draft.instants.values():
            draft.add(
                "sign_ins", id=draft.number("sign_ins", "S"), staff_id=staff_id, at=at + draft.choose(-1, 0, 1) * TICK
            )


def add_incidents(draft: Draft) -> None:
    """Add incidents: answered in exactly 1 or 2 hours, at an instant to look at, later, or not."""
    for number in range(max(8, len(draft.days) // 5)):
        detected_at = draft.choose_time(draft.span.first, draft.span.last) if number % 2 else draft.choose_edge()
        delay = draft.choose(HOUR, HOUR, 2 * HOUR, 2 * HOUR + TICK, timedelta(seconds=3618), 18 * timedelta(seconds=1))
        responded_at = draft.choose_after(detected_at, delay) if draft.flip(0.8) else None
        number = draft.number("incidents", "I")
        draft.add("incidents", id=number, kind="MISDIRECTED_EMAIL", detected_at=detected_at, responded_at=responded_at)
