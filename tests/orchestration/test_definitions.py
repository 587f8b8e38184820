"""The graph, and runs in this process: which practices they refresh, and what they report."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import dagster as dg
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from orchestration import definitions, runs
from orchestration.definitions import CHECKS, PUBLISHED, Place
from practice.analytics.refreshes import REFRESH_AFTER, list_stale_practices
from practice.security.installation import Installation
from practice.store.ids import new_id
from tests.support.builders.bundles import import_practice, load_sample_rows, make_unique, write_folder
from tests.support.builders.people import make_practice, sign_in
from warehouse.refresh import refresh_practice
from warehouse.statements import load_models, load_statements

EVERYTHING = definitions.definitions.resolve_job_def("refresh")
STALE = definitions.definitions.resolve_job_def("refresh_stale")


def run_job(place: Place, instance: dg.DagsterInstance, job: dg.JobDefinition = STALE) -> dg.ExecuteInProcessResult:
    return job.execute_in_process(instance=instance, resources={"place": place})


def look(place: Place, instance: dg.DagsterInstance) -> dg.RunRequest | dg.SkipReason:
    """Evaluate the sensor."""
    context = dg.build_sensor_context(instance, resources={"place": place})
    answer = definitions.stale_practices(context)
    assert isinstance(answer, dg.RunRequest | dg.SkipReason)
    return answer


def import_oak_street(installation: Installation, folder: Path) -> UUID:
    return import_practice(installation, write_folder(folder, make_unique(load_sample_rows()))).practice.id


def read_instants(place: Place, practice_ids: list[UUID]) -> list[datetime]:
    """Return as of when the published values of each practice are."""
    instants = []
    for practice_id in practice_ids:
        with place.store.begin_session(practice_id) as db:
            instants.append(db.scalar(text("select as_of from analytics.refreshes where is_current")))
    return instants


def test_the_assets_are_the_models_with_what_they_read() -> None:
    graph = definitions.definitions.resolve_asset_graph()
    models = {model.name: model for model in load_models()}
    assert {key.to_user_string() for key in graph.get_all_asset_keys()} == set(models)
    assert {statement.name for statement in load_statements("duckdb")} <= set(models)
    for name, model in models.items():
        node = graph.get(dg.AssetKey(name))
        assert {key.to_user_string() for key in node.parent_keys} == set(model.reads)
        assert node.group_name == model.folder
        assert node.description, name
    assert {model.folder for model in models.values()} >= {"staging", "facts", "metrics", "values"}
    assert "appointments" in models["kept_visit_rate"].reads
    assert models["metric_cells"].reads


def test_a_run_refreshes_every_practice_and_shows_no_names(
    own_installation: Installation, place: Place, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    practice_ids = [import_oak_street(own_installation, tmp_path / name) for name in ("one", "two")]
    result = run_job(place, instance, EVERYTHING)
    assert all(read_instants(place, practice_ids))
    assert {event.asset_key for event in result.get_asset_materialization_events()} == set(
        definitions.definitions.resolve_asset_graph().get_all_asset_keys()
    )
    assert {check.check_name: check.passed for check in result.get_asset_check_evaluations()} == dict.fromkeys(
        CHECKS, True
    )
    metadata = read_metadata(instance)
    assert (metadata["practices_refreshed"], metadata["practices_failed"]) == (2, 0)
    assert metadata["rows"] > 0
    with place.store.begin_session(practice_ids[0]) as db:
        names = db.scalars(
            text("select last_name from clients union select email from staff union select name from practices")
        )
        written = json.dumps([entry.to_json() for entry in instance.all_logs(result.run_id)])
        assert [name for name in names if name in written] == []


def read_metadata(instance: dg.DagsterInstance) -> dict[str, object]:
    event = instance.get_latest_materialization_event(PUBLISHED)
    assert event is not None
    assert event.asset_materialization is not None
    return {key: value.value for key, value in event.asset_materialization.metadata.items()}


def test_a_practice_that_fails_is_reported_and_left_out(
    own_installation: Installation, place: Place, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    broken, whole = [import_oak_street(own_installation, tmp_path / name) for name in ("one", "two")]
    for practice_id in (broken, whole):
        earlier = datetime.now(UTC) - REFRESH_AFTER
        refresh_practice(place.store, place.warehouse, practice_id, earlier, "duckdb", lambda _: None)
    before = read_instants(place, [broken, whole])
    folder = place.warehouse / broken.hex
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()
    folder.write_text("not a folder")
    result = run_job(place, instance)
    after = read_instants(place, [broken, whole])
    assert after[0] == before[0], "it keeps the values of its last refresh"
    assert after[1] > before[1]
    metadata = read_metadata(instance)
    assert (metadata["practices_refreshed"], metadata["practices_failed"]) == (1, 1)
    checks = {check.check_name: check for check in result.get_asset_check_evaluations()}
    assert not checks["every_practice_is_fresh"].passed
    assert checks["every_practice_is_fresh"].metadata["concerned"].value == [str(broken)]
    assert checks["every_entity_exists"].passed


def test_checks_find_values_of_nobody_and_metrics_without_values(
    own_installation: Installation, place: Place, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    practice_id = import_oak_street(own_installation, tmp_path / "one")
    run_job(place, instance)
    with place.store.begin_session(practice_id) as db:
        db.execute(
            text("update analytics.metric_cells set entity_id = :id where entity_kind = 'team'"), {"id": new_id()}
        )
        db.execute(text("update analytics.metric_cells set statuses = '-' || substr(statuses, 2)"))
        db.execute(text("update analytics.refreshes set as_of = as_of - interval '3 hours'"))
    values = definitions.check_published_values(place.store, [practice_id], datetime.now(UTC))
    assert [check.passed for check in definitions.report_checks({}, values)] == [False] * 3
    assert len(values[0].missing_metrics) == 1


def test_a_change_through_the_api_asks_for_a_run_and_reading_does_not(
    own_client: TestClient,
    own_installation: Installation,
    place: Place,
    instance: dg.DagsterInstance,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = datetime.now(UTC)
    own_client.app.state.clock = lambda: now
    practice = make_practice(own_installation, now=now)
    headers = {
        "Authorization": f"Bearer {sign_in(own_installation, practice.admin.account_id, practice.id, now).access}"
    }
    assert isinstance(look(place, instance), dg.RunRequest), "it never had a refresh"
    run_job(place, instance)
    assert isinstance(look(place, instance), dg.SkipReason), "at most every five minutes"
    monkeypatch.setattr(runs, "AT_MOST_EVERY", timedelta())
    assert isinstance(look(place, instance), dg.SkipReason), "nothing changed"
    assert own_client.get("/api/v1/clients", headers=headers).status_code == 200
    assert isinstance(look(place, instance), dg.SkipReason), "reading changes nothing"
    change = {"value": 60, "effective_on": f"{now.date() + timedelta(days=9)}"}
    assert own_client.post("/api/v1/settings/hipaa_grace_days", json=change, headers=headers).status_code == 201
    assert isinstance(request := look(place, instance), dg.RunRequest)
    assert request.run_key is None
    run_job(place, instance)
    assert isinstance(look(place, instance), dg.SkipReason)
    assert list_stale_practices(place.store, now + timedelta(minutes=59)) == []
    assert list_stale_practices(place.store, now + timedelta(minutes=61)) == [practice.id], "days and deadlines pass"


def test_a_change_that_is_committed_while_a_refresh_reads_is_not_missed(
    own_installation: Installation, place: Place, instance: dg.DagsterInstance
) -> None:
    """Its moment is before that of the refresh, and its commit after the refresh has read."""
    now = datetime.now(UTC)
    practice = make_practice(own_installation, now=now)
    with practice.work(now=now) as work:
        work.db.execute(text("update staff set discipline = 'PSYCHIATRY'"))
        run_job(place, instance)
        assert list_stale_practices(place.store, datetime.now(UTC)) == []
    assert list_stale_practices(place.store, datetime.now(UTC)) == [practice.id]


def test_no_run_is_asked_for_while_one_is_on_its_way(
    place: Place, instance: dg.DagsterInstance, own_installation: Installation
) -> None:
    make_practice(own_installation, now=datetime.now(UTC))
    run = instance.create_run_for_job(STALE, status=dg.DagsterRunStatus.STARTED)
    assert isinstance(answer := look(place, instance), dg.SkipReason)
    assert answer.skip_message == "A refresh is on its way."
    instance.report_run_failed(run)
    assert isinstance(look(place, instance), dg.SkipReason)
    assert runs.find_obstacle(instance, datetime.now(UTC) + timedelta(seconds=31)) is None


def test_the_nightly_run_deletes_the_records_of_old_runs(place: Place, instance: dg.DagsterInstance) -> None:
    run = instance.create_run_for_job(STALE, status=dg.DagsterRunStatus.SUCCESS)
    runs.delete_old_runs(instance, datetime.now(UTC) + timedelta(days=2))
    assert instance.has_run(run.run_id)
    runs.delete_old_runs(instance, datetime.now(UTC) + timedelta(days=4))
    assert not instance.has_run(run.run_id)
