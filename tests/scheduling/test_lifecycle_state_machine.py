"""Random schedules against the real database.

After every step all invariants are checked on the rows, and the outcome is compared with what the rows predict.
"""

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from random import Random
from typing import Any, ClassVar
from uuid import UUID

from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant

from practice.errors import Refusal
from practice.scheduling import cancellation, reschedule_requests, rescheduling
from practice.scheduling.appointments import lifecycle, series, updates
from practice.scheduling.appointments.booking import book
from practice.scheduling.appointments.booking_request import BookingRequest
from practice.scheduling.availability import blocks
from practice.scheduling.waitlist import entries, offers
from practice.security.installation import Installation
from practice.security.permissions import Scope
from practice.security.work import Work
from tests.support.builders.people import Person, PracticeFixture, make_practice
from tests.support.builders.schedule import make_client, make_room, make_service, open_hours
from tests.support.drivers.booking import DAY, HOUR, MINUTE, MONDAY, NEW_YORK, SECOND, local
from tests.support.harness.steps import LONG, Steps, print_counts, run_with_hypothesis
from tests.support.oracles.schedule_state import INACTIVE, MAY_FOLLOW, OPEN, ScheduleState, check_schedule, read_state

EXAMPLES, STEPS = (100, 50) if LONG else (20, 25)
BUSY_PRACTICES, BUSY_STEPS = (100, 300) if LONG else (10, 100)

# The choices of each step, by parameter name.
CHOICES: dict[str, Any] = {
    "clinician": [0, 1],
    "client": range(4),
    "room": [None, 0, 1],
    "new_clinician": [None, 0, 1],
    "new_room": ["same", None, 0, 1],
    "slot": range(4 * 14),  # four days of half-hours, from nine on
    "code": ["TALK", "TALK", "SHORT", "GROUP"],
    "count": [2, 3, 4],
    "number": range(1000),  # an index into the existing appointments, offers, ...
    "operation": ["confirm", "check_in", "start_session", "complete", "mark_no_show"],
    "series_scope": ["this", "this_and_following", "all"],
    "shift": [-7, -1, 0, 1, 7],
    "minutes": [-30, 0, 30],
    "halves": range(1, 7),
    "priority": [1, 2, 3],
    "hours": [0.5, 4, 25],
    **dict.fromkeys(("skip", "own", "fitting", "of_room", "take", "approve", "expire"), (False, True)),
}
LEADS_TO = {
    "confirm": "CONFIRMED",
    "check_in": "CHECKED_IN",
    "start_session": "IN_PROGRESS",
    "complete": "COMPLETED",
    "mark_no_show": "NO_SHOW",
}
choosing = Steps(CHOICES)


class Schedule(RuleBasedStateMachine):
    """A practice's schedule under random operations."""

    installation: ClassVar[Installation]
    done: ClassVar[Counter[str]] = Counter()

    @initialize()
    def open(self) -> None:
        self.practice: PracticeFixture = make_practice(self.installation)
        self.now = local(MONDAY - DAY, 12)
        self.scheduler = self.practice.add("scheduler")
        self.clinicians: list[Person] = [self.practice.add("clinician") for _ in range(2)]
        for clinician in self.clinicians:
            open_hours(self.practice, clinician)
        self.clients = [make_client(self.practice, reminders=["email", "sms"]) for _ in range(4)]
        self.rooms = [make_room(self.practice) for _ in range(2)]
        self.services = {"TALK": 60, "SHORT": 30, "GROUP": 90}
        for code, minutes in self.services.items():
            fields: dict[str, Any] = {"kind": "GROUP", "capacity": 2} if code == "GROUP" else {}
            make_service(self.practice, code, minutes=minutes, **fields)
        self.ids: list[UUID] = []  # of the appointments, in the same order in every run
        self.state = self.read()

    def read(self) -> ScheduleState:
        state = read_state(self.practice, self.now)
        new = [appointment for appointment in state.appointments if appointment.id not in self.ids]
        new.sort(key=lambda appointment: (appointment.starts_at, self.clients.index(appointment.client_id)))
        self.ids += [appointment.id for appointment in new]
        return state

    @invariant()
    def check_schedule_rows(self) -> None:
        check_schedule(self.state)

    def do(
        self, name: str, operation: Callable[[Work], Any], by: Person | None = None, expected: bool | None = None
    ) -> Any:
        """Run an operation and return its result. Check its outcome, and that a refusal changes nothing."""
        result: Any = None
        refusal: Exception | None = None
        try:
            with self.practice.work(by or self.scheduler, self.now) as work:
                result = operation(work)
        except Refusal as error:
            refusal = error
        Schedule.done[f"{name} {'refused' if refusal else 'done'}"] += 1
        before, self.state = self.state, self.read()
        if refusal is not None:
            assert self.state.rows == before.rows, f"{name} was refused and changed something: {refusal}"
            assert self.state.audit == before.audit
        if expected is not None:
            assert (refusal is None) is expected, f"{name}: {refusal or 'was not refused'}"
        return result

    def get_start(self, slot: int) -> datetime:
        return local(MONDAY + (slot // 14) * DAY, 9) + slot % 14 * 30 * MINUTE

    def get_room(self, room: int | None) -> UUID | None:
        return None if room is None else self.rooms[room]

    def pick_appointment(self, number: int, *statuses: str, of_series: bool = False) -> Any:
        """Return an appointment with one of the statuses, if any exists."""
        appointments = [self.state.find_appointment(id) for id in self.ids]
        appointments = [appointment for appointment in appointments if not statuses or appointment.status in statuses]
        appointments = [appointment for appointment in appointments if appointment.series_id or not of_series]
        return appointments[number % len(appointments)] if appointments else None

    def get_clinician(self, appointment: Any) -> Person:
        return next(clinician for clinician in self.clinicians if clinician.staff_id == appointment.clinician_id)

    def build_request(
        self, clinician: int, client: int, room: int | None, slot: int, code: str = "TALK"
    ) -> BookingRequest:
        clinician_id, client_id = self.clinicians[clinician].staff_id, self.clients[client]
        return BookingRequest(client_id, clinician_id, code, self.get_start(slot), self.get_room(room))

    def is_free(self, request: BookingRequest, start: datetime) -> bool:
        resources = [request.client_id, request.clinician_id, request.room_id]
        return self.state.is_free(resources, start, start + self.services[request.service_code] * MINUTE)

    # Booking

    @choosing
    def book(self, clinician: int, client: int, room: int | None, slot: int, code: str) -> None:
        request = self.build_request(clinician, client, room, slot, code)
        self.do("book", lambda work: book(work, request) and None, expected=self.is_free(request, request.starts_at))

    @choosing
    def take_a_seat(self, number: int, client: int) -> None:
        if not self.state.groups:
            return
        group = self.state.groups[number % len(self.state.groups)]
        seats = [appointment for appointment in self.state.appointments if appointment.group_session_id == group.id]
        left = group.capacity - sum(appointment.status not in INACTIVE for appointment in seats)
        resources = [self.clients[client], group.clinician_id, group.room_id]
        free = self.state.is_free(resources, group.starts_at, group.ends_at, group.id)
        request = BookingRequest(
            self.clients[client], group.clinician_id, "GROUP", group.starts_at, group_session_id=group.id
        )
        self.do("seat", lambda work: book(work, request) and None, expected=free and left > 0)

    @choosing
    def book_series(self, clinician: int, client: int, room: int | None, slot: int, count: int, skip: bool) -> None:
        request = self.build_request(clinician, client, room, slot)
        free = [self.is_free(request, request.starts_at + number * 7 * DAY) for number in range(count)]

        def statuses(work: Work) -> list[str]:
            booked = series.book_series(work, request, f"FREQ=WEEKLY;COUNT={count}", skip_conflicts=skip)
            return [occurrence.status for occurrence in booked.occurrences]

        statuses_booked = self.do("series", statuses, expected=any(free) if skip else all(free))
        assert statuses_booked in (None, ["booked" if is_free else "skipped" for is_free in free])

    # Lifecycle

    @choosing
    def step(self, number: int, operation: str, own: bool, fitting: bool) -> None:
        """Take a step with an appointment that allows it, or with any at any time."""
        fit = [before for before, after in MAY_FOLLOW.items() if LEADS_TO[operation] in after]
        appointment = self.pick_appointment(number, *fit) if fitting else self.pick_appointment(number)
        if appointment is None:
            return
        start = appointment.starts_at
        earliest = {
            "": self.now,
            "d": start.astimezone(NEW_YORK).replace(hour=0, minute=0),
            "e": start - 15 * MINUTE,
            "s": start,
        }
        condition = MAY_FOLLOW.get(appointment.status, {}).get(LEADS_TO[operation])
        if fitting and condition is not None:
            self.now = max(self.now, earliest[condition])
        allowed = condition is not None and self.now >= earliest[condition]
        if condition == "d":
            allowed = self.now.astimezone(NEW_YORK).date() == start.astimezone(NEW_YORK).date()
        person, scope = (self.get_clinician(appointment), Scope.OWN) if own else (self.scheduler, Scope.ALL)
        self.do(
            operation, lambda work: getattr(lifecycle, operation)(work, scope, appointment.id) and None, person, allowed
        )

    @choosing
    def get_ready(self, number: int) -> None:
        if appointment := self.pick_appointment(number, "CHECKED_IN"):
            self.do(
                "ready",
                lambda work: lifecycle.mark_ready(work, Scope.ALL, appointment.id) and None,
                expected=appointment.ready_at is None,
            )

    @choosing
    def cancel(self, number: int, series_scope: Any, fitting: bool) -> None:
        appointment = self.pick_appointment(number, *OPEN) if fitting else self.pick_appointment(number)
        if appointment is None:
            return
        allowed = "CANCELLED" in MAY_FOLLOW.get(appointment.status, {})
        expected = allowed if series_scope != "all" or appointment.series_id is None else None
        self.do(
            "cancel",
            lambda work: cancellation.cancel(work, Scope.ALL, appointment.id, "Ill", series_scope) and None,
            expected=expected,
        )

    @choosing
    def move(self, number: int, slot: int, new_clinician: int | None, new_room: Any) -> None:
        appointment, start = self.pick_appointment(number, *OPEN), self.get_start(slot)
        if appointment is None:
            return
        changes: dict[str, Any] = {}
        if new_clinician is not None:
            changes["clinician_id"] = self.clinicians[new_clinician].staff_id
        if new_room != "same":
            changes["room_id"] = self.get_room(new_room)
        resources = {"clinician_id": appointment.clinician_id, "room_id": appointment.room_id} | changes
        free = self.state.is_free(
            [appointment.client_id, *resources.values()],
            start,
            start + (appointment.ends_at - appointment.starts_at),
            appointment.id,
        )
        self.do(
            "move",
            lambda work: rescheduling.move(work, Scope.ALL, appointment.id, start, changes=changes) and None,
            expected=free and appointment.group_session_id is None,
        )

    @choosing
    def move_a_series(self, number: int, shift: int, minutes: int, series_scope: Any) -> None:
        if appointment := self.pick_appointment(number, *OPEN, of_series=True):
            start = appointment.starts_at + shift * DAY + minutes * MINUTE
            self.do(
                "move series",
                lambda work: rescheduling.move(work, Scope.ALL, appointment.id, start, series_scope) and None,
            )

    @choosing
    def change_room(self, number: int, room: int | None) -> None:
        appointment = self.pick_appointment(number, *OPEN)
        if appointment is None:
            return
        free = room is None or self.state.is_free(
            [self.rooms[room]], appointment.starts_at, appointment.ends_at, appointment.id
        )
        changes = {"room_id": self.get_room(room)}
        self.do(
            "change room",
            lambda work: (
                updates.change_appointment(work, Scope.ALL, appointment.id, appointment.version, changes) and None
            ),
            expected=free and appointment.group_session_id is None,
        )

    # Blocks

    @choosing
    def block(self, clinician: int, slot: int, halves: int, of_room: bool) -> None:
        start = self.get_start(slot)
        end = start + halves * 30 * MINUTE
        resource = (
            {"room_id": self.rooms[clinician]} if of_room else {"clinician_id": self.clinicians[clinician].staff_id}
        )
        self.do(
            "block",
            lambda work: blocks.add_block(work, Scope.ALL, starts_at=start, ends_at=end, **resource) and None,
            expected=self.state.is_free([*resource.values()], start, end),
        )

    @choosing
    def unblock(self, number: int) -> None:
        active = [block for block in self.state.blocks if block.voided_at is None]
        if active:
            block = active[number % len(active)]
            resource = {"room_id": block.room_id} if block.room_id else {"clinician_id": block.clinician_id}
            self.do(
                "unblock", lambda work: blocks.void_block(work, Scope.ALL, block.id, "Over", **resource), expected=True
            )

    # Waitlist

    @choosing
    def wait(self, client: int, priority: int, new_clinician: int | None) -> None:
        self.now += SECOND  # no two entries have waited equally long
        preferences: dict[str, Any] = {"priority": priority}
        if new_clinician is not None:
            preferences["clinician_ids"] = [self.clinicians[new_clinician].staff_id]
        self.do(
            "wait", lambda work: entries.add_entry(work, self.clients[client], **preferences) and None, expected=True
        )

    @choosing
    def answer(self, number: int, take: bool) -> None:
        offered = [offer for offer in self.state.offers if offer.status == "OPEN"] or self.state.offers
        if not offered:
            return
        offer = offered[number % len(offered)]
        entry = next(entry for entry in self.state.entries if entry.id == offer.entry_id)
        allowed = offer.status == "OPEN" and offer.holds_until > self.now
        if take:
            allowed = allowed and self.state.is_free([entry.client_id], offer.starts_at, offer.ends_at)
        answer_offer = offers.take_offer if take else offers.decline_offer
        self.do(answer_offer.__name__, lambda work: answer_offer(work, Scope.ALL, offer.id) and None, expected=allowed)

    @choosing
    def withdraw(self, number: int) -> None:
        if self.state.entries:
            entry = self.state.entries[number % len(self.state.entries)]
            allowed = entry.status in ("WAITING", "OFFERED")
            self.do(
                "withdraw", lambda work: offers.withdraw_entry(work, Scope.ALL, entry.id) and None, expected=allowed
            )

    @choosing
    def pass_time(self, hours: float, expire: bool) -> None:
        self.now += hours * HOUR
        self.state.now = self.now
        if expire:
            self.do("expire", offers.expire_offers, expected=True)

    # Reschedule requests

    @choosing
    def ask(self, number: int, slot: int) -> None:
        appointment, start = self.pick_appointment(number, *OPEN), self.get_start(slot)
        if appointment is None:
            return
        is_pending = any(
            request.appointment_id == appointment.id and request.status == "PENDING" for request in self.state.requests
        )
        allowed = (
            appointment.group_session_id is None
            and not is_pending
            and appointment.starts_at - self.now >= 48 * HOUR
            and start > self.now
            and start != appointment.starts_at
        )
        person = self.get_clinician(appointment)
        self.do(
            "ask",
            lambda work: reschedule_requests.request_reschedule(work, Scope.OWN, appointment.id, start, "Ill") and None,
            person,
            allowed,
        )

    @choosing
    def decide(self, number: int, approve: bool) -> None:
        if not self.state.requests:
            return
        request = self.state.requests[number % len(self.state.requests)]
        if approve:
            self.do("approve", lambda work: reschedule_requests.approve_request(work, request.id) and None)
        else:
            pending = request.status == "PENDING"
            self.do(
                "reject",
                lambda work: reschedule_requests.reject_request(work, request.id, "No") and None,
                expected=pending,
            )


def test_short_schedules_keep_all_invariants(installation: Installation) -> None:
    Schedule.installation = installation
    run_with_hypothesis(Schedule, EXAMPLES, STEPS)
    print_counts(Schedule.done)


def test_busy_practices_keep_all_invariants(installation: Installation) -> None:
    Schedule.installation = installation
    Schedule.done.clear()
    for seed in range(BUSY_PRACTICES):
        random, practice = Random(seed), Schedule()  # noqa: S311
        practice.open()
        for _ in choosing.run_randomly(practice, random, BUSY_STEPS):
            check_schedule(practice.state)
    print_counts(Schedule.done)
    tried = {name.rpartition(" ")[0] for name in Schedule.done}
    assert {name for name in tried if not Schedule.done[f"{name} done"]} == set()
