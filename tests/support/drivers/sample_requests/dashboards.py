"""Sample requests of the dashboards' pages."""

from tests.support.drivers.operations import SampleRequest, World


def choose_week(_: World) -> dict[str, str]:
    return {"week": "2026-02-01"}  # the closed weeks of other requests pay sessions without a rate


SAMPLE_REQUESTS = {
    "get_my_practice": SampleRequest({"clinician"}),
    "get_team": SampleRequest({"supervisor"}),
    "get_overview": SampleRequest({"admin"}),
    "get_schedule": SampleRequest({"admin", "scheduler"}),
    "get_payroll": SampleRequest({"admin", "biller"}, query=choose_week),
}
