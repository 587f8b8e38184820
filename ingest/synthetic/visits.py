"""One visit: what was planned, how it stands at the end of the record, and its row."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from ingest.synthetic.days import DAY, Days
from ingest.synthetic.files import Files, cell
from ingest.synthetic.model import Client, Clinician
from ingest.synthetic.names import pick
from ingest.synthetic.practice_setup import Room, Service

WISHES = (
    "Ground floor, please",
    'Asks to be called "Teddy"',
    "Brings a sister",
    "Prefers the room with the window",
    "Needs a letter for school",
)


@dataclass(slots=True, eq=False)
class Visit:
    client: Client
    clinician: Clinician
    service: Service
    day: int
    starts: int
    ends: int
    room: Room | None
    created: int
    via: str
    outcome: str = "COMPLETED"
    at: int = 0  # the instant of the outcome
    group: str = ""
    reason: str = ""
    moved_to: str = ""
    first: bool = False
    id: str = ""


class Visits:
    """Writes visits as they stand at the end of the record, and hands on those that were kept."""

    def __init__(self, rng: Random, days: Days, files: Files, kept: Callable[[Visit, bool], None]) -> None:
        self.rng, self.days, self.files, self.kept = rng, days, files, kept
        self.rows = files.rows["appointments"]

    def write(self, visit: Visit) -> str:
        """The visit's id, or nothing when it was not yet booked."""
        days, random = self.days, self.rng.random
        if visit.created > days.until:
            return ""
        client, service, starts = visit.client, visit.service, visit.starts
        status, settled = visit.outcome, visit.at <= days.until
        if not settled:
            status = self.pending(visit)
        elif days.today - visit.day < 60 and visit.outcome == "COMPLETED" and random() < 0.006:
            settled, status = False, "SCHEDULED" if random() < 0.7 else "CHECKED_IN"
        telehealth = not visit.group and (visit.room is None or random() < client.telehealth)
        if telehealth and status != "CANCELLED" and starts < client.first_telehealth:
            client.first_telehealth = starts
        arrived = ready = minutes = ""
        if status in ("COMPLETED", "CHECKED_IN", "IN_PROGRESS") and (not telehealth or random() < 0.4):
            came = min(starts - int(random() * 14) + 2, days.until)
            arrived, ready = days.stamp(came), days.stamp_if(came + int(random() ** 2 * 12))
        if status == "COMPLETED" and random() < 0.6:
            minutes = str(service.minutes + int(random() * 11) - 5)
        verified = ""
        if not client.self_pay and random() < 0.93:
            verified = days.stamp_if(max(visit.created, min(starts, days.waking(starts - int(random() * 4_200)))))
        client.last_day = max(client.last_day, visit.day)
        visit.id = self.files.new_id("appointments")
        stamp = days.stamp
        self.rows.append(
            f"{visit.id},{client.id},{visit.clinician.id},{service.code},"
            f"{visit.room.id if visit.room and not telehealth else ''},{stamp(starts)},{stamp(visit.ends)},"
            f"{service.type},{status},{stamp(visit.at) if settled else ''},{stamp(visit.created)},{visit.via},"
            f"{'true' if telehealth else 'false'},{visit.group},{arrived},{ready},{minutes},"
            f"{visit.reason if settled else ''},{visit.moved_to if settled else ''},{verified},"
            f"{cell(pick(self.rng, WISHES)) if random() < 0.01 else ''}\n"
        )
        if settled and status == "COMPLETED":
            client.first_visit = min(client.first_visit, starts)
            self.kept(visit, telehealth)
        return visit.id

    def pending(self, visit: Visit) -> str:
        """How a visit stands whose outcome lies beyond the end of the record."""
        until = self.days.until
        if visit.starts > until:
            soon = visit.starts - until < 3 * DAY
            return "CONFIRMED" if self.rng.random() < (0.7 if soon else 0.1) else "SCHEDULED"
        if visit.outcome != "COMPLETED":
            return "SCHEDULED"
        return "IN_PROGRESS" if visit.ends > until else "CHECKED_IN"
