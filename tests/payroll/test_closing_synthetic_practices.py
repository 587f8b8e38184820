"""Imported synthetic practices in three time zones, whose pay begins in the middle of their history.

Week after week is closed, with rates corrected and sessions reversed in between; every line must match the oracle.
"""

from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

import pytest

from ingest.synthetic import Size, generate
from practice.payroll.completions import reverse_paid_session, void_completion
from practice.payroll.lines import PayWeek
from practice.payroll.periods import close_period, preview_week
from practice.payroll.rates import set_multiplier, set_pay_rate
from practice.security.installation import Installation
from practice.security.permissions import Scope
from tests.support.builders.bundles import import_practice
from tests.support.builders.people import Person, PracticeFixture
from tests.support.oracles.pay_oracle import DAY, WEEK, PayOracle, Period, normalize_week

HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
PRACTICES = {
    "New York over the spring change": (Size("Closing one", "America/New_York", 3, 60, 4), 21, (2026, 3, 29, 15, 30)),
    "Berlin over the autumn change": (Size("Closing two", "Europe/Berlin", 3, 50, 4), 22, (2025, 11, 23, 9)),
    "Auckland over the autumn change": (Size("Closing three", "Pacific/Auckland", 2, 40, 4), 23, (2026, 4, 26, 12)),
}


@pytest.mark.parametrize("name", PRACTICES)
def test_every_closed_week_pays_what_the_oracle_computes(installation: Installation, tmp_path: Path, name: str) -> None:
    size, seed, until = PRACTICES[name]
    last = datetime(*until, tzinfo=UTC)
    generate(tmp_path / "bundle", size, seed, last)
    practice_id = import_practice(installation, tmp_path / "bundle").practice.id
    admin = Person(practice_id, practice_id, "", ["admin"])  # not stored
    practice = PracticeFixture(installation, practice_id, admin, now=last)
    zone, random = ZoneInfo(size.time_zone), Random(seed)  # noqa: S311
    oracle = PayOracle(practice, zone)
    week = oracle.week_of(last) - 9 * WEEK
    counts: Counter[str] = Counter()
    previews: list[tuple[datetime, PayWeek]] = []
    while oracle.cut_off(week) <= last + 2 * WEEK:
        now = oracle.cut_off(week) + random.choice([0, 1, 9, 50]) * HOUR
        oracle = PayOracle(practice, zone)
        expected = oracle.compute_week(week, now, [Period(None, week, now, None)])
        with installation.work(practice.actor(), now) as work:
            pay_week = close_period(work, week)
        oracle = PayOracle(practice, zone)
        assert oracle.load_closed_week(week) == normalize_week(pay_week) == expected, week
        counts.update(f"{line.kind} {line.reason}".strip() for line in expected.lines)
        counts["standby"] += len(expected.pending)
        now = make_corrections(practice, oracle, random, now)
        with installation.work(practice.actor(), now) as work:
            previews.append((now, preview_week(work, Scope.ALL, week + WEEK, now)))
        assert normalize_week(previews[-1][1]) == PayOracle(practice, zone).compute_week(week + WEEK, now)
        week += WEEK
    with installation.work(practice.actor(), last + 3 * WEEK) as work:
        for at, preview in previews:
            assert preview_week(work, Scope.ALL, preview.week, at) == preview
    assert counts["regular"] > 150
    assert counts["late"] > 5
    assert counts["standby"] > 5
    assert counts["adjustment RATE_CHANGED"] > 20
    assert counts["adjustment VOIDED"] > 5


def make_corrections(practice: PracticeFixture, oracle: PayOracle, random: Random, now: datetime) -> datetime:
    """Set rates and multipliers, reverse paid sessions and void a pending one; return the instant after."""
    lines = sorted(oracle.lines, key=lambda line: (oracle.get_name(oracle.seat_of[line.appointment_id]), line.kind))
    paid = [line for line in lines if line.kind in ("regular", "late")]
    voided_ids = {row.id for row in oracle.completions if row.voided_at}
    staff = sorted({line.staff_id for line in paid}, key=oracle.staff_name.__getitem__)
    with practice.work(now=now + SECOND) as work:
        since = oracle.date_of(now) - random.randrange(5, 25) * DAY
        set_pay_rate(work, random.choice(staff), random.randrange(4000, 12000), since)
        if random.random() < 0.5:
            multiplier, staff_id = Decimal(random.randrange(80, 200)) / 100, random.choice([None, *staff])
            kind = random.choice(["INDIVIDUAL", "GROUP"])
            set_multiplier(work, kind=kind, multiplier=multiplier, effective_on=since, staff_id=staff_id)
        for line in random.sample(paid, 3):
            for seat in [seat for seat in oracle.seats if (seat.group_session_id or seat.id) == line.session_id]:
                if seat.status == "COMPLETED" and seat.id not in voided_ids:
                    reverse_paid_session(work, seat.id, "A mistake")
                    voided_ids.add(seat.id)
        paid_ids = {line.session_id for line in paid}
        pending = [line for line in lines if line.kind == "standby" and line.appointment_id not in voided_ids]
        pending = [line for line in pending if line.session_id not in paid_ids]
        if pending:
            void_completion(work, Scope.ALL, random.choice(pending).appointment_id, "A mistake")
    return now + 2 * SECOND
