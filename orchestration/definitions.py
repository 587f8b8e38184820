"""The code location: the models of the warehouse as assets, the job that refreshes them, and when it runs."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

import dagster as dg

from orchestration.runs import delete_old_runs, find_obstacle, open_instance
from practice.analytics.published import PublishedValues, check_published_values
from practice.analytics.refreshes import REFRESH_AFTER, list_active_practices, list_stale_practices
from practice.security.installation import open_store
from practice.settings import Settings
from practice.store.store import Store
from warehouse.refresh import Outcome, refresh_each
from warehouse.statements import load_models

PUBLISHED = dg.AssetKey("metric_cells")
WARN_AFTER, FAIL_AFTER = REFRESH_AFTER + timedelta(minutes=30), REFRESH_AFTER + timedelta(hours=2)
LOOK_EVERY = 15  # seconds
RunEvents = Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]


class Place(NamedTuple):
    """Where the records are, and the folder of the warehouse files."""

    store: Store
    warehouse: Path


class RefreshConfig(dg.Config):
    only_stale: bool = False


def open_place() -> Place:
    settings = Settings()
    return Place(open_store(settings, pool_size=1), settings.warehouse)


def build_specs() -> list[dg.AssetSpec]:
    """Return an asset for each model, in the order in which they run. The published values may reach a certain age."""
    freshness = dg.FreshnessPolicy.time_window(fail_window=FAIL_AFTER, warn_window=WARN_AFTER)
    return [
        dg.AssetSpec(
            key=model.name,
            deps=model.reads,
            group_name=model.folder,
            description=model.description or f"Computed from {', '.join(model.reads)}",
            freshness_policy=freshness if PUBLISHED.path == [model.name] else None,
        )
        for model in load_models()
    ]


SPECS = build_specs()
CHECKS = {
    "every_practice_is_fresh": "No practice failed in this run, and none has values older than two hours.",
    "every_entity_exists": "Values belong to the practice itself or to somebody of its staff.",
    "every_metric_has_values": "Each metric of a practice is in the values of its last month.",
}


@dg.multi_asset(
    name="refresh_metrics",
    specs=SPECS,
    check_specs=[dg.AssetCheckSpec(name, asset=PUBLISHED, description=text) for name, text in CHECKS.items()],
    can_subset=True,
)
def refresh_metrics(
    context: dg.AssetExecutionContext, config: RefreshConfig, place: dg.ResourceParam[Place]
) -> RunEvents:
    """Refresh all practices from all records, or those whose values are out of date from what changed.

    One that fails does not stop the others. Every model is brought up to date in each run, which reports those that it
    is for.
    """
    list_practices = list_stale_practices if config.only_stale else list_all
    practices, full = list_practices(place.store, now()), not config.only_stale
    outcomes = refresh_each(place.store, place.warehouse, practices, now, context.log.info, full=full)
    failed = {str(outcome.practice_id): outcome.failure for outcome in outcomes if outcome.failure}
    for practice_id, failure in failed.items():
        context.log.error(f"Practice {practice_id} keeps the values of its last refresh ({failure}).")
    for spec in SPECS:
        if spec.key not in context.selected_asset_keys:
            continue
        metadata = summarize(outcomes) if spec.key == PUBLISHED else None
        yield dg.MaterializeResult(asset_key=spec.key, metadata=metadata)
    values = check_published_values(place.store, list_active_practices(place.store), now())
    yield from report_checks(failed, values)


def list_all(store: Store, _: datetime) -> list[UUID]:
    return list(list_active_practices(store))


def now() -> datetime:
    return datetime.now(UTC)


def summarize(outcomes: list[Outcome]) -> dict[str, float]:
    """Return the numbers of a run."""
    return {
        "practices_refreshed": sum(not outcome.failure for outcome in outcomes),
        "practices_failed": sum(bool(outcome.failure) for outcome in outcomes),
        "rows": sum(outcome.rows for outcome in outcomes),
        "seconds": round(sum(outcome.seconds for outcome in outcomes), 2),
    }


def report_checks(failed: dict[str, str], values: list[PublishedValues]) -> Iterator[dg.AssetCheckResult]:
    """Yield the result of each check, with the practices that it concerns."""
    concerned = {
        "every_practice_is_fresh": {*failed, *(str(value.practice_id) for value in values if value.outdated)},
        "every_entity_exists": {str(value.practice_id) for value in values if value.unknown_entities},
        "every_metric_has_values": {str(value.practice_id) for value in values if value.missing_metrics},
    }
    for name, practice_ids in concerned.items():
        metadata = {"practices": len(values), "concerned": sorted(practice_ids)}
        yield dg.AssetCheckResult(check_name=name, asset_key=PUBLISHED, passed=not practice_ids, metadata=metadata)


refresh = dg.define_asset_job("refresh", selection=dg.AssetSelection.all(), executor_def=dg.in_process_executor)
refresh_stale = dg.define_asset_job(
    "refresh_stale",
    # Dagster takes longer to write hundreds of events than we to refresh a small practice
    selection=dg.AssetSelection.assets(PUBLISHED),
    config={"ops": {refresh_metrics.op.name: {"config": {"only_stale": True}}}},
    executor_def=dg.in_process_executor,
)


@dg.sensor(job=refresh_stale, minimum_interval_seconds=LOOK_EVERY, default_status=dg.DefaultSensorStatus.RUNNING)
def stale_practices(
    context: dg.SensorEvaluationContext, place: dg.ResourceParam[Place]
) -> dg.RunRequest | dg.SkipReason:
    """Look at the records, and ask for a refresh of the practices whose values are out of date."""
    obstacle = find_obstacle(context.instance, now())
    if obstacle:
        return dg.SkipReason(obstacle)
    if not list_stale_practices(place.store, now()):
        return dg.SkipReason("The values of all practices are up to date.")
    # without a run key, which would also prevent that a failed run is asked for again
    return dg.RunRequest()


@dg.schedule(
    job=refresh,
    cron_schedule="0 2 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
)
def nightly(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    """Refresh every practice from all of its records, changed or not, and delete the records of old runs."""
    delete_old_runs(context.instance, now())
    return dg.RunRequest()


def refresh_at_once(database_url: str, place: Place) -> bool:
    """Refresh all practices in a run of this process, recorded like any other, and return whether it succeeded."""
    with open_instance(database_url) as instance:
        job = definitions.resolve_job_def(refresh.name)
        return job.execute_in_process(instance=instance, resources={"place": place}, raise_on_error=False).success


definitions = dg.Definitions(
    assets=[refresh_metrics],
    jobs=[refresh, refresh_stale],
    sensors=[stale_practices],
    schedules=[nightly],
    resources={"place": open_place()},
    executor=dg.in_process_executor,
)
