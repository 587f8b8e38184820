"""Sample requests of incidents."""

from datetime import date, timedelta
from typing import Any

from practice.people.models.records import Incident, IncidentNotice
from practice.store.ids import new_id
from tests.support.builders.people import NOW
from tests.support.builders.schedule import put
from tests.support.drivers.operations import SampleRequest, World, send_reason

STAFF = {"admin", "supervisor", "clinician", "scheduler", "biller", "analyst"}


def make_incident(world: World, _role: str | None) -> dict[str, Any]:
    detected_at = world.practice.now - timedelta(days=2)
    incident = Incident(id=new_id(), kind="LOST_DEVICE", detected_at=detected_at, people_affected=3)
    put(world.practice, incident)
    return {"incident_id": incident.id}


def make_notice(world: World, role: str | None) -> dict[str, Any]:
    ids = make_incident(world, role)
    notice = IncidentNotice(id=new_id(), recipients="AUTHORITY", due_on=date(2026, 5, 15), **ids)
    put(world.practice, notice)
    return ids | {"notice_id": notice.id}


def build_report(_world: World, _role: str | None) -> dict[str, Any]:
    detected_at = (NOW - timedelta(days=1)).isoformat()
    return {"kind": "LOST_DEVICE", "detected_at": detected_at, "summary": "A phone was left in a taxi."}


SAMPLE_REQUESTS = {
    "list_incidents": SampleRequest({"admin"}),
    "report_incident": SampleRequest(STAFF, body=build_report),
    "get_incident": SampleRequest({"admin"}, make_incident),
    "change_incident": SampleRequest(
        {"admin"}, make_incident, lambda _world, _role: {"people_affected": 500}, versioned=("incidents", "incident_id")
    ),
    "respond_to_incident": SampleRequest({"admin"}, make_incident, lambda _world, _role: {}),
    "record_notice_sent": SampleRequest({"admin"}, make_notice, lambda _world, _role: {"sent_on": "2026-03-18"}),
    "void_incident": SampleRequest({"admin"}, make_incident, body=send_reason),
}
