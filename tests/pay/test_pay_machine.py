"""Pay lived at random against the real database: sessions are held, completed, signed, amended, voided, taken back;
rates, multipliers and services change; weeks are closed while time goes on. After every step what the next week would
pay is held against the long way, what closed weeks have paid stays as it was, and nothing is paid twice. In the end all
is closed, and every session has brought what it deserves.

Hypothesis looks for a short life that goes wrong; busy practices mix all steps and get far. CASELOAD_LONG=1 lives for
thousands of steps more.
"""

import os
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from random import Random
from typing import Any, ClassVar
from uuid import UUID
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, run_state_machine_as_test
from sqlalchemy import text

from practice.desk import completing
from practice.errors import Refusal
from practice.notes.amending import amend_note
from practice.notes.locking import unlock_session
from practice.notes.models import Note
from practice.notes.signing import sign_note
from practice.pay import completions, periods, rates
from practice.scheduling.models import Service
from practice.security.installation import Installation
from practice.security.permissions import Scope
from practice.security.work import Work
from tests.support.people import House, Person, make_practice
from tests.support.schedule import make_appointment, make_client, make_service
from tests.support.sessions import PROGRESS, make_group, write_note
from tests.support.slow_periods import LATEST, WEEK, Facts, Seat, SlowPeriods, Week, told
from tests.support.steps import Steps

LONG = bool(os.environ.get("CASELOAD_LONG"))
LIVES, STEPS = (60, 50) if LONG else (6, 25)
BUSY_PRACTICES, BUSY_STEPS = (30, 250) if LONG else (3, 120)

SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)
ZONES = ["America/New_York", "America/Denver", "Pacific/Auckland"]
FIRST = date(2026, 3, 1)  # followed by the week of 167 hours in America; Auckland's of 169 begins with March's last
KINDS = {"TALK": ("INDIVIDUAL", 45), "GROUP": ("GROUP", 90), "FIRST": ("INTAKE", 53)}

CHOICES: dict[str, Any] = {
    "clinician": [0, 1, 2],
    "code": ["TALK", "TALK", "GROUP", "FIRST"],
    "number": range(1000),
    "ago": [1, 3, 20, 26, 50, 170],  # hours
    "hours": [1, 8, 24, 24, 24, 60, 170],
    "cents": [6050, 7025, 9999],
    "back": [-40, -9, -2, 0, 3],  # days
    "times": ["1", "1.3", "0.85", "2"],
    "minutes": [30, 45, 50, 90],
    **dict.fromkeys(("late", "whole", "own", "since_ever", "to_the_second", "imported"), (False, True)),
}
choosing = Steps(CHOICES)


class Pay(RuleBasedStateMachine):
    house: ClassVar[Installation]
    done: ClassVar[Counter[str]] = Counter()

    @initialize(zone=st.sampled_from(ZONES))
    def open(self, zone: str) -> None:
        self.zone = ZoneInfo(zone)
        self.facts = Facts(self.zone)
        self.slow = SlowPeriods(self.facts, LATEST)
        self.now = datetime(2026, 3, 2, 12, tzinfo=self.zone).astimezone(UTC)
        self.practice: House = make_practice(self.house, time_zone=zone, now=self.now - 400 * DAY)
        self.practice.now = self.now - 90 * DAY
        self.clinicians: list[Person] = [self.practice.add("clinician") for _ in range(3)]  # the last has no rate yet
        self.clients = [make_client(self.practice, self.clinicians[0]) for _ in range(3)]
        self.services = {
            code: make_service(self.practice, code, minutes=minutes, kind=kind)
            for code, (kind, minutes) in KINDS.items()
        }
        self.facts.services = {code: [(self.practice.now, kind, minutes)] for code, (kind, minutes) in KINDS.items()}
        self.seats: dict[UUID, Seat] = {}
        self.notes: dict[UUID, UUID] = {}
        self.rows: dict[Any, Any] = {}
        for clinician in (0, 1):
            self.set_rate(clinician, 6050, 0, since_ever=True)
        self.read()

    # What has to hold

    @invariant()
    def the_next_week_is_as_the_long_way_has_it(self) -> None:
        slow = SlowPeriods(self.facts, self.now)
        week = slow.next_week() or self.slow.week_of(self.now) - WEEK
        for one in (week, week + WEEK):
            self.agree(one, self.now, slow.week(one))

    def agree(self, week: date, as_of: datetime, slow: Week) -> None:
        with self.practice.work(now=self.now) as work:
            found = periods.preview(work, week, as_of)
        assert sorted(told(line) for line in found.lines) == sorted(slow.lines), (week, as_of)
        assert sorted(told(line) for line in found.standby) == sorted(slow.standby), (week, as_of)
        assert {problem.split(" ")[0] for problem in found.problems} == slow.problems
        assert found.cut_off == self.slow.cut_off(week)

    def read(self) -> None:
        """What was written stays, and a closed week is given nothing more."""
        with self.practice.house.store.session_in(self.practice.id) as db:
            lines = db.execute(text("select * from pay_lines where tenant_id = :id"), {"id": self.practice.id}).all()
            weeks = db.execute(
                text("select * from pay_periods where tenant_id = :id and closed_at is not null"),
                {"id": self.practice.id},
            ).all()
        rows: dict[Any, Any] = {week.id: (tuple(week), set()) for week in weeks}
        for line in lines:
            rows[line.period_id][1].add(tuple(line))
        for period, row in self.rows.items():
            assert rows[period] == row, "a closed week has changed"
        paid = Counter(line.session_id for line in lines if line.kind in ("regular", "late"))
        assert all(number == 1 for number in paid.values())
        self.rows, self.lines = rows, lines

    def do(self, name: str, verb: Callable[[Work], Any], by: Person | None = None, may: bool | None = None) -> Any:
        self.now += SECOND
        refusal: Refusal | None = None
        answer = None
        try:
            with self.practice.work(by, self.now) as work:
                answer = verb(work)
        except Refusal as error:
            refusal = error
        Pay.done[f"{name} {'refused' if refusal else 'done'}"] += 1
        if may is not None:
            assert (refusal is None) is may, f"{name}: {refusal or 'was not refused'}"
        before = self.rows
        self.read()
        assert name == "close" or set(self.rows) == set(before)
        return refusal is None and (answer if answer is not None else True)

    def one_of(self, number: int, condition: Callable[[Seat], bool]) -> UUID | None:
        found = [id for id, seat in self.seats.items() if condition(seat)]
        return found[number % len(found)] if found else None

    def is_paid(self, seat: Seat) -> bool:
        return seat.session in SlowPeriods(self.facts, self.now).paid

    def clinician_of(self, seat: Seat) -> Person:
        return next(one for one in self.clinicians if str(one.staff_id) == seat.staff)

    # Sessions

    @choosing
    def hold(self, clinician: int, code: str, ago: int, imported: bool) -> None:
        """Somebody was here; perhaps it is completed later. What was imported counts without a completion."""
        self.now += SECOND
        who, start = self.clinicians[clinician], self.now - ago * HOUR
        more: dict[str, Any] = {"guarded": False}
        if code == "GROUP":
            more["group_session_id"] = make_group(self.practice, who, self.services["GROUP"], start)
        self.seat(who, code, start, imported=imported, **more)

    def seat(self, who: Person, code: str, start: datetime, *, imported: bool, **more: Any) -> None:
        if imported:
            more |= {"status": "COMPLETED", "status_at": self.now}
        client = self.clients[len(self.seats) % 3]
        appointment = make_appointment(self.practice, who, client, self.services[code], start, **more)
        session = more.get("group_session_id") or appointment
        seat = Seat(str(session), str(appointment), str(who.staff_id), code, start)
        if imported:
            seat.completed_at = self.now
        self.seats[appointment] = seat
        self.facts.seats.append(seat)

    @choosing
    def another_seat(self, number: int, imported: bool) -> None:
        self.now += SECOND
        if id := self.one_of(number, lambda seat: seat.service == "GROUP"):
            one = self.seats[id]
            self.seat(
                self.clinician_of(one),
                "GROUP",
                one.starts_at,
                imported=imported,
                group_session_id=UUID(one.session),
                guarded=False,
            )

    @choosing
    def complete(self, number: int, late: bool) -> None:
        id = self.one_of(number, lambda seat: seat.completed_at == LATEST)
        if id is None or (late and number % 3):
            return
        seat = self.seats[id]
        if self.do("complete", lambda work: completing.complete(work, id, Scope.ALL) and None, may=True):
            seat.completed_at = self.now
            self.fix(seat)

    @choosing
    def count(self, number: int) -> None:
        """A completion for what was imported: it fixes kind and minutes, and nothing else."""
        id = self.one_of(number, lambda seat: seat.fixed is None)
        if id is None:
            return
        seat = self.seats[id]
        may = seat.completed_at != LATEST
        if self.do("count", lambda work: completions.complete_session(work, id) and None, may=may):
            self.fix(seat)

    def fix(self, seat: Seat) -> None:
        if seat.fixed is None:
            seat.fixed, seat.fixed_at = self.slow.service(seat.service, self.now), self.now

    @choosing
    def sign(self, number: int) -> None:
        id = self.one_of(number, lambda seat: seat.signed_at == LATEST)
        if id is None:
            return
        seat = self.seats[id]
        who = self.clinician_of(seat)
        if self.now + 2 * SECOND >= self.slow.cut_off(self.slow.week_of(seat.starts_at)):
            self.do("unlock", lambda work: unlock_session(work, Scope.ALL, id, "Was ill") and None)
        if id not in self.notes:
            self.now += SECOND
            self.notes[id] = write_note(self.practice, who, id, now=self.now)
        if self.do("sign", lambda work: sign_note(work, self.notes[id]) and None, who, may=True):
            seat.signed_at = self.now

    @choosing
    def amend(self, number: int) -> None:
        id = self.one_of(number, lambda seat: seat.signed_at != LATEST)
        if id is None:
            return

        def again(work: Work) -> None:
            note = work.db.get_one(Note, (self.practice.id, self.notes[id]))
            amend_note(work, note.id, note.version, sections=PROGRESS | {"focus": "Else"}, reason="Was wrong")

        self.do("amend", again, self.clinician_of(self.seats[id]), may=True)

    @choosing
    def void(self, number: int) -> None:
        if number % 3 and len(self.seats) < 10:
            return
        id = self.one_of(number, lambda seat: True)
        if id is None:
            return
        seat = self.seats[id]
        may = seat.completed_at != LATEST and seat.voided_at == LATEST and not self.is_paid(seat)
        self.withdraw("void", id, lambda work: completions.void_completion(work, Scope.ALL, id, "Twice"), may)

    @choosing
    def take_back(self, number: int, whole: bool) -> None:
        id = self.one_of(number, self.is_paid) if whole else self.one_of(number, lambda seat: True)
        if id is None:
            return
        seat = self.seats[id]
        may = seat.completed_at != LATEST and seat.voided_at == LATEST and self.is_paid(seat)
        self.withdraw("take back", id, lambda work: completions.take_back(work, id, "Never held"), may)

    def withdraw(self, name: str, id: UUID, verb: Callable[[Work], Any], may: bool) -> None:
        seat = self.seats[id]
        if self.do(name, lambda work: verb(work) and None, may=may):
            seat.voided_at = self.now
            self.fix(seat)

    # What they are worth

    @choosing
    def set_rate(self, clinician: int, cents: int, back: int, since_ever: bool) -> None:
        who = self.clinicians[clinician]
        since = None if since_ever else self.now.date() + back * DAY
        if self.do("rate", lambda work: rates.set_pay_rate(work, who.staff_id, cents, since) and None, may=True):
            self.facts.rates.append((self.now, str(who.staff_id), cents, since or date.min))

    @choosing
    def set_multiplier(self, clinician: int, code: str, times: str, back: int, own: bool) -> None:
        kind, who = KINDS[code][0], self.clinicians[clinician].staff_id if own else None
        since = self.now.date() + back * DAY
        asked: dict[str, Any] = {"kind": kind, "multiplier": Decimal(times), "effective_on": since, "staff_id": who}
        if self.do("multiplier", lambda work: rates.set_multiplier(work, **asked) and None, may=True):
            self.facts.multipliers.append((self.now, str(who) if who else None, kind, Fraction(times), since))

    @choosing
    def change_service(self, code: str, minutes: int) -> None:
        def change(work: Work) -> None:
            work.db.get_one(Service, (self.practice.id, self.services[code])).minutes = minutes

        if self.do("service", change, may=True):
            self.facts.services[code].append((self.now, KINDS[code][0], minutes))

    # Weeks

    @choosing
    def close(self, to_the_second: bool) -> None:
        week = SlowPeriods(self.facts, self.now).next_week() or FIRST
        end = self.slow.cut_off(week)
        if to_the_second and self.now < end - 2 * SECOND:
            self.now = end - 2 * SECOND
            self.do("close", lambda work: periods.close_period(work, week) and None, may=False)
            assert self.now == end - SECOND
        self.close_week(week, may=self.now + SECOND >= end)

    def close_week(self, week: date, *, may: bool) -> None:
        found = self.do("close", lambda work: periods.close_period(work, week), may=may)
        if not found:
            return
        self.facts.first = self.facts.first or week
        self.facts.closings.append((week, self.now))
        self.agree(week, self.now, SlowPeriods(self.facts, self.now).closed[week])
        again = self.do("close again", lambda work: periods.close_period(work, week), may=True)
        assert again == found
        assert (found.status, found.closed_at) == ("CLOSED", self.now - SECOND)

    @choosing
    def close_another(self, number: int) -> None:
        week = SlowPeriods(self.facts, self.now).next_week()
        if week is not None:
            wrong = [week + WEEK, week + 2 * WEEK, FIRST - WEEK][number % 3]
            self.do("close out of order", lambda work: periods.close_period(work, wrong) and None, may=False)

    @choosing
    def pass_time(self, hours: int) -> None:
        self.now += hours * HOUR

    @choosing
    def look_back(self, ago: int) -> None:
        """By what was known then, also of weeks that were not closed yet. Of a service only the present is known."""
        as_of = self.now - ago * HOUR
        if all(len(known) == 1 for known in self.facts.services.values()) and (
            not self.facts.closings or as_of >= self.facts.closings[0][1]
        ):
            slow = SlowPeriods(self.facts, as_of)
            for week in [*slow.closed, slow.next_week() or FIRST]:
                self.agree(week, as_of, slow.week(week))

    # The end

    def close_everything(self) -> None:
        """Then each session has brought what the final state of things deserves."""
        for _ in range(40):
            week = SlowPeriods(self.facts, self.now).next_week() or FIRST
            if self.slow.cut_off(week) > self.now:
                if all(self.slow.cut_off(self.slow.week_of(seat.starts_at)) < self.now for seat in self.seats.values()):
                    break
                self.now = self.slow.cut_off(week)
            self.close_week(week, may=True)
        self.now = self.slow.cut_off(SlowPeriods(self.facts, self.now).next_week() or FIRST)
        self.close_week(SlowPeriods(self.facts, self.now).next_week() or FIRST, may=True)
        brought: dict[str, int] = defaultdict(int)
        for line in self.lines:
            if line.kind != "standby":
                brought[str(line.session_id)] += line.amount_cents
        slow = SlowPeriods(self.facts, self.now)
        for session in slow.sessions():
            assert brought[session] == slow.deserved(session)

    def teardown(self) -> None:
        if self.seats:
            self.close_everything()


def test_no_short_life_of_pay_goes_wrong(house: Installation) -> None:
    Pay.house = house
    lived = settings(
        max_examples=LIVES,
        stateful_step_count=STEPS,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.generate] if LONG else [Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(Pay, settings=lived)


def test_no_busy_practice_pays_wrong(house: Installation) -> None:
    Pay.house = house
    Pay.done.clear()
    for seed in range(BUSY_PRACTICES):
        random, practice = Random(seed), Pay()  # noqa: S311
        practice.open(ZONES[seed % 3])
        weights = [3 if name in ("hold", "complete", "sign", "pass_time", "close") else 1 for name in choosing.all]
        for name in random.choices(list(choosing.all), weights, k=BUSY_STEPS):
            choosing.take(practice, name, random)
            practice.the_next_week_is_as_the_long_way_has_it()
        practice.close_everything()
    print(f"{sum(Pay.done.values())} steps: {dict(sorted(Pay.done.items()))}")  # noqa: T201 - read with -s
    tried = {name.rpartition(" ")[0] for name in Pay.done} - {"close out of order"}
    assert {name for name in tried if not Pay.done[f"{name} done"]} == set()
    assert Pay.done["take back done"] > 3
    assert Pay.done["close done"] > 10
