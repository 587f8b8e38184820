"""`caseload refresh` and `caseload metrics` on the command line."""

from pathlib import Path

import pytest

from practice.people.practices import find_practice
from practice.security.installation import open_installation
from practice.settings import Settings
from tests.support.builders.bundles import OAK_STREET, load_sample_rows, write_folder
from tests.support.drivers.commands import RunCommand
from warehouse.refresh import lock_practice

OCTOBER = ("--from", "2025-10-01", "--to", "2025-10-31")


def test_values_are_shown_with_names_and_their_age_after_a_refresh(run: RunCommand) -> None:
    run("import", OAK_STREET)
    metrics = ("metrics", "oak-street-practice", *OCTOBER, "--metric", "kept_visit_rate")
    before = run(*metrics)
    assert (before.code, before.out) == (1, "")
    assert "Run `caseload refresh`" in before.err
    assert run("refresh", "oak-street-practice").out == "Refreshed Oak Street Practice.\n"
    shown = run(*metrics)
    assert "Cleo" in shown.out
    assert "As of " in shown.out
    (practice,) = run(*metrics, "--entity", "practice", "--json").json
    assert practice == {
        "metric_key": "kept_visit_rate",
        "entity_kind": "practice",
        "entity_id": "",
        "period_kind": "month",
        "period_start": "2025-10-01",
        "numerator": 2.0,
        "denominator": 4.0,
        "value": 50.0,
        "status": "alert",
    }


def test_values_as_of_an_instant_need_no_refresh_and_publish_nothing(run: RunCommand) -> None:
    run("import", OAK_STREET)
    metrics = ("metrics", "oak-street-practice", *OCTOBER, "--entity", "clinician", "--metric", "kept_visit_rate")
    by_engine = [
        run(*metrics, "--as-of", "2025-10-20T12:00:00Z", "--engine", engine, "--json").json
        for engine in ("duckdb", "postgres")
    ]
    assert by_engine[0] == by_engine[1]
    assert {value["entity_id"] for value in by_engine[0]} == {"BOS", "CLI"}
    assert sum(value["denominator"] for value in by_engine[0]) > 0
    assert run(*metrics).code == 1, "something was published"


def test_a_refresh_as_of_an_instant_is_a_file_aside(run: RunCommand) -> None:
    run("import", OAK_STREET)
    assert run("refresh", "oak-street-practice", "--full").out == "Refreshed Oak Street Practice.\n"
    metrics = ("metrics", "oak-street-practice", *OCTOBER, "--json")
    published = run(*metrics).json
    for engine in ("duckdb", "postgres"):
        built = run("refresh", "oak-street-practice", "--as-of", "2025-10-20T12:00:00Z", "--engine", engine)
        assert built.out.startswith("Computed Oak Street Practice as of 2025-10-20 12:00:00 UTC")
        assert built.out.endswith(" Its published values stay as they are.\n")
    (file,) = Settings().warehouse.glob("*/as_of_20251020T120000Z.duckdb")
    assert file.stat().st_mode & 0o077 == 0 or file.parent.stat().st_mode & 0o777 == 0o700
    assert run(*metrics).json == published
    refused = run("refresh", "oak-street-practice", "--as-of", "yesterday")
    assert (refused.code, "Invalid instant" in refused.err) == (1, True)


def test_the_other_engine_needs_a_login_of_its_own_on_a_server(
    run: RunCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the owner's login, row-level security would hide every record, and zeros would be published."""
    run("import", OAK_STREET)
    monkeypatch.delenv("DATABASE_WAREHOUSE_URL")
    refused = run("refresh", "oak-street-practice", "--engine", "postgres")
    assert refused.code == 1
    assert "DATABASE_WAREHOUSE_URL is missing" in refused.err
    assert run("metrics", "oak-street-practice").code == 1, "something was published"


def test_a_practice_that_fails_does_not_keep_the_others_waiting(run: RunCommand, tmp_path: Path) -> None:
    run("import", OAK_STREET)
    rows = load_sample_rows()
    rows["practice"][0]["name"] = "Elm Street"
    run("import", write_folder(tmp_path / "elm", rows))
    installation = open_installation(Settings(), pool_size=1)
    with installation.store.begin_system_session() as db:
        elm_id = find_practice(db, "elm-street").id
    with lock_practice(installation.store, elm_id):
        result = run("refresh")
    installation.store.close()
    assert (result.code, result.out) == (1, "Refreshed Oak Street Practice.\n")
    assert "Elm Street keeps the values of its last refresh. Another refresh of this practice is running." in result.err


def test_wrong_arguments_are_refused_in_words(run: RunCommand) -> None:
    run("import", OAK_STREET)
    unknown = run("metrics", "oak-street-practice", "--metric", "happiness")
    assert unknown.code == 1
    assert "Unknown metric: 'happiness'. Use one of these: avg_documentation_hours," in unknown.err
    for instant in ("yesterday", "2026-03-18", "0001-01-01T00:00:00Z", "9999-12-31T00:00:00Z"):
        refused = run("metrics", "oak-street-practice", "--as-of", instant)
        assert (refused.code, refused.out) == (1, "")
        assert "Invalid instant" in refused.err
    assert run("refresh", "nowhere").code == 1
    assert run("metrics", "oak-street-practice", "--period", "year").code == 2
