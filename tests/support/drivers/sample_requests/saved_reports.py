"""Sample requests of reports that people save, and of their figures."""

from typing import Any
from uuid import UUID

from practice.reports.models import ReportDefinition
from practice.store.ids import new_id
from tests.support.builders.schedule import put
from tests.support.drivers.operations import SampleRequest, World
from tests.support.drivers.sample_requests.metrics import choose_month, refresh

READERS = {"admin", "supervisor", "clinician", "biller"}
DEFINITION = {"measures": ["revenue"], "group": "clinician"}


def make_report(world: World, role: str | None) -> dict[str, Any]:
    """Make a report of the person of this role."""
    owner_id = world.people[role].staff_id if role in READERS else world.practice.admin.staff_id
    return {"report_id": put_report(world, owner_id)}


def put_report(world: World, owner_id: UUID) -> UUID:
    definition = DEFINITION | {"period": "month", "periods": 1, "clinician_ids": [], "order_by": "name"}
    report = ReportDefinition(
        id=new_id(),
        owner_id=owner_id,
        name="Money",
        definition=definition | {"descending": False},
        created_at=world.practice.now,
    )
    put(world.practice, report)
    return report.id


def build_report(_world: World, _role: str | None) -> dict[str, Any]:
    return {"name": "Money", "definition": DEFINITION}


def run_report(world: World, _role: str | None) -> dict[str, Any]:
    refresh(world)
    return DEFINITION


def choose_report(world: World) -> dict[str, str]:
    refresh(world)
    return {"report": "revenue_by_clinician"}


def choose_sum(world: World) -> dict[str, str]:
    return {"measure": "revenue"} | choose_month(world)


SAMPLE_REQUESTS = {
    "list_reports": SampleRequest(READERS),
    "save_report": SampleRequest(READERS, body=build_report),
    "list_report_measures": SampleRequest(READERS),
    "run_unsaved_report": SampleRequest(READERS, body=run_report),
    "get_report_figures": SampleRequest(READERS, query=choose_report),
    "export_report": SampleRequest(READERS, query=choose_report),
    "export_report_workbook": SampleRequest(READERS, query=choose_report),
    "print_report_figures": SampleRequest(READERS, query=choose_report),
    "list_report_rows": SampleRequest(READERS, query=choose_sum),
    "get_report": SampleRequest(READERS, make_report),
    "change_report": SampleRequest(
        READERS, make_report, lambda _world, _role: {"name": "Money, renamed"}, ("report_definitions", "report_id")
    ),
    "delete_report": SampleRequest(READERS, make_report),
}
