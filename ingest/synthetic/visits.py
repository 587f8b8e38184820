"""Visits: the plan, the outcome, and the row as of the end of the record."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from ingest.synthetic.days import DAY, Days
from ingest.synthetic.files import Files, format_boolean, quote_cell
from ingest.synthetic.model import Client, Clinician
from ingest.synthetic.names import pick
from ingest.synthetic.practice_setup import Room, Service

SPECIAL_REQUESTS = (
    "Ground floor, please",
    'Asks to be called "Teddy"',
    "Brings a sister",
    "Prefers the room with the window",
    "Needs a letter for school",
)


@dataclass(slots=True, eq=False)
class Visit:
    """A planned visit and its outcome."""

    client: Client
    clinician: Clinician
    service: Service
    day: int
    starts_at: int
    ends_at: int
    room: Room | None
    created_at: int
    booked_via: str
    outcome: str = "COMPLETED"
    outcome_at: int = 0
    group_id: str = ""
    cancellation_reason: str = ""
    rescheduled_to_id: str = ""
    is_first: bool = False
    id: str = ""


class VisitWriter:
    """Writes visits as of the end of the record, and passes on the completed ones."""

    def __init__(self, rng: Random, days: Days, files: Files, on_completed: Callable[[Visit, bool], None]) -> None:
        self.rng, self.days, self.files, self.on_completed = rng, days, files, on_completed
        self.rows = files.rows["appointments"]

    def write(self, visit: Visit) -> str:
        """Write a visit and return its id, or an empty string if it was booked after the end of the record."""
        days, random = self.days, self.rng.random
        if visit.created_at > days.until:
            return ""
        client, service, starts_at = visit.client, visit.service, visit.starts_at
        status, is_settled = visit.outcome, visit.outcome_at <= days.until
        if not is_settled:
            status = self.choose_open_status(visit)
        elif days.today - visit.day < 60 and visit.outcome == "COMPLETED" and random() < 0.006:
            is_settled, status = False, "SCHEDULED" if random() < 0.7 else "CHECKED_IN"
        is_telehealth = not visit.group_id and (visit.room is None or random() < client.telehealth_share)
        if is_telehealth and status != "CANCELLED" and starts_at < client.first_telehealth_at:
            client.first_telehealth_at = starts_at
        arrived_at = ready_at = minutes = ""
        if status in ("COMPLETED", "CHECKED_IN", "IN_PROGRESS") and (not is_telehealth or random() < 0.4):
            arrival = min(starts_at - int(random() * 14) + 2, days.until)
            arrived_at, ready_at = days.format_instant(arrival), days.format_if_past(arrival + int(random() ** 2 * 12))
        if status == "COMPLETED" and random() < 0.6:
            minutes = str(service.minutes + int(random() * 11) - 5)
        verified_at = ""
        if not client.is_self_pay and random() < 0.93:
            verified_at = days.format_if_past(
                max(visit.created_at, min(starts_at, days.shift_to_daytime(starts_at - int(random() * 4_200))))
            )
        client.last_visit_on = max(client.last_visit_on, visit.day)
        visit.id = self.files.make_id("appointments")
        stamp = days.format_instant
        self.rows.append(
            f"{visit.id},{client.id},{visit.clinician.id},{service.code},"
            f"{visit.room.id if visit.room and not is_telehealth else ''},"
            f"{stamp(starts_at)},{stamp(visit.ends_at)},"
            f"{service.type},{status},{stamp(visit.outcome_at) if is_settled else ''},"
            f"{stamp(visit.created_at)},"
            f"{visit.booked_via},{format_boolean(is_telehealth)},{visit.group_id},{arrived_at},{ready_at},{minutes},"
            f"{visit.cancellation_reason if is_settled else ''},{visit.rescheduled_to_id if is_settled else ''},"
            f"{verified_at},"
            f"{quote_cell(pick(self.rng, SPECIAL_REQUESTS)) if random() < 0.01 else ''}\n"
        )
        if is_settled and status == "COMPLETED":
            client.first_visit_at = min(client.first_visit_at, starts_at)
            self.on_completed(visit, is_telehealth)
        return visit.id

    def choose_open_status(self, visit: Visit) -> str:
        """Return the status of a visit whose outcome is after the end of the record."""
        until = self.days.until
        if visit.starts_at > until:
            is_soon = visit.starts_at - until < 3 * DAY
            return "CONFIRMED" if self.rng.random() < (0.7 if is_soon else 0.1) else "SCHEDULED"
        if visit.outcome != "COMPLETED":
            return "SCHEDULED"
        return "IN_PROGRESS" if visit.ends_at > until else "CHECKED_IN"
