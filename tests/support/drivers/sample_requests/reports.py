"""Requests about progress reports."""

from datetime import date
from typing import Any

from practice.clinical.documents.rules.content import Content, Section, kept
from practice.clinical.documents.rules.templates import USUAL
from practice.clinical.models.reports import ProgressReport, ProgressReportVersion
from practice.store.ids import new_id
from tests.support.builders.schedule import put
from tests.support.drivers.operations import SampleRequest, World

READERS = {"admin", "supervisor", "clinician", "client"}
WHY = {"X-Reason": "A complaint to look into"}
SECTIONS = {place.key: f"{place.title}: as it should be." for place in USUAL["PROGRESS_REPORT"]}


def make_report(world: World, *, final: bool) -> Any:
    now = world.practice.now
    theirs = {"client_id": world.client_id, "clinician_id": world.clinician_id, "reported_on": date(2026, 3, 16)}
    done = {"status": "FINAL", "finished_at": now, "shared_at": now} if final else {}
    report = ProgressReport(id=new_id(), created_at=now, **theirs, **done)
    sections = tuple(Section(place.key, place.title, SECTIONS[place.key]) for place in USUAL["PROGRESS_REPORT"])
    saved = {"report_id": report.id, "written_at": now, "written_by_id": world.clinician_id}
    versions = [ProgressReportVersion(id=new_id(), number=number, **saved) for number in (1, 2)]
    with world.practice.work() as work:
        for version in versions:
            text = kept(Content(sections, salt=f"{version.number:032}"))
            version.content = work.seal("progress_report_versions", "content", version.id, text)
    put(world.practice, report, *versions)
    return report.id


def draft(world: World, _role: str | None) -> dict[str, Any]:
    return {"report_id": make_report(world, final=False)}


def shared(world: World, _role: str | None) -> dict[str, Any]:
    return {"report_id": make_report(world, final=True)}


def last_version(world: World, role: str | None) -> dict[str, Any]:
    return shared(world, role) | {"number": 2}


def of_client(world: World, _role: str | None) -> dict[str, Any]:
    return {"client_id": world.client_id}


def wanted(world: World, _role: str | None) -> dict[str, Any]:
    return {"client_id": str(world.client_id), "sections": SECTIONS}


SAMPLE_REQUESTS = {
    "list_progress_reports": SampleRequest(READERS, headers=WHY),
    "begin_progress_report": SampleRequest({"clinician"}, body=wanted),
    "search_progress_reports": SampleRequest(
        READERS, body=lambda _world, _role: {"query": "as it should"}, headers=WHY
    ),
    "print_progress_report": SampleRequest(READERS, shared, headers=WHY),
    "get_progress_report": SampleRequest(READERS, shared, headers=WHY),
    "save_progress_report": SampleRequest(
        {"clinician"}, draft, lambda _world, _role: {"sections": SECTIONS}, ("progress_reports", "report_id")
    ),
    "void_progress_report": SampleRequest({"clinician"}, draft, query=lambda _world: {"reason": "Written twice"}),
    "finish_progress_report": SampleRequest({"clinician"}, draft),
    "share_progress_report": SampleRequest({"clinician"}, shared),
    "unshare_progress_report": SampleRequest({"clinician"}, shared),
    "list_progress_report_versions": SampleRequest(READERS, shared, headers=WHY),
    "get_progress_report_version": SampleRequest(READERS, last_version, headers=WHY),
    "compare_progress_reports": SampleRequest(READERS, shared, headers=WHY),
    "list_progress_reports_of_client": SampleRequest(READERS, of_client, headers=WHY),
}
