"""What the weeks of made-up practices pay where pay never began here: line by line as the files that they came with
have it, in three time zones."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from ingest.synthetic import Size, make_up
from practice.payroll.lines import Line
from practice.payroll.periods import preview
from practice.security.installation import Installation
from practice.security.work import Actor
from tests.support.builders.bundles import move_in
from tests.support.oracles.bundle_pay_oracle import SlowPay

DAY = timedelta(days=1)
PRACTICES = {
    "New York over the spring change": (Size("Pay one", "America/New_York", 4, 90, 6), 11, (2026, 3, 18, 15, 30)),
    "Berlin over the autumn change": (Size("Pay two", "Europe/Berlin", 3, 70, 5), 12, (2025, 11, 16, 9)),
    "Auckland over both, of the south": (Size("Pay three", "Pacific/Auckland", 2, 40, 8), 13, (2026, 4, 20, 12)),
}


@pytest.mark.parametrize("which", PRACTICES)
def test_every_week_pays_what_the_long_way_gives(installation: Installation, tmp_path: Path, which: str) -> None:
    size, seed, until = PRACTICES[which]
    now = datetime(*until, tzinfo=UTC)
    make_up(tmp_path / "bundle", size, seed, now)
    practice = move_in(installation, tmp_path / "bundle").practice
    checked = late = 0
    for as_of in (now, now - 24 * DAY):
        slow = SlowPay(tmp_path / "bundle", as_of)
        for week in slow.weeks():
            with installation.work(Actor(practice.id), now) as work:
                found = preview(work, week, as_of)
            assert sorted(told(line) for line in found.lines) == slow.lines(week), (week, as_of)
            assert sorted(told(line) for line in found.standby) == slow.standby(week), (week, as_of)
            assert found.cut_off == slow.cut_off(week)
            assert sum(found.totals.values()) == sum(cents for *_, cents in slow.lines(week))
            checked += len(found.lines)
            late += sum(line.kind == "late" for line in found.lines)
    assert checked > 500, checked
    assert late > 20


def told(line: Line) -> tuple[Any, ...]:
    return (
        *(line.kind, line.staff, line.appointment, line.minutes),
        *(Fraction(line.multiplier), line.amount_cents),
    )
