"""Builders of practices whose metrics are published: few sessions with known figures."""

from datetime import timedelta

from sqlalchemy import text

from practice.payroll.rates import set_pay_rate
from tests.support.builders.people import NOW, Person, PracticeFixture
from tests.support.builders.sessions import SessionBuilder
from tests.warehouse.conftest import be_quiet
from warehouse.refresh import refresh_practice

DAY = timedelta(days=1)


def publish_metrics(practice: PracticeFixture) -> None:
    """Compute and publish the metrics of the practice as of NOW."""
    folder = practice.installation.settings.warehouse
    refresh_practice(practice.installation.store, folder, practice.id, NOW, "duckdb", be_quiet)


def add_measured_sessions(practice: PracticeFixture, clinician: Person, other: Person | None = None) -> SessionBuilder:
    """Add two kept visits of a clinician with a rate, one of them with a late note, a missed one, and one of another.

    Nobody has signed a note; everybody was employed long before.
    """
    with practice.installation.store.begin_session(practice.id) as db:
        db.execute(text("update staff set hired_on = '2025-01-01'"))
    with practice.work(now=NOW - 30 * DAY) as work:
        set_pay_rate(work, clinician.staff_id, 6000, (NOW - 30 * DAY).date())
    builder = SessionBuilder(practice, clinician)
    for days in (1, 9):
        builder.add_session(NOW - days * DAY)
    builder.add_session(NOW - 2 * DAY, status="NO_SHOW")
    if other is not None:
        builder.add_session(NOW - 3 * DAY, clinician=other)
    return builder
