"""Sample requests of the dashboards' pages."""

from tests.support.drivers.operations import SampleRequest, World
from tests.support.drivers.sample_requests.notes import make_new_note


def choose_week(_: World) -> dict[str, str]:
    return {"week": "2026-02-01"}  # the closed weeks of other requests pay sessions without a rate


def remind_of_training(world: World, _: str | None) -> dict[str, str]:
    """Return a check that is due: nobody in the world has a training yet."""
    return {"check": "hipaa_training", "subject_id": str(world.spare.staff_id)}


def choose_note(world: World) -> dict[str, str]:
    return {"note_id": str(make_new_note(world, "SIGNED"))}


def choose_client(world: World) -> dict[str, str]:
    return {"client_id": str(world.client_id)}


SAMPLE_REQUESTS = {
    "get_my_practice": SampleRequest({"clinician"}),
    "get_team": SampleRequest({"supervisor"}),
    "get_note_pad": SampleRequest({"supervisor", "clinician"}, query=choose_note),
    "get_client_page": SampleRequest({"admin", "supervisor", "clinician"}, query=choose_client),
    "get_overview": SampleRequest({"admin"}),
    "get_schedule": SampleRequest({"admin", "scheduler"}),
    "get_compliance": SampleRequest({"admin", "supervisor", "clinician"}),
    "send_compliance_reminders": SampleRequest({"admin", "supervisor"}, body=remind_of_training),
    "get_data_quality": SampleRequest({"admin"}),
    "get_payroll": SampleRequest({"admin", "biller"}, query=choose_week),
    "get_reports_page": SampleRequest({"admin", "supervisor", "clinician", "biller"}),
}
