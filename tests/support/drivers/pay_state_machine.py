"""The steps of a machine: a practice whose sessions are held, completed, voided, written up and signed at random."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID
from zoneinfo import ZoneInfo

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize

from practice.clinical.deadlines.locking import unlock_session
from practice.clinical.notes.amendments import amend_note
from practice.clinical.notes.drafts import create_note
from practice.clinical.notes.signing import sign_note, submit_note
from practice.errors import Refusal
from practice.payroll.completions import complete_session, take_back, void_completion
from practice.payroll.rates import set_pay_rate
from practice.scheduling.appointments import lifecycle
from practice.scheduling.models.appointments import GroupSession
from practice.security.installation import Installation
from practice.security.permissions import Scope
from practice.security.work import Work
from practice.sessions import completion
from practice.store.ids import new_id
from tests.support.builders.people import Person, PracticeFixture, make_practice
from tests.support.builders.schedule import make_appointment, make_client, make_service, put
from tests.support.builders.sessions import PROGRESS, Sessions
from tests.support.drivers.booking import DAY, HOUR, MINUTE, SECOND
from tests.support.drivers.notes import license_as
from tests.support.harness.steps import Steps
from tests.support.oracles.pay_oracle import WEEK, Books, Due

# Each a few weeks before its clocks change: by an hour less in spring, an hour more in autumn.
BEGINNINGS = [
    ("America/New_York", datetime(2026, 2, 20, 17, tzinfo=UTC)),
    ("America/Denver", datetime(2026, 10, 16, 16, tzinfo=UTC)),
    ("Pacific/Auckland", datetime(2026, 3, 18, 22, tzinfo=UTC)),
    ("America/New_York", datetime(2026, 10, 16, 16, tzinfo=UTC)),
]

# What a step takes, by the name of its parameter.
CHOICES: dict[str, Any] = {
    "who": [0, 0, 1, 1, 2],
    "client": [0, 1],
    "code": ["TALK", "TALK", "FIRST", "CIRCLE"],
    "ago": ["Saturday night", "Sunday morning", -1, 0, 0, 1, 1, 2, 4, 5, 6, 9, 20],  # days
    "lately": [0, 0, 1, 1, 2, 3, "Saturday night", "Sunday morning"],
    "lag": [0, 0, 1, 4, 6, 12],
    "seats": [1, 2, 3],
    "number": range(1000),  # of the sessions, notes, ... that are there
    "delta": [MINUTE, 3 * HOUR, 12 * HOUR, DAY, DAY, 2 * DAY, 4 * DAY, WEEK, 16 * DAY],
    "off": [-SECOND, timedelta(0), timedelta(0), SECOND],
    "cents": [0, 4999, 6001, 7500, 10007],
    "factor": ["0", "1", "1.1", "1.33", "2"],
    "kind": ["INDIVIDUAL", "GROUP", "INTAKE"],
    "on": [-45, -20, -20, -8, -8, -3, 0, 2, 9],  # days from now
    "minutes": [30, 45, 50, 60, 90],
    "shift": [-1, 0, 0, 0, 1],  # weeks
    "verb": ["complete", "sign", "void", "take_back", "set_rate", "set_multiplier"],
    "early": [1, 3, 20],  # hours
    "back": [1, 5, 26, 100, 300, 700],  # hours
    **dict.fromkeys(("row", "signed", "hurry", "own", "ever", "other_kind"), (False, True)),
}
WEIGHTS = {
    **{"meet": 12, "hold": 4, "hold_group": 4, "complete": 8, "sign": 6, "co_sign": 5, "unlock": 3, "bring_in": 2},
    **{"pass_time": 3, "to_cut_off": 3, "close_next": 10, "set_rate": 5, "set_multiplier": 3, "void": 2},
    **{"take_back": 3, "look": 3, "look_back": 4, "be_late": 6, "hurry_up": 3, "give_up_a_group": 3},
    "open_week": 4,  # some time before it is closed
}
choosing = Steps(CHOICES, WEIGHTS)


class Life(RuleBasedStateMachine):
    """What becomes of sessions and their notes; what is paid, and when weeks are closed, comes on top."""

    installation: ClassVar[Installation]
    done: ClassVar[Counter[str]] = Counter()

    @initialize(where=st.sampled_from(BEGINNINGS))
    def begin(self, where: tuple[str, datetime]) -> None:
        """With something that can go wrong already."""
        self.open(*where)
        for who, lately in ((0, 3), (0, 9), (1, 2), (2, 1)):
            self.meet(who, 0, "TALK", lately)
        self.hold_group(0, 2, 2)
        self.complete(0, row=True)
        self.hold(0, 0, "FIRST", 1)

    def open(self, zone: str, start: datetime) -> None:
        self.now, self.zone = start, ZoneInfo(zone)
        self.practice: PracticeFixture = make_practice(self.installation, time_zone=zone, now=start)
        self.supervisor = self.practice.add("supervisor")
        self.clinicians: list[Person] = [
            self.practice.add("clinician", supervisor=self.supervisor),
            self.practice.add("clinician", supervisor=self.supervisor),
            self.practice.add("clinician"),  # who has no rate yet
        ]
        license_as(self.practice, self.clinicians[1], "LPC")  # whose notes are reviewed
        self.clients = [make_client(self.practice) for _ in range(2)]
        kinds = {"TALK": "INDIVIDUAL", "FIRST": "INTAKE", "CIRCLE": "GROUP"}
        self.services = {
            code: make_service(self.practice, code, minutes=50 if code == "TALK" else 60, kind=kind)
            for code, kind in kinds.items()
        }
        self.imported = Sessions(self.practice, self.clinicians[0])
        self.groups: list[GroupSession] = []
        self.seats: list[UUID] = []
        self.asked: list[tuple[date, datetime, Due]] = []
        with self.practice.work(now=start) as work:
            for clinician in self.clinicians[:2]:
                set_pay_rate(work, clinician.staff_id, 8000, None)
        self.books = self.read()

    def read(self) -> Books:
        return Books(self.practice, self.zone)

    def do(self, name: str, verb: Callable[[Work], Any], by: Person | None = None, expected: bool | None = None) -> Any:
        """What came of a step: an answer, or a refusal that left everything as it was."""
        answer: Any = None
        refusal: Exception | None = None
        try:
            with self.practice.work(by, self.now) as work:
                answer = verb(work)
        except Refusal as error:
            refusal = error
        Life.done[f"{name} {'refused' if refusal else 'done'}"] += 1
        before = self.look_again()
        self.books.check_instants(before, self.now)
        if refusal is not None:
            assert self.books.rows == before.rows, f"{name} was refused and changed something: {refusal}"
        if expected is not None:
            assert (refusal is None) is expected, f"{name}: {refusal or 'was not refused'}"
        return answer

    def look_again(self) -> Books:
        """The books before. What was closed then is as it was."""
        before, self.books = self.books, self.read()
        closed = {row.id: row for row in before.periods if row.closed_at}
        assert closed == {row.id: row for row in self.books.periods if row.id in closed}
        lines = {row.id: row for row in self.books.lines if row.period_id in closed}
        assert lines == {row.id: row for row in before.lines}
        self.books.check(before)
        return before

    def forget(self, since: datetime) -> None:
        """What was seen since then, of which more is known by now."""
        self.asked = [one for one in self.asked if one[1] < since]

    # What there is to choose from

    def seat(self, number: int, which: Callable[[Any], bool]) -> Any:
        """Mostly one of the last."""
        found = [seat for seat in (self.books.seat_of[id] for id in self.seats) if which(seat)]
        many = len(found) if number % 5 == 0 else 12
        return found[-1 - number // 5 % min(len(found), many)] if found else None

    def note(self, number: int, *statuses: str) -> Any:
        place = {seat: at for at, seat in enumerate(self.seats)}
        found = sorted(
            (note for note in self.books.notes if note.status in statuses), key=lambda one: place[one.appointment_id]
        )
        return found[number % len(found)] if found else None

    def clinician_of(self, seat: Any) -> Person:
        return next(who for who in self.clinicians if who.staff_id == seat.clinician_id)

    def has_left(self, who: Person) -> bool:
        return next(row for row in self.books.staff if row.id == who.staff_id).left_on is not None

    def is_locked(self, seat: Any) -> bool:
        locks = [row for row in self.books.locks if row.appointment_id == seat.id and row.at <= self.now]
        until = max(row.until for row in locks) if locks else self.now
        deadline = self.books.cut_off(self.books.week_of(seat.starts_at))
        return deadline <= self.now and until <= self.now

    def start(self, ago: int | str) -> datetime:
        if isinstance(ago, int):
            return self.now - ago * DAY - (HOUR if ago >= 0 else timedelta(0))
        sunday = self.books.midnight(self.books.week_of(self.now - HOUR))
        return sunday - 30 * MINUTE if ago == "Saturday night" else sunday

    def next_week(self) -> date | None:
        """The next to be closed."""
        return next((row.week for row in self.books.periods if row.closed_at is None), self.week_after())

    def week_after(self) -> date | None:
        return self.books.periods[-1].week + WEEK if self.books.periods else None

    # Time

    @choosing
    def pass_time(self, delta: timedelta) -> None:
        self.now += delta

    @choosing
    def to_cut_off(self, off: timedelta) -> None:
        """Of the week that is to be closed next, or else the next that there is."""
        week = self.next_week() or self.books.week_of(self.now)
        end = self.books.cut_off(week)
        while end <= self.now:
            week += WEEK
            end = self.books.cut_off(week)
        self.now = max(self.now, end + off)

    # Sessions

    def book(self, who: int, client: int, code: str, starts_at: datetime, **more: Any) -> None:
        about = {"guarded": False, "created_at": min(self.now, starts_at)} | more
        self.seats.append(
            make_appointment(
                self.practice, self.clinicians[who], self.clients[client], self.services[code], starts_at, **about
            )
        )
        self.look_again()

    @choosing
    def hold(self, who: int, client: int, code: str, ago: Any) -> None:
        self.book(who, client, code, self.start(ago))

    @choosing
    def meet(self, who: int, client: int, code: str, lately: Any) -> None:
        """And complete and sign it at once, as most do."""
        start = self.start(lately)
        if start <= self.now:
            self.book(who, client, code, start)
            self.complete(0, row=True)
            self.sign(0)

    @choosing
    def hold_group(self, who: int, ago: Any, seats: int) -> None:
        start = self.start(ago)
        place = {"clinician_id": self.clinicians[who].staff_id, "service_id": self.services["CIRCLE"]}
        group = GroupSession(id=new_id(), starts_at=start, ends_at=start + HOUR, capacity=8, **place)
        put(self.practice, group)
        with self.practice.installation.store.session_in(self.practice.id) as db:
            group = db.get_one(GroupSession, (self.practice.id, group.id))
            db.expunge(group)
        self.groups.append(group)
        for number in range(seats):
            self.book(who, number % 2, "CIRCLE", start, group_session_id=group.id)

    @choosing
    def take_a_seat(self, number: int, client: int) -> None:
        if self.groups:
            group = self.groups[-1 - number % min(len(self.groups), 4)]
            who = next(at for at, one in enumerate(self.clinicians) if one.staff_id == group.clinician_id)
            self.book(who, client, "CIRCLE", group.starts_at, group_session_id=group.id)

    @choosing
    def bring_in(self, who: int, code: str, ago: Any, lag: int, signed: bool) -> None:
        """As imports do, without a row of its completion: what is past as it was then, as long as no week of pay is
        open; after that, what is known from now on."""
        start = min(self.start(ago), self.now - HOUR)
        ended = min(start + HOUR + lag * DAY, self.now) if not self.books.periods else self.now
        self.book(who, 0, code, start, status="COMPLETED", status_at=ended)
        if signed:
            at = min(ended + 2 * HOUR * lag, self.now)
            about = {"clinician": self.clinicians[who], "client": self.clients[0], "created_at": min(at, ended)}
            self.imported.note(self.seats[-1], signed_at=at, **about)
            self.look_again()
        self.forget(ended)

    @choosing
    def complete(self, number: int, row: bool) -> None:
        seat = self.seat(number, lambda one: one.status == "SCHEDULED" and one.starts_at <= self.now)
        if seat is None:
            return
        verb = completion.complete if row else lifecycle.complete
        self.do("complete", lambda work: verb(work, seat.id, Scope.ALL) and None, expected=True)

    @choosing
    def count(self, number: int) -> None:
        """Its completion is made, or was there."""
        seat = self.seat(number, lambda _: True)
        if seat is not None:
            row = self.books.completion_of.get(seat.id)
            may = seat.status == "COMPLETED" and (row is None or row.voided_at is None)
            self.do("count", lambda work: complete_session(work, seat.id) and None, expected=may)

    @choosing
    def void(self, number: int) -> None:
        if seat := self.seat(number, lambda one: one.status == "COMPLETED"):
            self.do(
                "void",
                lambda work: void_completion(work, Scope.ALL, seat.id, "A mistake") and None,
                expected=not self.is_voided(seat) and not self.is_paid(seat),
            )

    @choosing
    def take_back(self, number: int) -> None:
        seat = self.seat(number, lambda one: one.status == "COMPLETED" and self.is_paid(one))
        seat = seat or self.seat(number, lambda one: one.status == "COMPLETED")
        if seat is not None:
            self.do(
                "take back",
                lambda work: take_back(work, seat.id, "A mistake") and None,
                expected=not self.is_voided(seat) and self.is_paid(seat),
            )

    def is_voided(self, seat: Any) -> bool:
        row = self.books.completion_of.get(seat.id)
        return row is not None and row.voided_at is not None

    def is_paid(self, seat: Any) -> bool:
        key = seat.group_session_id or seat.id
        return any(line.session_id == key and line.kind != "standby" for line in self.books.lines)

    @choosing
    def be_late(self, verb: str, number: int, cents: int, on: int, early: int) -> None:
        """Something was begun a while ago and is seen only now, when a week may have been closed meanwhile."""
        self.now, now = self.now - early * HOUR, self.now
        self.forget(self.now)
        if verb == "set_rate":
            self.set_rate(number % 3, cents, on, ever=True)
        elif verb == "set_multiplier":
            self.set_multiplier(number % 3, "INDIVIDUAL", "1.25", on, own=number % 2 == 1)
        elif verb == "complete":
            self.complete(number, row=number % 2 == 1)
        else:
            getattr(self, verb)(number)
        self.now = now

    # Notes

    @choosing
    def sign(self, number: int) -> None:
        """Or hand in, of whoever is reviewed."""
        seat = self.seat(number, lambda one: one.starts_at <= self.now and not self.books.notes_of[one.id])
        if seat is None or self.has_left(self.clinician_of(seat)):
            return
        self.write_up(seat, not self.is_locked(seat))

    def write_up(self, seat: Any, expected: bool) -> None:
        who = self.clinician_of(seat)
        reviewed = who is self.clinicians[1]
        about = {"client_id": seat.client_id, "type": "PROGRESS_NOTE", "appointment_id": seat.id, "sections": PROGRESS}

        def verb(work: Work) -> None:
            note = create_note(work, Scope.OWN, **about)
            work.db.flush()
            (submit_note if reviewed else sign_note)(work, note.id)

        self.do("hand in" if reviewed else "sign", verb, who, expected)

    @choosing
    def co_sign(self, number: int) -> None:
        if note := self.note(number, "IN_REVIEW"):
            may = not self.is_locked(self.books.seat_of[note.appointment_id])
            self.do("co-sign", lambda work: sign_note(work, note.id) and None, self.supervisor, expected=may)

    @choosing
    def unlock(self, number: int) -> None:
        """And often it is written up at once."""
        seat = self.seat(number, lambda one: one.starts_at <= self.now and self.is_locked(one) and not self.signed(one))
        if seat is None:
            return
        own = seat.clinician_id == self.clinicians[2].staff_id
        by, scope = (None, Scope.ALL) if own else (self.supervisor, Scope.TEAM)
        self.do("unlock", lambda work: unlock_session(work, scope, seat.id, "Was ill") and None, by, expected=True)
        if number % 2 and not self.books.notes_of[seat.id] and not self.has_left(self.clinician_of(seat)):
            self.write_up(seat, expected=True)

    def signed(self, seat: Any) -> bool:
        return any(note.signed_at for note in self.books.notes_of[seat.id])

    @choosing
    def amend(self, number: int) -> None:
        if note := self.note(number, "SIGNED", "AMENDED"):
            who = self.clinician_of(self.books.seat_of[note.appointment_id])
            said = dict.fromkeys(PROGRESS, f"Put right {note.version}.")
            self.do(
                "amend",
                lambda work: amend_note(work, note.id, note.version, sections=said, reason="Left out") and None,
                who,
            )

    @choosing
    def hurry_up(self, number: int, off: timedelta, row: bool) -> None:
        """What is completed and signed in the last second, and in the next."""
        self.to_cut_off(off)
        self.complete(number, row)
        self.sign(number)
        self.unlock(number - number % 2 + 1)
        self.co_sign(number)
