"""Sample requests of pay periods."""

from datetime import date, timedelta
from itertools import count
from typing import Any

from practice.payroll.models import PayPeriod
from practice.store.ids import new_id
from tests.support.builders.schedule import put
from tests.support.drivers.operations import SampleRequest, World, send_reason

READERS = {"admin", "supervisor", "clinician", "biller"}
WEEKS = count()


def take_closed_week() -> date:
    """Return the next unused week; closed weeks follow one another."""
    return date(2015, 1, 4) + timedelta(weeks=next(WEEKS))


def make_closed_week(world: World, _role: str | None) -> dict[str, Any]:
    """Make a closed week long ago, which can be opened and closed again."""
    week = take_closed_week()
    at = world.practice.now
    put(world.practice, PayPeriod(id=new_id(), week=week, opened_at=at, closed_at=at, version=1, problems=[]))
    return {"week": week.isoformat()}


def make_open_week(world: World, _role: str | None) -> dict[str, Any]:
    """Make an open week, the last one."""
    week = take_closed_week()
    put(world.practice, PayPeriod(id=new_id(), week=week, opened_at=world.practice.now, version=1, problems=[]))
    return {"week": week.isoformat()}


def make_statement(world: World, role: str | None) -> dict[str, Any]:
    return make_closed_week(world, role) | {"staff_id": world.clinician_id}


SAMPLE_REQUESTS = {
    "list_pay_periods": SampleRequest(READERS),
    "open_pay_period": SampleRequest({"admin"}, body=make_closed_week),
    "preview_pay_period": SampleRequest(READERS, make_closed_week),
    "close_pay_period": SampleRequest({"admin"}, make_closed_week),
    "remove_pay_period": SampleRequest({"admin"}, make_open_week, send_reason),
    "list_pay_statements": SampleRequest(READERS, make_closed_week),
    "get_pay_statement": SampleRequest(READERS, make_statement),
    "export_pay_statement": SampleRequest(READERS, make_statement),
    "print_pay_statement": SampleRequest(READERS, make_statement),
    "export_pay_period": SampleRequest({"admin", "biller"}, make_closed_week),
}
