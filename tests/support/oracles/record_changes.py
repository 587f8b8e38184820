"""Changes of records that metrics rest on: when each was made, and which days it says something about.

They come from the records' own stamps and versions, not from the warehouse.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Row, text

from practice.people.practice_time import zone_of
from practice.security.installation import Installation
from practice.security.work import Actor, Work

EVER, NEVER = date.min, date.max
FINAL = ("COMPLETED", "NO_SHOW", "CANCELLED", "RESCHEDULED")


@dataclass(frozen=True)
class RecordChange:
    """A change of a record, the ids of what it concerns, and the days of the record before or after the change.

    `shows_from` is the first day on which the change shows in a state: what is known of a state later than a day does
    not count for it, unless the change takes the record back.
    """

    table: str
    record_id: UUID
    at: datetime
    what: str
    about: frozenset[UUID]
    first_on: date
    last_on: date
    shows_from: date

    def __str__(self) -> str:
        return f"{self.table} {self.record_id} {self.what} at {self.at.isoformat()}"


STEPS = """
    select a.id, a.client_id, a.clinician_id, a.starts_at, a.ends_at, s.at, s.status as what,
        lag(s.status) over (partition by a.id order by s.at, s.id) as former
    from appointments as a join appointment_steps as s on s.tenant_id = a.tenant_id and s.appointment_id = a.id
    where a.tenant_id = :tenant_id
    union all
    select a.id, a.client_id, a.clinician_id, a.starts_at, a.ends_at, e.at, e.action, 'RECORDED'
    from appointments as a join audit_log as e on e.tenant_id = a.tenant_id and e.subject_id = a.id
    where a.tenant_id = :tenant_id and e.action in ('appointment.ready', 'appointment.changed')
"""
NOTES = """
    select n.id, n.client_id, n.created_at, n.signed_at, n.appointment_id as linked_id, a.starts_at, s.at, s.what
    from notes as n
    left join appointments as a on a.tenant_id = n.tenant_id and a.id = n.appointment_id
    cross join lateral (values
        (n.created_at, 'created'), (n.signed_at, 'signed'), (n.voided_at, 'voided'),
        (n.entered_in_error_at, 'entered in error'),
        ((select v.known_at from record_versions as v where v.tenant_id = n.tenant_id and v.record_kind = 'notes'
            and v.record_id = n.id and v.known_at is not null limit 1), 'linked')
    ) as s (at, what)
    where n.tenant_id = :tenant_id and s.at is not null
"""
MONEY = """
    select s.table_name, s.id, c.id as charge_id, c.client_id, c.clinician_id, c.appointment_id, c.service_date,
        a.starts_at, s.at, s.what
    from charges as c
    left join appointments as a on a.tenant_id = c.tenant_id and a.id = c.appointment_id
    cross join lateral (
        select 'charges' as table_name, c.id, c.created_at as at, 'created' as what
        union all select 'charges', c.id, c.voided_at, 'voided' where c.voided_at is not null
        union all select 'payment_applications', p.id, p.posted_at, 'posted'
            from payment_applications as p where p.tenant_id = c.tenant_id and p.charge_id = c.id
        union all select 'adjustments', p.id, p.posted_at, 'posted'
            from adjustments as p where p.tenant_id = c.tenant_id and p.charge_id = c.id
    ) as s
    where c.tenant_id = :tenant_id
"""
CLAIMS = """
    select c.id, c.submitted_at, c.adjudicated_at, s.at, s.what
    from claims as c
    cross join lateral (values
        (c.submitted_at, 'submitted'), (c.first_response_at, 'responded to'), (c.adjudicated_at, 'adjudicated')
    ) as s (at, what)
    where c.tenant_id = :tenant_id and s.at is not null
"""
HISTORIES = """
    select 'client_statuses' as table_name, id, client_id, effective_on, set_at as at, status as what
    from client_statuses where tenant_id = :tenant_id
    union all
    select 'primary_clinicians', id, client_id, effective_on, set_at, 'set' from primary_clinicians
    where tenant_id = :tenant_id
"""
REVIEWS = """
    select r.id, r.client_id, s.at, s.what, s.reviewed_on
    from treatment_plan_reviews as r
    cross join lateral (
        select r.created_at as at, 'created' as what, r.reviewed_on
        union all select r.voided_at, 'voided', r.reviewed_on where r.voided_at is not null
        union all
        select v.known_at, 'changed', least(
            (v.record_values ->> 'reviewed_on')::date,
            lag((v.record_values ->> 'reviewed_on')::date) over (order by v.known_at nulls first, v.id)
        )
        from record_versions as v
        where v.tenant_id = r.tenant_id and v.record_kind = 'treatment_plan_reviews' and v.record_id = r.id
    ) as s
    where r.tenant_id = :tenant_id
"""
SIGN_INS = "select id, staff_id, at from sign_ins where tenant_id = :tenant_id"
VERSIONS = """
    select record_kind, record_id, known_at as at, record_values as new,
        lag(record_values) over (partition by record_kind, record_id order by known_at nulls first, id) as old
    from record_versions where tenant_id = :tenant_id and record_kind = any(:kinds)
"""


def load_changes(installation: Installation, tenant_id: UUID, now: datetime) -> list[RecordChange]:
    """Return every change that was made after the practice was imported, in the order in which they were made."""
    with installation.work(Actor(tenant_id), now) as work:
        reader = ChangeReader(work)
        return sorted(reader.read(), key=lambda change: change.at)


class ChangeReader:
    """Reads the changes of one practice."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self.zone: ZoneInfo = zone_of(work)

    def read(self) -> Iterator[RecordChange]:
        for query, read_row in (
            (STEPS, self.read_step),
            (NOTES, self.read_note),
            (MONEY, self.read_money),
            (CLAIMS, self.read_claim),
            (HISTORIES, self.read_history),
            (REVIEWS, self.read_review),
            (SIGN_INS, self.read_sign_in),
            (VERSIONS, self.read_version),
        ):
            values = {"tenant_id": self.work.tenant_id} | ({"kinds": list(READERS)} if query is VERSIONS else {})
            for row in self.work.db.execute(text(query.replace("::", "\\:\\:")), values):
                if row.at is not None:  # known from the beginning, by the import
                    yield from read_row(row)

    def date_of(self, at: datetime) -> date:
        return at.astimezone(self.zone).date()

    def shown_on(self, at: datetime) -> date:
        """Return the first day whose end does not precede the instant."""
        return self.date_of(at - timedelta.resolution)

    def read_step(self, row: Row[Any]) -> Iterator[RecordChange]:
        first_on, last_on = self.date_of(row.starts_at), self.date_of(row.ends_at - timedelta.resolution)
        is_taken_back = row.former == "RECORDED" or (row.former in FINAL and row.what not in FINAL)
        shows_from = first_on if is_taken_back else self.shown_on(row.at)
        about = frozenset((row.id, row.client_id, row.clinician_id))
        yield RecordChange("appointments", row.id, row.at, row.what, about, first_on, last_on, shows_from)

    def read_note(self, row: Row[Any]) -> Iterator[RecordChange]:
        about = frozenset({row.id, row.client_id} | ({row.linked_id} if row.linked_id else set()))
        day = self.date_of(row.starts_at or row.created_at)
        shows_from = self.shown_on(row.at)
        if row.what in ("voided", "entered in error"):
            shows_from = min(day, self.date_of(row.created_at))
        elif row.what == "linked" and row.signed_at is not None:
            shows_from = min(shows_from, self.shown_on(row.signed_at))
        yield RecordChange("notes", row.id, row.at, row.what, about, day, day, shows_from)

    def read_money(self, row: Row[Any]) -> Iterator[RecordChange]:
        ids = (row.id, row.charge_id, row.client_id, row.clinician_id, row.appointment_id)
        days = {row.service_date} | ({self.date_of(row.starts_at)} if row.starts_at else set())
        about = frozenset(id for id in ids if id is not None)
        shows_from = self.shown_on(row.at)
        yield RecordChange(row.table_name, row.id, row.at, row.what, about, min(days), max(days), shows_from)

    def read_claim(self, row: Row[Any]) -> Iterator[RecordChange]:
        first_on, last_on = self.date_of(row.submitted_at), self.date_of(row.adjudicated_at or row.submitted_at)
        yield RecordChange("claims", row.id, row.at, row.what, frozenset((row.id,)), first_on, last_on, first_on)

    def read_history(self, row: Row[Any]) -> Iterator[RecordChange]:
        shows_from = max(row.effective_on, self.shown_on(row.at))
        about = frozenset((row.client_id,))
        yield RecordChange(row.table_name, row.id, row.at, row.what, about, shows_from, NEVER, shows_from)

    def read_review(self, row: Row[Any]) -> Iterator[RecordChange]:
        shows_from = self.shown_on(row.at) if row.what == "created" else row.reviewed_on
        about = frozenset((row.id, row.client_id))
        yield RecordChange(
            "treatment_plan_reviews", row.id, row.at, row.what, about, row.reviewed_on, NEVER, shows_from
        )

    def read_sign_in(self, row: Row[Any]) -> Iterator[RecordChange]:
        day = self.date_of(row.at)
        yield RecordChange("sign_ins", row.id, row.at, "added", frozenset((row.staff_id,)), day, day, day)

    def read_version(self, row: Row[Any]) -> Iterator[RecordChange]:
        """Yield a change for what the record said before, and one for what it says since."""
        what = "added" if row.old is None else "voided" if row.new.get("voided_at") else "changed"
        known_on = self.shown_on(row.at)
        for values in (row.old, row.new):
            if values is not None:
                about, first_on, last_on, shows_from = READERS[row.record_kind](self, values, what, known_on)
                ids = frozenset({row.record_id} | {UUID(id) for id in about if id})
                yield RecordChange(row.record_kind, row.record_id, row.at, what, ids, first_on, last_on, shows_from)

    # Each returns whom the values concern, their days, and from when on a change of them shows in a state.

    def read_staff(self, values: dict[str, Any], what: str, known_on: date) -> tuple[Any, ...]:
        since = min(known_on, to_date(values["hired_on"])) if what == "added" else known_on
        return [values["supervisor_id"]], since, NEVER, since

    def read_training(self, values: dict[str, Any], what: str, known_on: date) -> tuple[Any, ...]:
        completed_on = to_date(values["completed_on"])
        return [values["staff_id"]], completed_on, NEVER, completed_on

    def read_client(self, values: dict[str, Any], what: str, known_on: date) -> tuple[Any, ...]:
        return [], known_on, NEVER, known_on

    def read_coverage(self, values: dict[str, Any], what: str, known_on: date) -> tuple[Any, ...]:
        return [values["client_id"]], known_on, NEVER, known_on

    def read_consent(self, values: dict[str, Any], what: str, known_on: date) -> tuple[Any, ...]:
        return [values["client_id"]], self.date_of(to_instant(values["signed_at"])), NEVER, known_on

    def read_window(self, values: dict[str, Any], what: str, known_on: date) -> tuple[Any, ...]:
        first_on = to_date(values["effective_on"] or "0001-01-01")
        last_on = to_date(values["ends_on"] or "9999-01-01")
        return [values["clinician_id"]], max(first_on, known_on) if what == "changed" else first_on, last_on, NEVER

    def read_exception(self, values: dict[str, Any], what: str, known_on: date) -> tuple[Any, ...]:
        on_date = to_date(values["on_date"])
        return [values["clinician_id"]], on_date, on_date, NEVER

    def read_closure(self, values: dict[str, Any], what: str, known_on: date) -> tuple[Any, ...]:
        closed_on = to_date(values["closed_on"])
        return [], closed_on, closed_on, NEVER

    def read_supervision(self, values: dict[str, Any], what: str, known_on: date) -> tuple[Any, ...]:
        held_on = self.date_of(to_instant(values["held_at"]))
        return [values["supervisee_id"]], held_on, held_on, NEVER

    def read_incident(self, values: dict[str, Any], what: str, known_on: date) -> tuple[Any, ...]:
        detected_on = self.date_of(to_instant(values["detected_at"]))
        return [], detected_on, detected_on, NEVER


READERS: dict[str, Callable[..., tuple[Any, ...]]] = {
    "staff": ChangeReader.read_staff,
    "trainings": ChangeReader.read_training,
    "clients": ChangeReader.read_client,
    "coverages": ChangeReader.read_coverage,
    "consents": ChangeReader.read_consent,
    "availability_windows": ChangeReader.read_window,
    "availability_exceptions": ChangeReader.read_exception,
    "closures": ChangeReader.read_closure,
    "supervision_sessions": ChangeReader.read_supervision,
    "incidents": ChangeReader.read_incident,
}


def to_date(value: str) -> date:
    return date.fromisoformat(value)


def to_instant(value: str) -> datetime:
    return datetime.fromisoformat(value)
