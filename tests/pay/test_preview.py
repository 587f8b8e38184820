"""What a week pays."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from random import Random
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from ingest.madeup import Size, make_up
from practice.pay.completions import take_back
from practice.pay.lines import Preview
from practice.pay.periods import close_period, preview
from practice.pay.rates import set_pay_rate
from practice.security.installation import Installation
from practice.security.work import Actor
from tests.support.bundles import move_in
from tests.support.slow_pay import SlowPay, at
from tests.support.slow_periods import LATEST, WEEK, Facts, Seat, SlowPeriods, Week, told

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
PRACTICES = {
    "New York over the spring change": (Size("Pay one", "America/New_York", 4, 90, 6), 11, (2026, 3, 18, 15, 30)),
    "Berlin over the autumn change": (Size("Pay two", "Europe/Berlin", 3, 70, 5), 12, (2025, 11, 16, 9)),
    "Auckland over both, of the south": (Size("Pay three", "Pacific/Auckland", 2, 40, 8), 13, (2026, 4, 20, 12)),
}


@pytest.mark.parametrize("which", PRACTICES)
def test_every_week_pays_what_the_long_way_gives(house: Installation, tmp_path: Path, which: str) -> None:
    size, seed, until = PRACTICES[which]
    now = datetime(*until, tzinfo=UTC)
    make_up(tmp_path / "bundle", size, seed, now)
    practice = move_in(house, tmp_path / "bundle").practice
    checked = late = 0
    for as_of in (now, now - 24 * DAY):
        slow = SlowPay(tmp_path / "bundle", as_of)
        for week in slow.weeks():
            with house.work(Actor(practice.id), now) as work:
                found = preview(work, week, as_of)
            assert sorted(told(line) for line in found.lines) == slow.lines(week), (week, as_of)
            assert sorted(told(line) for line in found.standby) == slow.standby(week), (week, as_of)
            assert found.cut_off == slow.cut_off(week)
            assert sum(found.totals.values()) == sum(cents for *_, cents in slow.lines(week))
            checked += len(found.lines)
            late += sum(line.kind == "late" for line in found.lines)
    assert checked > 500, checked
    assert late > 20


@pytest.mark.parametrize("which", PRACTICES)
def test_every_closed_week_paid_what_the_long_way_gives(house: Installation, tmp_path: Path, which: str) -> None:
    """Weeks are closed one after the other, with rates, multipliers and voids between them."""
    size, seed, until = PRACTICES[which]
    size = replace(size, name=f"{size.name} closed")
    now = datetime(*until, tzinfo=UTC)
    make_up(tmp_path / "bundle", size, seed, now)
    practice = move_in(house, tmp_path / "bundle").practice
    facts = facts_of(tmp_path / "bundle", size.time_zone)
    slow = SlowPeriods(facts, now)
    first = slow.week_of(min(seat.completed_at for seat in facts.seats)) + 2 * WEEK
    weeks = [first + number * WEEK for number in range(12)]
    chance, kinds = Random(seed), set()  # noqa: S311
    for week in [week for week in weeks if slow.cut_off(week) < now]:
        moment = slow.cut_off(week) + 9 * HOUR
        with house.work(Actor(practice.id), moment) as work:
            found = close_period(work, week)
        facts.first = first
        facts.closings.append((week, moment))
        agree(found, SlowPeriods(facts, moment).closed[week])
        kinds |= {(line.kind, line.reason) for line in [*found.lines, *found.standby]}
        change(house, practice.id, facts, found, chance, moment + HOUR)
        later = moment + 2 * HOUR
        with house.work(Actor(practice.id), later) as work:
            agree(preview(work, week + WEEK, later), SlowPeriods(facts, later).week(week + WEEK))
            assert preview(work, week, later) == found
    assert kinds >= {("regular", None), ("late", None), ("standby", None)}
    assert kinds >= {("adjustment", "VOIDED"), ("adjustment", "RATE_CHANGED")}


def facts_of(bundle: Path, zone: str) -> Facts:
    read = SlowPay(bundle, datetime(2027, 1, 1, tzinfo=UTC))
    facts = Facts(ZoneInfo(zone))
    for row in read.rows["appointments"]:
        if row["status"] == "COMPLETED":
            group = row["group_id"] and f"group {row['group_id']}"
            seat = Seat(group or row["id"], row["id"], row["clinician_id"], row["service_code"], at(row["starts_at"]))
            seat.completed_at, seat.signed_at = at(row["status_at"]), read.signatures.get(row["id"], LATEST)
            facts.seats.append(seat)
    start = datetime(2000, 1, 1, tzinfo=UTC)
    facts.services = {code: [(start, row["kind"], int(row["minutes"]))] for code, row in read.services.items()}
    facts.rates = [(start, who, int(Fraction(rate) * 100), date.min) for who, rate in read.rates.items() if rate]
    for row in read.rows.get("rates", []):
        since = date.fromisoformat(row["effective_on"])
        known = datetime(since.year, since.month, since.day, tzinfo=UTC)
        times = Fraction(row["multiplier"])
        facts.multipliers.append((known, row["staff_id"] or None, row["kind"], times, since))
    return facts


def change(house: Installation, tenant_id: UUID, facts: Facts, found: Preview, chance: Random, now: datetime) -> None:
    """Something about what was just paid."""
    paid = [line for line in found.lines if line.kind != "adjustment"]
    one, other = chance.choice(paid), chance.choice(paid)
    since, cents = one.held_on - chance.randrange(10) * DAY, chance.choice([5000, 7333, 9050])
    with house.work(Actor(tenant_id), now) as work:
        set_pay_rate(work, one.staff_id, cents, since)
        facts.rates.append((now, one.staff, cents, since))
        (session,) = {seat.session for seat in facts.seats if seat.name == other.appointment}
        for seat in facts.seats:
            if seat.session != session or seat.completed_at > now or seat.voided_at < now:
                continue
            query = text("select id from appointments where tenant_id = :tenant_id and external_id = :name")
            appointment = work.db.scalar(query, {"tenant_id": tenant_id, "name": seat.name})
            take_back(work, appointment, "Never held")
            seat.voided_at = now


def agree(found: Preview, slow: Week) -> None:
    assert sorted(told(line) for line in found.lines) == sorted(slow.lines)
    assert sorted(told(line) for line in found.standby) == sorted(slow.standby)
