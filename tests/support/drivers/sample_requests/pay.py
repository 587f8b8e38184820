"""Requests about pay periods."""

from datetime import date, timedelta
from itertools import count
from typing import Any

from practice.payroll.models import PayPeriod
from practice.store.ids import new_id
from tests.support.builders.schedule import put
from tests.support.drivers.operations import SampleRequest, World

READERS = {"admin", "supervisor", "clinician", "biller"}
WEEKS = count()


def next_closed_week() -> date:
    """Closed weeks follow each other, as those of a practice do."""
    return date(2015, 1, 4) + timedelta(weeks=next(WEEKS))


def closed_week(world: World, _role: str | None) -> dict[str, Any]:
    """Long ago, and closed: whatever else is there, it can be opened and closed again."""
    week = next_closed_week()
    at = world.practice.now
    put(world.practice, PayPeriod(id=new_id(), week=week, opened_at=at, closed_at=at, version=1, problems=[]))
    return {"week": week.isoformat()}


def statement(world: World, role: str | None) -> dict[str, Any]:
    return closed_week(world, role) | {"staff_id": world.clinician_id}


SAMPLE_REQUESTS = {
    "list_pay_periods": SampleRequest(READERS),
    "open_pay_period": SampleRequest({"admin"}, body=closed_week),
    "preview_pay_period": SampleRequest(READERS, closed_week),
    "close_pay_period": SampleRequest({"admin"}, closed_week),
    "list_pay_statements": SampleRequest(READERS, closed_week),
    "get_pay_statement": SampleRequest(READERS, statement),
    "export_pay_statement": SampleRequest(READERS, statement),
    "print_pay_statement": SampleRequest(READERS, statement),
    "export_pay_period": SampleRequest({"admin", "biller"}, closed_week),
}
