"""A practice's schedule lived at random against the real database. After every step everything that has to hold of it
is worked out anew from the rows, and what was done or refused is held against what the rows say should be."""

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
from practice.scheduling.appointments.booking_request import Wanted
from practice.scheduling.availability import blocks
from practice.scheduling.waitlist import entries, offers
from practice.security.installation import Installation
from practice.security.permissions import Scope
from practice.security.work import Work
from tests.support.builders.people import Person, PracticeFixture, make_practice
from tests.support.builders.schedule import make_client, make_room, make_service, open_hours
from tests.support.drivers.booking import DAY, HOUR, MINUTE, MONDAY, SECOND, wall
from tests.support.harness.steps import LONG, Steps, live_shortly, tell
from tests.support.oracles.schedule_state import GIVEN_UP, MAY_FOLLOW, OPEN, State, check, read_state

LIVES, STEPS = (100, 50) if LONG else (20, 25)
BUSY_PRACTICES, BUSY_STEPS = (100, 300) if LONG else (10, 100)

# What a step takes, by the name of its parameter.
CHOICES: dict[str, Any] = {
    "clinician": [0, 1],
    "client": range(4),
    "room": [None, 0, 1],
    "new_clinician": [None, 0, 1],
    "new_room": ["same", None, 0, 1],
    "slot": range(4 * 14),  # four days of half-hours, from nine on
    "code": ["TALK", "TALK", "SHORT", "GROUP"],
    "count": [2, 3, 4],
    "number": range(1000),  # of the appointments, offers, ... that are there
    "verb": ["confirm", "check_in", "start", "complete", "no_show"],
    "which": ["one", "following", "all"],
    "shift": [-7, -1, 0, 1, 7],
    "minutes": [-30, 0, 30],
    "halves": range(1, 7),
    "priority": [1, 2, 3],
    "hours": [0.5, 4, 25],
    **dict.fromkeys(("skip", "own", "fitting", "of_room", "take", "approve", "expire"), (False, True)),
}
LEADS_TO = {
    **{"confirm": "CONFIRMED", "check_in": "CHECKED_IN", "start": "IN_PROGRESS"},
    **{"complete": "COMPLETED", "no_show": "NO_SHOW", "cancel": "CANCELLED"},
}
choosing = Steps(CHOICES)


class Schedule(RuleBasedStateMachine):
    installation: ClassVar[Installation]
    done: ClassVar[Counter[str]] = Counter()

    @initialize()
    def open(self) -> None:
        self.practice: PracticeFixture = make_practice(self.installation)
        self.now = wall(MONDAY - DAY, 12)
        self.scheduler = self.practice.add("scheduler")
        self.clinicians: list[Person] = [self.practice.add("clinician") for _ in range(2)]
        for clinician in self.clinicians:
            open_hours(self.practice, clinician)
        self.clients = [make_client(self.practice, reminders=["email", "sms"]) for _ in range(4)]
        self.rooms = [make_room(self.practice) for _ in range(2)]
        self.services = {"TALK": 60, "SHORT": 30, "GROUP": 90}
        for code, minutes in self.services.items():
            more: dict[str, Any] = {"kind": "GROUP", "capacity": 2} if code == "GROUP" else {}
            make_service(self.practice, code, minutes=minutes, **more)
        self.ids: list[UUID] = []  # of the appointments, in an order that is the same in every run
        self.state = self.read()

    def read(self) -> State:
        state = read_state(self.practice, self.now)
        new = [one for one in state.appointments if one.id not in self.ids]
        new.sort(key=lambda one: (one.starts_at, self.clients.index(one.client_id)))
        self.ids += [one.id for one in new]
        return state

    @invariant()
    def everything_holds(self) -> None:
        check(self.state)

    def do(self, name: str, verb: Callable[[Work], Any], by: Person | None = None, expected: bool | None = None) -> Any:
        """What came of a step: an answer, or a refusal that left everything as it was. As expected, where that is
        known."""
        answer: Any = None
        refusal: Exception | None = None
        try:
            with self.practice.work(by or self.scheduler, self.now) as work:
                answer = verb(work)
        except Refusal as error:
            refusal = error
        Schedule.done[f"{name} {'refused' if refusal else 'done'}"] += 1
        before, self.state = self.state, self.read()
        if refusal is not None:
            assert self.state.rows == before.rows, f"{name} was refused and changed something: {refusal}"
            assert self.state.audit == before.audit
        if expected is not None:
            assert (refusal is None) is expected, f"{name}: {refusal or 'was not refused'}"
        return answer

    def start_of(self, slot: int) -> datetime:
        return wall(MONDAY + (slot // 14) * DAY, 9) + slot % 14 * 30 * MINUTE

    def room_of(self, room: int | None) -> UUID | None:
        return None if room is None else self.rooms[room]

    def one_of(self, number: int, *statuses: str, of_series: bool = False) -> Any:
        """An appointment, if there is such a one."""
        found = [self.state.appointment(id) for id in self.ids]
        found = [one for one in found if not statuses or one.status in statuses]
        found = [one for one in found if one.series_id or not of_series]
        return found[number % len(found)] if found else None

    def clinician_of(self, appointment: Any) -> Person:
        return next(who for who in self.clinicians if who.staff_id == appointment.clinician_id)

    def wanted(self, clinician: int, client: int, room: int | None, slot: int, code: str = "TALK") -> Wanted:
        who, whom = self.clinicians[clinician].staff_id, self.clients[client]
        return Wanted(whom, who, code, self.start_of(slot), self.room_of(room))

    def is_free(self, wanted: Wanted, start: datetime) -> bool:
        resources = [wanted.client_id, wanted.clinician_id, wanted.room_id]
        return self.state.is_free(resources, start, start + self.services[wanted.service_code] * MINUTE)

    # Booking

    @choosing
    def book(self, clinician: int, client: int, room: int | None, slot: int, code: str) -> None:
        wanted = self.wanted(clinician, client, room, slot, code)
        self.do("book", lambda work: book(work, wanted) and None, expected=self.is_free(wanted, wanted.starts_at))

    @choosing
    def take_a_seat(self, number: int, client: int) -> None:
        if not self.state.groups:
            return
        group = self.state.groups[number % len(self.state.groups)]
        seats = [one for one in self.state.appointments if one.group_session_id == group.id]
        left = group.capacity - sum(one.status not in GIVEN_UP for one in seats)
        resources = [self.clients[client], group.clinician_id, group.room_id]
        free = self.state.is_free(resources, group.starts_at, group.ends_at, group.id)
        wanted = Wanted(self.clients[client], group.clinician_id, "GROUP", group.starts_at, group_session_id=group.id)
        self.do("seat", lambda work: book(work, wanted) and None, expected=free and left > 0)

    @choosing
    def book_series(self, clinician: int, client: int, room: int | None, slot: int, count: int, skip: bool) -> None:
        wanted = self.wanted(clinician, client, room, slot)
        free = [self.is_free(wanted, wanted.starts_at + number * 7 * DAY) for number in range(count)]

        def statuses(work: Work) -> list[str]:
            booked = series.book_series(work, wanted, f"FREQ=WEEKLY;COUNT={count}", skip_conflicts=skip)
            return [one.status for one in booked.occurrences]

        answer = self.do("series", statuses, expected=any(free) if skip else all(free))
        assert answer in (None, ["booked" if one else "skipped" for one in free])

    # Living

    @choosing
    def step(self, number: int, verb: str, own: bool, fitting: bool) -> None:
        """To one that can take it and in its time, or to any at any time."""
        fit = [before for before, after in MAY_FOLLOW.items() if LEADS_TO[verb] in after]
        one = self.one_of(number, *fit) if fitting else self.one_of(number)
        if one is None:
            return
        if fitting and verb in ("complete", "no_show"):
            self.now = max(self.now, one.starts_at)
        condition = MAY_FOLLOW.get(one.status, {}).get(LEADS_TO[verb])
        may = condition == "" or (condition == "s" and self.now >= one.starts_at)
        person, scope = (self.clinician_of(one), Scope.OWN) if own else (self.scheduler, Scope.ALL)
        self.do(verb, lambda work: getattr(lifecycle, verb)(work, one.id, scope) and None, person, may)

    @choosing
    def get_ready(self, number: int) -> None:
        if one := self.one_of(number, "CHECKED_IN"):
            self.do(
                "ready", lambda work: lifecycle.ready(work, one.id, Scope.ALL) and None, expected=one.ready_at is None
            )

    @choosing
    def cancel(self, number: int, which: Any, fitting: bool) -> None:
        one = self.one_of(number, *OPEN) if fitting else self.one_of(number)
        if one is None:
            return
        may = "CANCELLED" in MAY_FOLLOW.get(one.status, {})
        expected = may if which != "all" or one.series_id is None else None
        self.do(
            "cancel",
            lambda work: cancellation.cancel(work, one.id, Scope.ALL, "Ill", which) and None,
            expected=expected,
        )

    @choosing
    def move(self, number: int, slot: int, new_clinician: int | None, new_room: Any) -> None:
        one, start = self.one_of(number, *OPEN), self.start_of(slot)
        if one is None:
            return
        changes: dict[str, Any] = {}
        if new_clinician is not None:
            changes["clinician_id"] = self.clinicians[new_clinician].staff_id
        if new_room != "same":
            changes["room_id"] = self.room_of(new_room)
        place = {"clinician_id": one.clinician_id, "room_id": one.room_id} | changes
        free = self.state.is_free(
            [one.client_id, *place.values()], start, start + (one.ends_at - one.starts_at), one.id
        )
        self.do(
            "move",
            lambda work: rescheduling.move(work, one.id, Scope.ALL, start, changes=changes) and None,
            expected=free and one.group_session_id is None,
        )

    @choosing
    def move_a_series(self, number: int, shift: int, minutes: int, which: Any) -> None:
        if one := self.one_of(number, *OPEN, of_series=True):
            start = one.starts_at + shift * DAY + minutes * MINUTE
            self.do("move series", lambda work: rescheduling.move(work, one.id, Scope.ALL, start, which) and None)

    @choosing
    def change_room(self, number: int, room: int | None) -> None:
        one = self.one_of(number, *OPEN)
        if one is None:
            return
        free = room is None or self.state.is_free([self.rooms[room]], one.starts_at, one.ends_at, one.id)
        changes = {"room_id": self.room_of(room)}
        self.do(
            "change room",
            lambda work: updates.change_appointment(work, one.id, Scope.ALL, one.version, changes) and None,
            expected=free and one.group_session_id is None,
        )

    # Blocks

    @choosing
    def block(self, clinician: int, slot: int, halves: int, of_room: bool) -> None:
        start = self.start_of(slot)
        end = start + halves * 30 * MINUTE
        what = {"room_id": self.rooms[clinician]} if of_room else {"clinician_id": self.clinicians[clinician].staff_id}
        self.do(
            "block",
            lambda work: blocks.add_block(work, Scope.ALL, starts_at=start, ends_at=end, **what) and None,
            expected=self.state.is_free([*what.values()], start, end),
        )

    @choosing
    def unblock(self, number: int) -> None:
        standing = [block for block in self.state.blocks if block.voided_at is None]
        if standing:
            one = standing[number % len(standing)]
            what = {"room_id": one.room_id} if one.room_id else {"clinician_id": one.clinician_id}
            self.do("unblock", lambda work: blocks.void_block(work, Scope.ALL, one.id, "Over", **what), expected=True)

    # Waiting

    @choosing
    def wait(self, client: int, priority: int, new_clinician: int | None) -> None:
        self.now += SECOND  # nobody has waited as long as somebody else
        wish: dict[str, Any] = {"priority": priority}
        if new_clinician is not None:
            wish["clinician_ids"] = [self.clinicians[new_clinician].staff_id]
        self.do("wait", lambda work: entries.add_entry(work, self.clients[client], **wish) and None, expected=True)

    @choosing
    def answer(self, number: int, take: bool) -> None:
        found = [offer for offer in self.state.offers if offer.status == "OPEN"] or self.state.offers
        if not found:
            return
        offer = found[number % len(found)]
        entry = next(entry for entry in self.state.entries if entry.id == offer.entry_id)
        may = offer.status == "OPEN" and offer.holds_until > self.now
        if take:
            may = may and self.state.is_free([entry.client_id], offer.starts_at, offer.ends_at)
        verb = offers.take_offer if take else offers.decline_offer
        self.do(verb.__name__, lambda work: verb(work, offer.id, Scope.ALL) and None, expected=may)

    @choosing
    def withdraw(self, number: int) -> None:
        if self.state.entries:
            entry = self.state.entries[number % len(self.state.entries)]
            may = entry.status in ("WAITING", "OFFERED")
            self.do("withdraw", lambda work: offers.withdraw_entry(work, entry.id, Scope.ALL) and None, expected=may)

    @choosing
    def pass_time(self, hours: float, expire: bool) -> None:
        self.now += hours * HOUR
        self.state.now = self.now
        if expire:
            self.do("expire", offers.expire_offers, expected=True)

    # Requests to move

    @choosing
    def ask(self, number: int, slot: int) -> None:
        one, start = self.one_of(number, *OPEN), self.start_of(slot)
        if one is None:
            return
        asked = any(request.appointment_id == one.id and request.status == "PENDING" for request in self.state.requests)
        may = (
            one.group_session_id is None
            and not asked
            and one.starts_at - self.now >= 48 * HOUR
            and start > self.now
            and start != one.starts_at
        )
        person = self.clinician_of(one)
        self.do(
            "ask",
            lambda work: reschedule_requests.ask_to_move(work, one.id, Scope.OWN, start, "Ill") and None,
            person,
            may,
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


def test_no_short_life_goes_wrong(installation: Installation) -> None:
    Schedule.installation = installation
    live_shortly(Schedule, LIVES, STEPS)
    tell(Schedule.done)


def test_no_busy_practice_goes_wrong(installation: Installation) -> None:
    Schedule.installation = installation
    Schedule.done.clear()
    for seed in range(BUSY_PRACTICES):
        random, practice = Random(seed), Schedule()  # noqa: S311
        practice.open()
        for _ in choosing.live(practice, random, BUSY_STEPS):
            check(practice.state)
    tell(Schedule.done)
    tried = {name.rpartition(" ")[0] for name in Schedule.done}
    assert {name for name in tried if not Schedule.done[f"{name} done"]} == set()
