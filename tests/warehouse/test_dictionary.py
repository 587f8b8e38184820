"""The metric dictionary: stored as the dbt project defines it, complete, and each definition short."""

from practice.metric_dictionary import METRICS
from warehouse.compilation import PROJECT, list_files

METRIC_LINES, MODEL_LINES = 12, 120


def test_the_stored_sql_and_dictionary_are_those_of_the_project() -> None:
    different = [file.name for file, content in list_files().items() if file.read_text() != content]
    assert different == [], "run `make warehouse`"


def test_every_metric_says_what_it_is_and_what_an_alert_asks_for() -> None:
    assert len(METRICS) == 43
    for metric in METRICS.values():
        assert metric.label, metric.key
        assert metric.formula.endswith("."), metric.key
        assert metric.owner in ("clinician", "supervisor", "front_desk", "biller", "admin"), metric.key
        has_alert = metric.alert_below is not None or metric.alert_above is not None
        assert not has_alert or metric.action.endswith("."), metric.key


def test_definitions_are_short() -> None:
    models = list((PROJECT / "models").rglob("*.sql"))
    lines = {file.stem: len(file.read_text().splitlines()) for file in models}
    assert {name: count for name, count in lines.items() if count > MODEL_LINES} == {}
    metrics = {file.stem for file in models if file.parent.name in ("metrics", "measures")}
    assert {name: lines[name] for name in metrics if lines[name] > METRIC_LINES} == {}


def test_only_one_file_asks_which_engine_runs() -> None:
    asking = {
        file.name
        for file in PROJECT.rglob("*.sql")
        if "target" not in str(file.relative_to(PROJECT))
        and any(word in file.read_text() for word in ("target.type", "duckdb__", "postgres__"))
    }
    assert asking == {"engine.sql"}


def test_the_project_is_not_a_python_package() -> None:
    assert not (PROJECT / "__init__.py").exists(), "it would hide the dbt package"
