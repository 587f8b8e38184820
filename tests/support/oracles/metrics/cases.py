"""An entity in a period: the records that its metrics look at."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from types import SimpleNamespace as Row

from tests.support.oracles.metrics.calendar import Period
from tests.support.oracles.metrics.hours import Hours
from tests.support.oracles.metrics.records import Records, is_client, is_staff, status_at


class Entity:
    """The practice, a clinician or a team, and the records that are theirs."""

    def __init__(self, records: Records, hours: Hours, kind: str, entity_id: str = "") -> None:
        self.records, self.hours = records, hours
        self.kind, self.id = kind, entity_id
        self.members = {person.id for person in records.rows["staff"] if self.has_member(person)}

    def has_member(self, person: Row) -> bool:
        if self.kind == "practice":
            return True
        return self.id == (person.id if self.kind == "clinician" else person.supervisor_id)

    def owns(self, staff_id: str | None) -> bool:
        """Return whether a record with this clinician is the entity's."""
        return self.kind == "practice" or staff_id in self.members

    def exists_in(self, period: Period) -> bool:
        """Return whether the clinician, or the team's supervisor, is employed on a day of the period."""
        return self.kind == "practice" or any(is_staff(self.records.staff[self.id], day) for day in period.days)

    @cached_property
    def appointments(self) -> list[Row]:
        return [a for a in self.records.appointments if self.owns(a.clinician_id)]

    @cached_property
    def clients(self) -> list[Row]:
        return [client for client in self.records.rows["clients"] if self.owns(client.primary_clinician_id)]

    @cached_property
    def charges(self) -> list[Row]:
        return [charge for charge in self.records.charges if self.owns(charge.clinician_id)]

    @cached_property
    def claims(self) -> list[Row]:
        clinicians = {charge.id: charge.clinician_id for charge in self.records.rows["charges"]}
        return [claim for claim in self.records.rows["claims"] if self.owns(clinicians[claim.charge_ids[0]])]

    @cached_property
    def staff(self) -> list[Row]:
        return [self.records.staff[staff_id] for staff_id in sorted(self.members)]

    @cached_property
    def supervision(self) -> list[Row]:
        return [session for session in self.records.rows["supervision"] if self.owns(session.supervisee_id)]


@dataclass
class Case:
    """An entity in a period. `t` and `day` are the instant and the date whose state counts."""

    entity: Entity
    period: Period

    def __post_init__(self) -> None:
        self.records = self.entity.records
        self.as_of, self.calendar = self.records.as_of, self.records.calendar
        self.end: datetime = self.calendar.start_of(self.period.end)
        self.t = min(self.end, self.as_of)
        self.day: date = self.calendar.date_before(self.t)

    def get_setting(self, key: str, default: int) -> int:
        return self.records.get_setting(key, default, self.day)

    @cached_property
    def scheduled(self) -> list[Row]:
        return [
            a
            for a in self.entity.appointments
            if a.date in self.period and a.starts_at < self.as_of and a.status_now != "RESCHEDULED"
        ]

    @cached_property
    def resolved(self) -> list[Row]:
        return [a for a in self.scheduled if a.status_now in ("COMPLETED", "NO_SHOW", "CANCELLED")]

    @cached_property
    def completed(self) -> list[Row]:
        return [a for a in self.scheduled if a.status_now == "COMPLETED"]

    @cached_property
    def completed_before_today(self) -> list[Row]:
        return [a for a in self.completed if a.date < self.records.today]

    @cached_property
    def active_clients(self) -> list[Row]:
        return [client for client in self.entity.clients if is_client(client, self.day)]

    @cached_property
    def unsigned(self) -> list[Row]:
        """Return the sessions of any date whose note is late at t."""
        late = timedelta(hours=24 * self.get_setting("note_alert_days", 7))
        return [
            a
            for a in self.entity.appointments
            if a.created_at <= self.t
            and a.ends_at < self.t - late
            and status_at(a, self.t) == "COMPLETED"
            and self.records.find_signature(a, self.t) is None
        ]
