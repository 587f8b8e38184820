"""A practice's schedule as plain rows, and all that has to hold of it, worked out without the practice's code."""

import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

from sqlalchemy import text

from tests.support.builders.people import PracticeFixture

GIVEN_UP = ("CANCELLED", "RESCHEDULED", "NO_SHOW")
OPEN = ("SCHEDULED", "CONFIRMED")
LEADS = (1440, 120, 15)

# Which status may follow which; `s`: only once the start has come.
MAY_FOLLOW = {
    "SCHEDULED": {
        "CONFIRMED": "",
        "CHECKED_IN": "",
        "COMPLETED": "s",
        "NO_SHOW": "s",
        "CANCELLED": "",
        "RESCHEDULED": "",
    },
    "CONFIRMED": {"CHECKED_IN": "", "COMPLETED": "s", "NO_SHOW": "s", "CANCELLED": "", "RESCHEDULED": ""},
    "CHECKED_IN": {"IN_PROGRESS": "", "COMPLETED": "s", "CANCELLED": ""},
    "IN_PROGRESS": {"COMPLETED": ""},
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
class Held:
    """That a holder has a clinician, a room or a client for a time."""

    holder: UUID
    kind: str
    resource: UUID
    start: datetime
    end: datetime


@dataclass
class State:
    now: datetime
    rows: dict[str, list[Any]]
    audit: dict[str, tuple[int, int]]

    def __getattr__(self, table: str) -> list[Any]:
        return self.rows[table]

    def appointment(self, id: UUID) -> Any:
        return next(one for one in self.appointments if one.id == id)

    def held(self, *, lapsed: bool = True) -> list[Held]:
        """What the active appointments, the open offers and the blocks imply; with or without offers that are over."""
        found = {}

        def hold(holder: Any, kind: str, resource: UUID | None, place: Any) -> None:
            if resource is not None:
                found[holder, kind] = Held(holder, kind, resource, place.starts_at, place.ends_at)

        for one in self.appointments:
            if one.status not in GIVEN_UP and one.guarded:
                hold(one.id, "client", one.client_id, one)
                for kind in ("clinician", "room"):
                    hold(one.group_session_id or one.id, kind, getattr(one, f"{kind}_id"), one)
        for offer in self.offers:
            if offer.status == "OPEN" and (lapsed or offer.holds_until > self.now):
                hold(offer.id, "clinician", offer.clinician_id, offer)
                hold(offer.id, "room", offer.room_id, offer)
        for block in self.blocks:
            if block.voided_at is None:
                hold(block.id, "clinician", block.clinician_id, block)
                hold(block.id, "room", block.room_id, block)
        return list(found.values())

    def is_free(self, resources: list[UUID | None], start: datetime, end: datetime, *but: UUID) -> bool:
        """Of offers only those count whose time to answer is not over."""
        return not any(
            one.resource in resources and one.start < end and start < one.end and one.holder not in but
            for one in self.held(lapsed=False)
        )


def read_state(practice: PracticeFixture, now: datetime) -> State:
    with practice.installation.store.session_in(practice.id) as db:
        rows = {name: list(db.execute(text(query), {"id": practice.id})) for name, query in TABLES.items()}
        audit = {row[0]: (row[1], row[2]) for row in db.execute(text(AUDIT), {"id": practice.id})}
    return State(now, rows, audit)


def check(state: State) -> None:
    check_nothing_is_taken_twice(state)
    check_lives(state)
    check_groups(state)
    check_waitlist(state)
    check_messages(state)
    check_audit(state)


def check_nothing_is_taken_twice(state: State) -> None:
    by_resource = defaultdict(list)
    for one in state.held():
        by_resource[one.resource].append(one)
    for held in by_resource.values():
        held.sort(key=lambda one: one.start)
        for one, after in pairwise(held):
            assert one.end <= after.start, f"{one} and {after} overlap"
    kept = {Held(o.holder_id, o.kind, o.resource_id, o.starts_at, o.ends_at) for o in state.occupancies}
    assert kept == set(state.held())
    assert len(kept) == len(state.occupancies)


def check_lives(state: State) -> None:
    steps = defaultdict(list)
    for step in state.steps:
        steps[step.appointment_id].append(step)
    references = [one.reference for one in state.appointments]
    assert len(set(references)) == len(references)
    assert all(re.fullmatch(r"BK-20[0-9]{2}-[0-9]{6}", reference) for reference in references)
    for one in state.appointments:
        lived = steps[one.id]
        assert lived[0].status == "SCHEDULED"
        assert lived[0].at == one.created_at
        for before, after in pairwise(lived):
            assert after.status in MAY_FOLLOW[before.status], (before.status, after.status)
            if MAY_FOLLOW[before.status][after.status] == "s":
                assert after.at >= one.starts_at
            assert after.at >= before.at
        assert one.status == lived[-1].status
        assert one.status_at == (lived[-1].at if len(lived) > 1 else None)
        at = {step.status: step.at for step in lived}
        assert one.arrived_at == at.get("CHECKED_IN")
        assert one.started_at == at.get("IN_PROGRESS")
        assert one.ready_at is None or one.ready_at >= one.arrived_at
        assert (one.rescheduled_to_id is not None) is (one.status == "RESCHEDULED")
        assert (one.price_cents is not None) is (one.status == "COMPLETED")
        assert (one.cancellation_reason is not None) is (one.status == "CANCELLED")
        if one.rescheduled_to_id:
            new = state.appointment(one.rescheduled_to_id)
            assert (new.client_id, new.series_id, new.service_id) == (one.client_id, one.series_id, one.service_id)
            assert new.created_at == one.status_at
    moved_to = [one.rescheduled_to_id for one in state.appointments if one.rescheduled_to_id]
    assert len(set(moved_to)) == len(moved_to)


def check_groups(state: State) -> None:
    for group in state.groups:
        seats = [one for one in state.appointments if one.group_session_id == group.id]
        assert sum(one.status not in GIVEN_UP for one in seats) <= group.capacity
        for seat in seats:
            for name in ("clinician_id", "room_id", "service_id", "starts_at", "ends_at"):
                assert getattr(seat, name) == getattr(group, name)


def check_waitlist(state: State) -> None:
    for entry in state.entries:
        offers = [offer for offer in state.offers if offer.entry_id == entry.id]
        open_ones = [offer for offer in offers if offer.status == "OPEN"]
        assert len(open_ones) == (entry.status == "OFFERED")
        assert sum(offer.status == "TAKEN" for offer in offers) == (entry.status == "BOOKED")
        assert len({(offer.clinician_id, offer.starts_at) for offer in offers}) == len(offers)
        assert all(offer.offered_at < offer.holds_until <= offer.starts_at for offer in offers)
    pending = [request.appointment_id for request in state.requests if request.status == "PENDING"]
    assert len(set(pending)) == len(pending)
    for request in state.requests:
        assert (request.decided_at is None) is (request.status == "PENDING")
        assert (request.new_appointment_id is not None) is (request.status == "APPROVED")


def check_messages(state: State) -> None:
    """The clients of the tests are told by e-mail and SMS; nobody sends anything while the tests run."""
    keys = [(m.appointment_id, m.kind, m.lead_minutes, m.channel) for m in state.messages]
    assert len(set(keys)) == len(keys)
    planned = defaultdict(list)
    for message in state.messages:
        if message.status == "PLANNED":
            planned[message.appointment_id].append(message)
    for one in state.appointments:
        found = planned[one.id]
        kinds = {message.kind for message in found}
        if one.status in OPEN:
            assert kinds <= {"BOOKED", "MOVED", "REMINDER"}
            leads = [lead for lead in LEADS if one.starts_at - timedelta(minutes=lead) > one.created_at]
            wanted = sorted((lead, channel) for lead in leads for channel in ("email", "sms"))
            assert sorted((m.lead_minutes, m.channel) for m in found if m.kind == "REMINDER") == wanted
            for message in found:
                if message.kind == "REMINDER":
                    assert message.due_at == one.starts_at - timedelta(minutes=message.lead_minutes)
        else:
            assert kinds <= {"CANCELLED": {"CANCELLED"}, "NO_SHOW": {"NO_SHOW_FOLLOW_UP"}}.get(one.status, set())


def check_audit(state: State) -> None:
    """Every change has its entry: counted by what the tables say has happened."""
    steps = Counter(step.status for step in state.steps)
    offers = Counter(offer.status for offer in state.offers)
    requests = Counter(request.status for request in state.requests)
    expected = Counter(
        {
            **{f"appointment.{status.lower()}": steps[status] for status in MAY_FOLLOW if status != "SCHEDULED"},
            **{f"appointment.{status.lower()}": steps[status] for status in ("COMPLETED", "CANCELLED", "NO_SHOW")},
            "appointment.moved": steps["RESCHEDULED"],
            "appointment.ready": sum(one.ready_at is not None for one in state.appointments),
            "block.added": len(state.blocks),
            "block.voided": sum(block.voided_at is not None for block in state.blocks),
            "waitlist.added": len(state.entries),
            "waitlist.withdrawn": sum(entry.status == "WITHDRAWN" for entry in state.entries),
            "waitlist.offered": len(state.offers),
            **{f"waitlist.offer_{status.lower()}": offers[status] for status in ("TAKEN", "DECLINED", "EXPIRED")},
            "reschedule.asked": len(state.requests),
            **{f"reschedule.{status.lower()}": requests[status] for status in ("APPROVED", "REJECTED", "WITHDRAWN")},
        }
    )
    found = {action: state.audit.get(action, (0, 0))[0] for action in expected}
    assert found == dict(expected)
    booked = state.audit.get("appointment.booked", (0, 0))[0] + state.audit.get("series.booked", (0, 0))[1]
    assert booked + steps["RESCHEDULED"] == steps["SCHEDULED"] == len(state.appointments)
