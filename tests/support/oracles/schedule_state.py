"""The schedule of a practice as plain rows, and its invariants, computed without the production code."""

import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

from sqlalchemy import text

from tests.support.builders.people import PracticeFixture

INACTIVE = ("CANCELLED", "RESCHEDULED", "NO_SHOW")
OPEN = ("SCHEDULED", "CONFIRMED")
LEADS = (1440, 120, 15)

# Allowed transitions; `s`: only from the start time on, `e`: from 15 minutes before it, `d`: on the local day.
MAY_FOLLOW = {
    "SCHEDULED": {
        "CONFIRMED": "",
        "CHECKED_IN": "d",
        "COMPLETED": "e",
        "NO_SHOW": "s",
        "CANCELLED": "",
        "RESCHEDULED": "",
    },
    "CONFIRMED": {"CHECKED_IN": "d", "COMPLETED": "e", "NO_SHOW": "s", "CANCELLED": "", "RESCHEDULED": ""},
    "CHECKED_IN": {"IN_PROGRESS": "e", "COMPLETED": "e", "CANCELLED": ""},
    "IN_PROGRESS": {"COMPLETED": "e"},
}

TABLES = {
    "appointments": "select * from appointments where tenant_id = :id order by created_at, starts_at, id",
    "steps": "select * from appointment_steps where tenant_id = :id order by at, id",
    "groups": "select * from group_sessions where tenant_id = :id order by starts_at, id",
    "blocks": "select * from blocks where tenant_id = :id order by starts_at, id",
    "entries": "select * from waitlist_entries where tenant_id = :id order by created_at",
    "offers": "select * from waitlist_offers where tenant_id = :id order by offered_at, starts_at, id",
    "requests": "select * from reschedule_requests where tenant_id = :id order by asked_at, id",
    "messages": "select * from messages where tenant_id = :id and appointment_id is not null order by id",
    "occupancies": "select * from occupancies where tenant_id = :id order by holder_id, kind",
}
AUDIT = """
    select action, count(*), coalesce(sum((details ->> 'appointments')::integer), 0)
    from audit_log where tenant_id = :id group by action
"""


@dataclass(frozen=True)
class Occupancy:
    """A time for which a holder occupies a clinician, room or client."""

    holder: UUID
    kind: str
    resource: UUID
    start: datetime
    end: datetime


@dataclass
class ScheduleState:
    """All scheduling rows of a practice, by table, with its audit counts."""

    now: datetime
    rows: dict[str, list[Any]]
    audit: dict[str, tuple[int, int]]

    def __getattr__(self, table: str) -> list[Any]:
        return self.rows[table]

    def find_appointment(self, id: UUID) -> Any:
        return next(appointment for appointment in self.appointments if appointment.id == id)

    def compute_occupancies(self, *, include_expired: bool = True) -> list[Occupancy]:
        """Return the occupancies implied by active appointments, open offers and blocks."""
        occupancies = {}

        def occupy(holder: Any, kind: str, resource: UUID | None, time: Any) -> None:
            if resource is not None:
                occupancies[holder, kind] = Occupancy(holder, kind, resource, time.starts_at, time.ends_at)

        for appointment in self.appointments:
            if appointment.status not in INACTIVE and appointment.guarded:
                occupy(appointment.id, "client", appointment.client_id, appointment)
                for kind in ("clinician", "room"):
                    occupy(
                        appointment.group_session_id or appointment.id,
                        kind,
                        getattr(appointment, f"{kind}_id"),
                        appointment,
                    )
        for offer in self.offers:
            if offer.status == "OPEN" and (include_expired or offer.holds_until > self.now):
                occupy(offer.id, "clinician", offer.clinician_id, offer)
                occupy(offer.id, "room", offer.room_id, offer)
        for block in self.blocks:
            if block.voided_at is None:
                occupy(block.id, "clinician", block.clinician_id, block)
                occupy(block.id, "room", block.room_id, block)
        return list(occupancies.values())

    def is_free(self, resources: list[UUID | None], start: datetime, end: datetime, *ignored_holders: UUID) -> bool:
        """Return whether none of the resources is occupied; expired offers do not count."""
        return not any(
            occupancy.resource in resources
            and occupancy.start < end
            and start < occupancy.end
            and occupancy.holder not in ignored_holders
            for occupancy in self.compute_occupancies(include_expired=False)
        )


def read_state(practice: PracticeFixture, now: datetime) -> ScheduleState:
    with practice.installation.store.begin_session(practice.id) as db:
        rows = {name: list(db.execute(text(query), {"id": practice.id})) for name, query in TABLES.items()}
        audit = {row[0]: (row[1], row[2]) for row in db.execute(text(AUDIT), {"id": practice.id})}
    return ScheduleState(now, rows, audit)


def check_schedule(state: ScheduleState) -> None:
    check_no_double_booking(state)
    check_status_history(state)
    check_groups(state)
    check_waitlist(state)
    check_messages(state)
    check_audit(state)


def check_no_double_booking(state: ScheduleState) -> None:
    by_resource = defaultdict(list)
    for occupancy in state.compute_occupancies():
        by_resource[occupancy.resource].append(occupancy)
    for occupancies in by_resource.values():
        occupancies.sort(key=lambda occupancy: occupancy.start)
        for occupancy, after in pairwise(occupancies):
            assert occupancy.end <= after.start, f"{occupancy} and {after} overlap"
    stored = {
        Occupancy(row.holder_id, row.kind, row.resource_id, row.starts_at, row.ends_at) for row in state.occupancies
    }
    assert stored == set(state.compute_occupancies())
    assert len(stored) == len(state.occupancies)


def check_status_history(state: ScheduleState) -> None:
    steps = defaultdict(list)
    for step in state.steps:
        steps[step.appointment_id].append(step)
    references = [appointment.reference for appointment in state.appointments]
    assert len(set(references)) == len(references)
    assert all(re.fullmatch(r"BK-20[0-9]{2}-[0-9]{6}", reference) for reference in references)
    for appointment in state.appointments:
        history = steps[appointment.id]
        assert history[0].status == "SCHEDULED"
        assert history[0].at == appointment.created_at
        for before, after in pairwise(history):
            assert after.status in MAY_FOLLOW[before.status], (before.status, after.status)
            if MAY_FOLLOW[before.status][after.status] == "s":
                assert after.at >= appointment.starts_at
            assert after.at >= before.at
        assert appointment.status == history[-1].status
        assert appointment.status_at == (history[-1].at if len(history) > 1 else None)
        times = {step.status: step.at for step in history}
        assert appointment.arrived_at == times.get("CHECKED_IN")
        assert appointment.started_at == times.get("IN_PROGRESS")
        assert appointment.ready_at is None or appointment.ready_at >= appointment.arrived_at
        assert (appointment.rescheduled_to_id is not None) is (appointment.status == "RESCHEDULED")
        assert (appointment.price_cents is not None) is (appointment.status == "COMPLETED")
        assert (appointment.cancellation_reason is not None) is (appointment.status == "CANCELLED")
        if appointment.rescheduled_to_id:
            replacement = state.find_appointment(appointment.rescheduled_to_id)
            assert (replacement.client_id, replacement.series_id, replacement.service_id) == (
                appointment.client_id,
                appointment.series_id,
                appointment.service_id,
            )
            assert replacement.created_at == appointment.status_at
    moved_to = [appointment.rescheduled_to_id for appointment in state.appointments if appointment.rescheduled_to_id]
    assert len(set(moved_to)) == len(moved_to)


def check_groups(state: ScheduleState) -> None:
    for group in state.groups:
        seats = [appointment for appointment in state.appointments if appointment.group_session_id == group.id]
        assert sum(appointment.status not in INACTIVE for appointment in seats) <= group.capacity
        for seat in seats:
            for name in ("clinician_id", "room_id", "service_id", "starts_at", "ends_at"):
                assert getattr(seat, name) == getattr(group, name)


def check_waitlist(state: ScheduleState) -> None:
    for entry in state.entries:
        offers = [offer for offer in state.offers if offer.entry_id == entry.id]
        open_offers = [offer for offer in offers if offer.status == "OPEN"]
        assert len(open_offers) == (entry.status == "OFFERED")
        assert sum(offer.status == "TAKEN" for offer in offers) == (entry.status == "BOOKED")
        assert len({(offer.clinician_id, offer.starts_at) for offer in offers}) == len(offers)
        assert all(offer.offered_at < offer.holds_until <= offer.starts_at for offer in offers)
    pending = [request.appointment_id for request in state.requests if request.status == "PENDING"]
    assert len(set(pending)) == len(pending)
    for request in state.requests:
        assert (request.decided_at is None) is (request.status == "PENDING")
        assert (request.new_appointment_id is not None) is (request.status == "APPROVED")


def check_messages(state: ScheduleState) -> None:
    """Check the queued messages of clients with email and SMS. Nothing is sent while the tests run."""
    keys = [(message.appointment_id, message.kind, message.lead_minutes, message.channel) for message in state.messages]
    assert len(set(keys)) == len(keys)
    planned = defaultdict(list)
    for message in state.messages:
        if message.status == "PLANNED":
            planned[message.appointment_id].append(message)
    for appointment in state.appointments:
        messages = planned[appointment.id]
        kinds = {message.kind for message in messages}
        if appointment.status in OPEN:
            assert kinds <= {"BOOKED", "MOVED", "REMINDER"}
            leads = [lead for lead in LEADS if appointment.starts_at - timedelta(minutes=lead) > appointment.created_at]
            expected = sorted((lead, channel) for lead in leads for channel in ("email", "sms"))
            assert (
                sorted((message.lead_minutes, message.channel) for message in messages if message.kind == "REMINDER")
                == expected
            )
            for message in messages:
                if message.kind == "REMINDER":
                    assert message.due_at == appointment.starts_at - timedelta(minutes=message.lead_minutes)
        else:
            assert kinds <= {"CANCELLED": {"CANCELLED"}, "NO_SHOW": {"NO_SHOW_FOLLOW_UP"}}.get(
                appointment.status, set()
            )


def check_audit(state: ScheduleState) -> None:
    """Check that the audit log has one entry for each change in the tables."""
    steps = Counter(step.status for step in state.steps)
    offers = Counter(offer.status for offer in state.offers)
    requests = Counter(request.status for request in state.requests)
    expected = Counter(
        {
            **{f"appointment.{status.lower()}": steps[status] for status in MAY_FOLLOW if status != "SCHEDULED"},
            **{f"appointment.{status.lower()}": steps[status] for status in ("COMPLETED", "CANCELLED", "NO_SHOW")},
            "appointment.moved": steps["RESCHEDULED"],
            "appointment.ready": sum(appointment.ready_at is not None for appointment in state.appointments),
            "block.added": len(state.blocks),
            "block.voided": sum(block.voided_at is not None for block in state.blocks),
            "waitlist.added": len(state.entries),
            "waitlist.withdrawn": sum(entry.status == "WITHDRAWN" for entry in state.entries),
            "waitlist.offered": len(state.offers),
            **{f"waitlist.offer_{status.lower()}": offers[status] for status in ("TAKEN", "DECLINED", "EXPIRED")},
            "reschedule.requested": len(state.requests),
            **{f"reschedule.{status.lower()}": requests[status] for status in ("APPROVED", "REJECTED", "WITHDRAWN")},
        }
    )
    actual = {action: state.audit.get(action, (0, 0))[0] for action in expected}
    assert actual == dict(expected)
    booked = state.audit.get("appointment.booked", (0, 0))[0] + state.audit.get("series.booked", (0, 0))[1]
    assert booked + steps["RESCHEDULED"] == steps["SCHEDULED"] == len(state.appointments)
