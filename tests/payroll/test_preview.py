"""Previews of synthetic practices without pay periods: line by line as the oracle computes them from the files."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from ingest.synthetic import Size, generate
from practice.payroll.lines import Line
from practice.payroll.periods import preview_week
from practice.security.installation import Installation
from practice.security.permissions import Scope
from practice.security.work import Actor
from tests.support.builders.bundles import import_practice
from tests.support.oracles.bundle_pay_oracle import BundlePayOracle

DAY = timedelta(days=1)
PRACTICES = {
    "New York over the spring change": (Size("Pay one", "America/New_York", 4, 90, 6), 11, (2026, 3, 18, 15, 30)),
    "Berlin over the autumn change": (Size("Pay two", "Europe/Berlin", 3, 70, 5), 12, (2025, 11, 16, 9)),
    "Auckland over both, of the south": (Size("Pay three", "Pacific/Auckland", 2, 40, 8), 13, (2026, 4, 20, 12)),
}


@pytest.mark.parametrize("name", PRACTICES)
def test_every_week_pays_what_the_oracle_computes(installation: Installation, tmp_path: Path, name: str) -> None:
    size, seed, until = PRACTICES[name]
    now = datetime(*until, tzinfo=UTC)
    generate(tmp_path / "bundle", size, seed, now)
    practice = import_practice(installation, tmp_path / "bundle").practice
    checked = late = 0
    for as_of in (now, now - 24 * DAY):
        oracle = BundlePayOracle(tmp_path / "bundle", as_of)
        for week in oracle.list_weeks():
            with installation.work(Actor(practice.id), now) as work:
                pay_week = preview_week(work, Scope.ALL, week, as_of)
            assert sorted(map(to_tuple, pay_week.lines)) == oracle.list_lines(week), (week, as_of)
            assert sorted(map(to_tuple, pay_week.pending)) == oracle.list_pending(week), (week, as_of)
            assert pay_week.cut_off == oracle.cut_off(week)
            assert sum(pay_week.totals.values()) == sum(cents for *_, cents in oracle.list_lines(week))
            checked += len(pay_week.lines)
            late += sum(line.kind == "late" for line in pay_week.lines)
    assert checked > 500, checked
    assert late > 20


def to_tuple(line: Line) -> tuple[Any, ...]:
    return line.kind, line.staff, line.appointment, line.minutes, Fraction(line.multiplier), line.amount_cents
