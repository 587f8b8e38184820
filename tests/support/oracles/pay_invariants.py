"""Invariants of a practice's pay, checked between two readings of its rows."""

from collections import Counter
from datetime import datetime

from tests.support.oracles.pay_oracle import INSTANT_COLUMNS, PAID_KINDS, WEEK, PayOracle


def check_instants(oracle: PayOracle, before: PayOracle, now: datetime) -> None:
    """Check that everything written in the last step has the instant of that step."""
    for table, columns in INSTANT_COLUMNS.items():
        earlier_rows = {row.id: row for row in before.rows[table]}
        for row in oracle.rows[table]:
            for column in columns:
                earlier_value = getattr(earlier_rows.get(row.id), column, None)
                assert getattr(row, column) in (earlier_value, now, None), (table, column)


def check_new_rows(oracle: PayOracle, before: PayOracle) -> None:
    """Check what is new. That earlier lines are unchanged is checked elsewhere."""
    for row in oracle.completions:
        if row.id not in before.completion_of:
            service = oracle.service_of[oracle.seat_of[row.id].service_id]
            assert (row.kind, row.minutes) == (service.kind, service.minutes)
    periods = {row.id: row for row in oracle.periods}
    weeks = [row.week for row in oracle.periods]
    assert weeks == [weeks[0] + number * WEEK for number in range(len(weeks))]
    closed = [row.closed_at is not None for row in oracle.periods]
    assert closed == sorted(closed, reverse=True), "a week was closed before an earlier week"
    assert all(row.closed_at is None or row.closed_at >= oracle.cut_off(row.week) for row in oracle.periods)
    earlier_ids = {line.id for line in before.lines}
    payments = Counter(line.session_id for line in oracle.lines if line.kind in PAID_KINDS)
    assert max(payments.values(), default=1) == 1, "a session was paid twice"
    for line in oracle.lines:
        if line.id in earlier_ids:
            continue
        period = periods[line.period_id]
        assert period.closed_at is not None, "an open week has lines"
        if line.kind in PAID_KINDS:
            sessions = oracle.list_sessions(period.closed_at)
            session = next(session for session in sessions if session.session_id == line.session_id)
            payable_week = oracle.find_payable_week(session)
            assert payable_week is not None, "an unsigned session was paid"
            assert payable_week <= period.week, "a session was paid too early"
            was_pending = any((row.session_id, row.kind) == (line.session_id, "standby") for row in before.lines)
            assert payable_week >= weeks[0] or was_pending, "a session was paid that was paid elsewhere"
