"""Sample requests of progress reports."""

from datetime import date
from typing import Any

from practice.clinical.documents.rules.content import Content, Section, canonical_json
from practice.clinical.documents.rules.templates import DEFAULT_TEMPLATES
from practice.clinical.models.reports import ProgressReport, ProgressReportVersion
from practice.store.ids import new_id
from tests.support.builders.schedule import put
from tests.support.drivers.operations import SampleRequest, World, send_reason

READERS = {"admin", "supervisor", "clinician", "client"}
WHY = {"X-Reason": "A complaint to look into"}
SECTIONS = {section.key: f"{section.title}: as it should be." for section in DEFAULT_TEMPLATES["PROGRESS_REPORT"]}


def make_report(world: World, *, final: bool) -> Any:
    now = world.practice.now
    common = {"client_id": world.client_id, "clinician_id": world.clinician_id, "reported_on": date(2026, 3, 16)}
    done = {"status": "FINAL", "finished_at": now, "shared_at": now} if final else {}
    report = ProgressReport(id=new_id(), created_at=now, **common, **done)
    sections = tuple(
        Section(section.key, section.title, SECTIONS[section.key]) for section in DEFAULT_TEMPLATES["PROGRESS_REPORT"]
    )
    saved = {"report_id": report.id, "written_at": now, "written_by_id": world.clinician_id}
    versions = [ProgressReportVersion(id=new_id(), number=number, **saved) for number in (1, 2)]
    with world.practice.work() as work:
        for version in versions:
            text = canonical_json(Content(sections, salt=f"{version.number:032}"))
            version.content = work.seal("progress_report_versions", "content", version.id, text)
    put(world.practice, report, *versions)
    return report.id


def make_draft(world: World, _role: str | None) -> dict[str, Any]:
    return {"report_id": make_report(world, final=False)}


def make_shared(world: World, _role: str | None) -> dict[str, Any]:
    return {"report_id": make_report(world, final=True)}


def make_last_version(world: World, role: str | None) -> dict[str, Any]:
    return make_shared(world, role) | {"number": 2}


def pick_client(world: World, _role: str | None) -> dict[str, Any]:
    return {"client_id": world.client_id}


def build_report(world: World, _role: str | None) -> dict[str, Any]:
    return {"client_id": str(world.client_id), "sections": SECTIONS}


SAMPLE_REQUESTS = {
    "list_progress_reports": SampleRequest(READERS, headers=WHY),
    "begin_progress_report": SampleRequest({"clinician"}, body=build_report),
    "search_progress_reports": SampleRequest(
        READERS, body=lambda _world, _role: {"query": "as it should"}, headers=WHY
    ),
    "print_progress_report": SampleRequest(READERS, make_shared, headers=WHY),
    "get_progress_report": SampleRequest(READERS, make_shared, headers=WHY),
    "save_progress_report": SampleRequest(
        {"clinician"}, make_draft, lambda _world, _role: {"sections": SECTIONS}, ("progress_reports", "report_id")
    ),
    "void_progress_report": SampleRequest({"clinician"}, make_draft, body=send_reason),
    "finish_progress_report": SampleRequest({"clinician"}, make_draft),
    "share_progress_report": SampleRequest({"clinician"}, make_shared),
    "unshare_progress_report": SampleRequest({"clinician"}, make_shared),
    "list_progress_report_versions": SampleRequest(READERS, make_shared, headers=WHY),
    "get_progress_report_version": SampleRequest(READERS, make_last_version, headers=WHY),
    "compare_progress_reports": SampleRequest(READERS, make_shared, headers=WHY),
    "list_client_progress_reports": SampleRequest(READERS, pick_client, headers=WHY),
}
