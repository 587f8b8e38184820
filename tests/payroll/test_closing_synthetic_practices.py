"""Made-up practices of three time zones, with staff, services and rates as they are moved in. Pay begins in the middle
of what they did: week after week is closed, rates are put right and sessions taken back in between, and every line is
what the long way gives."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

import pytest

from ingest.synthetic import Size, make_up
from practice.payroll.completions import take_back, void_completion
from practice.payroll.lines import Preview
from practice.payroll.periods import close_period, preview
from practice.payroll.rates import set_multiplier, set_pay_rate
from practice.security.installation import Installation
from practice.security.permissions import Scope
from tests.support.builders.bundles import move_in
from tests.support.builders.people import Person, PracticeFixture
from tests.support.oracles.pay_oracle import DAY, WEEK, Books, Period, told

HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
PRACTICES = {
    "New York over the spring change": (Size("Closing one", "America/New_York", 3, 60, 4), 21, (2026, 3, 29, 15, 30)),
    "Berlin over the autumn change": (Size("Closing two", "Europe/Berlin", 3, 50, 4), 22, (2025, 11, 23, 9)),
    "Auckland over the autumn change": (Size("Closing three", "Pacific/Auckland", 2, 40, 4), 23, (2026, 4, 26, 12)),
}


@pytest.mark.parametrize("which", PRACTICES)
def test_every_closed_week_pays_what_the_long_way_gives(installation: Installation, tmp_path: Path, which: str) -> None:
    size, seed, until = PRACTICES[which]
    last = datetime(*until, tzinfo=UTC)
    make_up(tmp_path / "bundle", size, seed, last)
    moved_in = move_in(installation, tmp_path / "bundle")
    nobody = Person(moved_in.practice.id, moved_in.practice.id, "", ["admin"])
    practice = PracticeFixture(installation, moved_in.practice.id, nobody, now=last)
    zone, random = ZoneInfo(size.time_zone), Random(seed)  # noqa: S311
    books = Books(practice, zone)
    week = books.week_of(last) - 9 * WEEK
    seen: Counter[str] = Counter()
    earlier: list[tuple[datetime, Preview]] = []
    while books.cut_off(week) <= last + 2 * WEEK:
        now = books.cut_off(week) + random.choice([0, 1, 9, 50]) * HOUR
        books = Books(practice, zone)
        due = books.due(week, now, [Period(None, week, now, None)])
        with installation.work(practice.actor(), now) as work:
            found = close_period(work, week)
        books = Books(practice, zone)
        assert books.written(week) == told(found) == due, week
        seen.update(f"{line.kind} {line.reason}".strip() for line in due.lines)
        seen["standby"] += len(due.standby)
        now = put_right(practice, books, random, now)
        with installation.work(practice.actor(), now) as work:
            earlier.append((now, preview(work, week + WEEK, now)))
        assert told(earlier[-1][1]) == Books(practice, zone).due(week + WEEK, now)
        week += WEEK
    with installation.work(practice.actor(), last + 3 * WEEK) as work:
        for at, one in earlier:
            assert preview(work, one.week, at) == one
    assert seen["regular"] > 150
    assert seen["late"] > 5
    assert seen["standby"] > 5
    assert seen["adjustment RATE_CHANGED"] > 20
    assert seen["adjustment VOIDED"] > 5


def put_right(practice: PracticeFixture, books: Books, random: Random, now: datetime) -> datetime:
    """Some rates and multipliers, and sessions that should not have been paid; one that is not to be. A second passes
    with each."""
    in_order = sorted(books.lines, key=lambda line: (books.name(books.seat_of[line.appointment_id]), line.kind))
    paid = [line for line in in_order if line.kind in ("regular", "late")]
    gone = {row.id for row in books.completions if row.voided_at}
    staff = sorted({line.staff_id for line in paid}, key=books.staff_name.__getitem__)
    with practice.work(now=now + SECOND) as work:
        since = books.date_of(now) - random.randrange(5, 25) * DAY
        set_pay_rate(work, random.choice(staff), random.randrange(4000, 12000), since)
        if random.random() < 0.5:
            times, whose = Decimal(random.randrange(80, 200)) / 100, random.choice([None, *staff])
            kind = random.choice(["INDIVIDUAL", "GROUP"])
            set_multiplier(work, kind=kind, multiplier=times, effective_on=since, staff_id=whose)
        for line in random.sample(paid, 3):
            for seat in [seat for seat in books.seats if (seat.group_session_id or seat.id) == line.session_id]:
                if seat.status == "COMPLETED" and seat.id not in gone:
                    take_back(work, seat.id, "A mistake")
                    gone.add(seat.id)
        waits = [line for line in in_order if line.kind == "standby" and line.appointment_id not in gone]
        waits = [line for line in waits if line.session_id not in {one.session_id for one in paid}]
        if waits:
            void_completion(work, Scope.ALL, random.choice(waits).appointment_id, "A mistake")
    return now + 2 * SECOND
