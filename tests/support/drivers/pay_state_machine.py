"""A state machine of a practice whose sessions are booked, completed, voided, documented and signed at random."""

from collections import Counter
from collections.abc import Callable
from datetime import date, datetime, timedelta
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
from practice.payroll.completions import get_or_create_completion, reverse_paid_session, void_completion
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
from tests.support.builders.sessions import PROGRESS, SessionBuilder
from tests.support.drivers.booking import DAY, HOUR, MINUTE
from tests.support.drivers.notes import set_license
from tests.support.drivers.pay_steps import BEGINNINGS, steps
from tests.support.oracles.pay_invariants import check_instants, check_new_rows
from tests.support.oracles.pay_oracle import WEEK, ExpectedWeek, PayOracle


class SessionMachine(RuleBasedStateMachine):
    """The steps of sessions and their notes. The subclass adds those of pay."""

    installation: ClassVar[Installation]
    counts: ClassVar[Counter[str]] = Counter()

    @initialize(beginning=st.sampled_from(BEGINNINGS))
    def begin(self, beginning: tuple[str, datetime]) -> None:
        """Start with a few sessions, so that early steps have an effect."""
        self.set_up(*beginning)
        for clinician, recently in ((0, 3), (0, 9), (1, 2), (2, 1)):
            self.add_signed_session(clinician, 0, "TALK", recently)
        self.add_group(0, 2, 2)
        self.complete(0, with_completion=True)
        self.add_appointment(0, 0, "FIRST", 1)

    def set_up(self, zone: str, start: datetime) -> None:
        self.now, self.zone = start, ZoneInfo(zone)
        self.practice: PracticeFixture = make_practice(self.installation, time_zone=zone, now=start)
        self.supervisor = self.practice.add("supervisor")
        self.clinicians: list[Person] = [
            self.practice.add("clinician", supervisor=self.supervisor),
            self.practice.add("clinician", supervisor=self.supervisor),
            self.practice.add("clinician"),  # has no rate yet
        ]
        set_license(self.practice, self.clinicians[1], "LPC")  # their notes are reviewed
        self.clients = [make_client(self.practice) for _ in range(2)]
        kinds = {"TALK": "INDIVIDUAL", "FIRST": "INTAKE", "CIRCLE": "GROUP"}
        self.services = {
            code: make_service(self.practice, code, minutes=50 if code == "TALK" else 60, kind=kind)
            for code, kind in kinds.items()
        }
        self.imported = SessionBuilder(self.practice, self.clinicians[0])
        self.groups: list[GroupSession] = []
        self.seats: list[UUID] = []
        self.previews: list[tuple[date, datetime, ExpectedWeek]] = []
        with self.practice.work(now=start) as work:
            for clinician in self.clinicians[:2]:
                set_pay_rate(work, clinician.staff_id, 8000, None)
        self.oracle = self.load_oracle()

    def load_oracle(self) -> PayOracle:
        return PayOracle(self.practice, self.zone)

    def attempt(
        self, name: str, action: Callable[[Work], Any], by: Person | None = None, expected: bool | None = None
    ) -> Any:
        """Run an action and return its result. A refusal must change nothing; `expected` says if it succeeds."""
        result: Any = None
        refusal: Exception | None = None
        try:
            with self.practice.work(by, self.now) as work:
                result = action(work)
        except Refusal as error:
            refusal = error
        SessionMachine.counts[f"{name} {'refused' if refusal else 'done'}"] += 1
        before = self.refresh()
        check_instants(self.oracle, before, self.now)
        if refusal is not None:
            assert self.oracle.rows == before.rows, f"{name} was refused and changed something: {refusal}"
        if expected is not None:
            assert (refusal is None) is expected, f"{name}: {refusal or 'was not refused'}"
        return result

    def refresh(self) -> PayOracle:
        """Load the rows again, check them, and return the oracle before. What was closed must be unchanged."""
        before, self.oracle = self.oracle, self.load_oracle()
        closed = {row.id: row for row in before.periods if row.closed_at}
        assert closed == {row.id: row for row in self.oracle.periods if row.id in closed}
        lines = {row.id: row for row in self.oracle.lines if row.period_id in closed}
        assert lines == {row.id: row for row in before.lines}
        check_new_rows(self.oracle, before)
        return before

    def forget_previews(self, since: datetime) -> None:
        """Drop the previews since an instant, because more is known of it by now."""
        self.previews = [preview for preview in self.previews if preview[1] < since]

    # Choices

    def pick_seat(self, number: int, matches: Callable[[Any], bool]) -> Any:
        """Return a matching seat, usually one of the latest, or None."""
        seats = [seat for seat in (self.oracle.seat_of[id] for id in self.seats) if matches(seat)]
        limit = len(seats) if number % 5 == 0 else 12
        return seats[-1 - number // 5 % min(len(seats), limit)] if seats else None

    def pick_note(self, number: int, *statuses: str) -> Any:
        notes = [note for note in self.oracle.notes if note.status in statuses]
        positions = {seat_id: position for position, seat_id in enumerate(self.seats)}
        notes.sort(key=lambda note: positions[note.appointment_id])
        return notes[number % len(notes)] if notes else None

    def get_clinician(self, seat: Any) -> Person:
        return next(person for person in self.clinicians if person.staff_id == seat.clinician_id)

    def has_left(self, person: Person) -> bool:
        return next(row for row in self.oracle.staff if row.id == person.staff_id).left_on is not None

    def is_locked(self, seat: Any) -> bool:
        locks = [row for row in self.oracle.locks if row.appointment_id == seat.id and row.at <= self.now]
        until = max(row.until for row in locks) if locks else self.now
        deadline = self.oracle.cut_off(self.oracle.week_of(seat.starts_at))
        return deadline <= self.now and until <= self.now

    def choose_start(self, ago: int | str) -> datetime:
        if isinstance(ago, int):
            return self.now - ago * DAY - (HOUR if ago >= 0 else timedelta(0))
        sunday = self.oracle.find_midnight(self.oracle.week_of(self.now - HOUR))
        return sunday - 30 * MINUTE if ago == "Saturday night" else sunday

    def find_next_to_close(self) -> date | None:
        return next((row.week for row in self.oracle.periods if row.closed_at is None), self.find_next_to_open())

    def find_next_to_open(self) -> date | None:
        return self.oracle.periods[-1].week + WEEK if self.oracle.periods else None

    # Time

    @steps
    def pass_time(self, delta: timedelta) -> None:
        self.now += delta

    @steps
    def pass_to_cut_off(self, offset: timedelta) -> None:
        """Move to about the next cut-off of a week that is not closed."""
        week = self.find_next_to_close() or self.oracle.week_of(self.now)
        end = self.oracle.cut_off(week)
        while end <= self.now:
            week += WEEK
            end = self.oracle.cut_off(week)
        self.now = max(self.now, end + offset)

    # Sessions

    def book(self, clinician: int, client: int, code: str, starts_at: datetime, **values: Any) -> None:
        person, client_id, service = self.clinicians[clinician], self.clients[client], self.services[code]
        values = {"guarded": False, "created_at": min(self.now, starts_at)} | values
        self.seats.append(make_appointment(self.practice, person, client_id, service, starts_at, **values))
        self.refresh()

    @steps
    def add_appointment(self, clinician: int, client: int, code: str, ago: Any) -> None:
        self.book(clinician, client, code, self.choose_start(ago))

    @steps
    def add_signed_session(self, clinician: int, client: int, code: str, recently: Any) -> None:
        """Book a session, complete it and sign its note, as usual in practice."""
        start = self.choose_start(recently)
        if start <= self.now:
            self.book(clinician, client, code, start)
            self.complete(0, with_completion=True)
            self.sign(0)

    @steps
    def add_group(self, clinician: int, ago: Any, seats: int) -> None:
        start = self.choose_start(ago)
        group = GroupSession(
            id=new_id(),
            clinician_id=self.clinicians[clinician].staff_id,
            service_id=self.services["CIRCLE"],
            starts_at=start,
            ends_at=start + HOUR,
            capacity=8,
        )
        put(self.practice, group)
        with self.practice.installation.store.begin_session(self.practice.id) as db:
            group = db.get_one(GroupSession, (self.practice.id, group.id))
            db.expunge(group)
        self.groups.append(group)
        for number in range(seats):
            self.book(clinician, number % 2, "CIRCLE", start, group_session_id=group.id)

    @steps
    def add_group_seat(self, number: int, client: int) -> None:
        if self.groups:
            group = self.groups[-1 - number % min(len(self.groups), 4)]
            clinician = [person.staff_id for person in self.clinicians].index(group.clinician_id)
            self.book(clinician, client, "CIRCLE", group.starts_at, group_session_id=group.id)

    @steps
    def import_session(self, clinician: int, code: str, ago: Any, lag: int, signed: bool) -> None:
        """Add a session without a completion, as an import does: with past instants as long as no pay week is open, and
        known only from now on after that."""
        start = min(self.choose_start(ago), self.now - HOUR)
        ended = min(start + HOUR + lag * DAY, self.now) if not self.oracle.periods else self.now
        self.book(clinician, 0, code, start, status="COMPLETED", status_at=ended)
        if signed:
            signed_at = min(ended + 2 * HOUR * lag, self.now)
            self.imported.add_note(
                self.seats[-1],
                signed_at=signed_at,
                clinician=self.clinicians[clinician],
                client=self.clients[0],
                created_at=min(signed_at, ended),
            )
            self.refresh()
        self.forget_previews(ended)

    @steps
    def complete(self, number: int, with_completion: bool) -> None:
        seat = self.pick_seat(number, lambda seat: seat.status == "SCHEDULED" and seat.starts_at <= self.now)
        if seat is None:
            return
        complete = completion.complete_session if with_completion else lifecycle.complete
        self.attempt("complete", lambda work: complete(work, Scope.ALL, seat.id) and None, expected=True)

    @steps
    def ensure_completion(self, number: int) -> None:
        """Create a completion, or find the existing one."""
        seat = self.pick_seat(number, lambda _: True)
        if seat is not None:
            self.attempt(
                "count",
                lambda work: get_or_create_completion(work, Scope.ALL, seat.id) and None,
                expected=seat.status == "COMPLETED" and not self.is_voided(seat),
            )

    @steps
    def void(self, number: int) -> None:
        if seat := self.pick_seat(number, lambda seat: seat.status == "COMPLETED"):
            self.attempt(
                "void",
                lambda work: void_completion(work, Scope.ALL, seat.id, "A mistake") and None,
                expected=not self.is_voided(seat) and not self.is_paid(seat),
            )

    @steps
    def reverse(self, number: int) -> None:
        seat = self.pick_seat(number, lambda seat: seat.status == "COMPLETED" and self.is_paid(seat))
        seat = seat or self.pick_seat(number, lambda seat: seat.status == "COMPLETED")
        if seat is not None:
            self.attempt(
                "reverse",
                lambda work: reverse_paid_session(work, seat.id, "A mistake") and None,
                expected=not self.is_voided(seat) and self.is_paid(seat),
            )

    def is_voided(self, seat: Any) -> bool:
        completion = self.oracle.completion_of.get(seat.id)
        return completion is not None and completion.voided_at is not None

    def is_paid(self, seat: Any) -> bool:
        session_id = seat.group_session_id or seat.id
        return any(line.session_id == session_id and line.kind != "standby" for line in self.oracle.lines)

    @steps
    def run_late(self, step: str, number: int, cents: int, days: int, hours_late: int) -> None:
        """Run a step that began a while ago but takes effect now, when a week may have been closed meanwhile."""
        self.now, now = self.now - hours_late * HOUR, self.now
        self.forget_previews(self.now)
        if step == "set_rate":
            self.set_rate(number % 3, cents, days, always=True)
        elif step == "set_multiplier":
            self.set_multiplier(number % 3, "INDIVIDUAL", "1.25", days, own=number % 2 == 1)
        elif step == "complete":
            self.complete(number, with_completion=number % 2 == 1)
        else:
            getattr(self, step)(number)
        self.now = now

    # Notes

    @steps
    def sign(self, number: int) -> None:
        """Write a note and sign it, or submit it if the clinician is reviewed."""
        seat = self.pick_seat(number, lambda seat: seat.starts_at <= self.now and not self.list_notes(seat))
        if seat is None or self.has_left(self.get_clinician(seat)):
            return
        self.write_note(seat, not self.is_locked(seat))

    def write_note(self, seat: Any, expected: bool) -> None:
        clinician = self.get_clinician(seat)
        reviewed = clinician is self.clinicians[1]

        def write_and_sign(work: Work) -> None:
            note = create_note(
                work,
                Scope.OWN,
                client_id=seat.client_id,
                type="PROGRESS_NOTE",
                appointment_id=seat.id,
                sections=PROGRESS,
            )
            work.db.flush()
            (submit_note if reviewed else sign_note)(work, note.id)

        self.attempt("submit" if reviewed else "sign", write_and_sign, clinician, expected)

    @steps
    def cosign(self, number: int) -> None:
        if note := self.pick_note(number, "IN_REVIEW"):
            expected = not self.is_locked(self.oracle.seat_of[note.appointment_id])
            self.attempt("cosign", lambda work: sign_note(work, note.id) and None, self.supervisor, expected)

    @steps
    def unlock(self, number: int) -> None:
        """Unlock a session, and often write its note immediately."""
        seat = self.pick_seat(
            number, lambda seat: seat.starts_at <= self.now and self.is_locked(seat) and not self.is_signed(seat)
        )
        if seat is None:
            return
        unsupervised = seat.clinician_id == self.clinicians[2].staff_id
        by, scope = (None, Scope.ALL) if unsupervised else (self.supervisor, Scope.TEAM)
        self.attempt("unlock", lambda work: unlock_session(work, scope, seat.id, "Was ill") and None, by, expected=True)
        if number % 2 and not self.list_notes(seat) and not self.has_left(self.get_clinician(seat)):
            self.write_note(seat, expected=True)

    def is_signed(self, seat: Any) -> bool:
        return any(note.signed_at for note in self.list_notes(seat))

    def list_notes(self, seat: Any) -> list[Any]:
        """Return the seat's notes without those entered in error."""
        return [note for note in self.oracle.notes_of[seat.id] if note.entered_in_error_at is None]

    @steps
    def amend(self, number: int) -> None:
        if note := self.pick_note(number, "SIGNED", "AMENDED"):
            sections = dict.fromkeys(PROGRESS, f"Corrected {note.version}.")
            self.attempt(
                "amend",
                lambda work: amend_note(work, note.id, note.version, sections=sections, reason="Left out") and None,
                self.get_clinician(self.oracle.seat_of[note.appointment_id]),
            )

    @steps
    def sign_at_cut_off(self, number: int, offset: timedelta, with_completion: bool) -> None:
        """Complete and sign sessions within a second of the cut-off."""
        self.pass_to_cut_off(offset)
        self.complete(number, with_completion)
        self.sign(number)
        self.unlock(number - number % 2 + 1)
        self.cosign(number)
