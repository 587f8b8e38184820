"""Sample requests of metrics."""

from datetime import UTC, datetime

from practice.analytics.errors import NoRefresh
from practice.analytics.values import get_refresh
from tests.support.drivers.operations import SampleRequest, World
from warehouse.refresh import refresh_practice

EVERYBODY = {"admin", "supervisor", "clinician", "scheduler", "biller", "analyst"}


def refresh(world: World) -> None:
    """Publish values of the world's practice, unless that was done before."""
    practice = world.practice
    with practice.work() as work:
        try:
            get_refresh(work)
            return
        except NoRefresh:
            pass
    folder = practice.installation.settings.warehouse
    refresh_practice(practice.installation.store, folder, practice.id, datetime.now(UTC), "duckdb", lambda _: None)


def choose_metric(_world: World, role: str | None) -> dict[str, str]:
    """Return a metric that the role may see."""
    return {"metric": "denial_rate" if role == "biller" else "avg_lead_time_days"}


def choose_month(world: World) -> dict[str, str]:
    refresh(world)
    return {"start": world.practice.now.date().replace(day=1).isoformat()}


def choose_clinicians(world: World) -> dict[str, str]:
    refresh(world)
    return {"entity_kind": "clinician"}


SAMPLE_REQUESTS = {
    "list_metrics": SampleRequest(EVERYBODY),
    "list_metric_values": SampleRequest(EVERYBODY, query=choose_clinicians),
    "get_live_values": SampleRequest({"admin", "supervisor", "clinician", "analyst"}),
    "list_rows": SampleRequest(EVERYBODY - {"analyst"}, choose_metric, query=choose_month),
}
