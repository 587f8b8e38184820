"""A metric of a shape that exists needs two files and nothing else."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

from tests.support.builders.bundles import OAK_STREET

ROOT = Path(__file__).parents[2]
PACKAGES = ("api", "caseload", "dbt", "docs", "edi", "ingest", "practice", "warehouse")
SQL = """{{ dated_metric(
    fact='appointments',
    among='completed',
    counting='telehealth'
) }}
"""
YML = """version: 2
models:
  - name: telehealth_rate
    description: Completed telehealth appointments / completed appointments.
    config:
      meta:
        label: Telehealth rate
        category: schedule
        owner: admin
        direction: higher
        counted: by telehealth
        not_counted: in person
        unit: percent
        target_at_least: 20
        alert_below: 10
        action: Offer telehealth.
"""
SHOW_IN_API = """
from api.metrics import MetricOut
from practice.metric_dictionary import METRICS
from practice.rule_settings import PARAMETERS
settings = {key: parameter.default for key, parameter in PARAMETERS.items()}
print(MetricOut.of(METRICS["telehealth_rate"], settings).model_dump_json())
"""


def run(copy: Path, *arguments: str) -> str:
    """Run Python in the copy, and return its output."""
    process = subprocess.run([sys.executable, *arguments], cwd=copy, capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stdout + process.stderr
    return process.stdout


def test_two_files_make_a_metric_on_both_engines_and_everywhere(tmp_path: Path, environment: Path) -> None:
    copy = tmp_path / "copy"
    for package in PACKAGES:
        shutil.copytree(ROOT / package, copy / package, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "dbt" / "models" / "metrics" / "telehealth_rate.sql").write_text(SQL)
    (copy / "dbt" / "models" / "metrics" / "telehealth_rate.yml").write_text(YML)
    run(copy, "-m", "warehouse.compilation")
    assert "| `telehealth_rate` |" in (copy / "docs" / "metrics.md").read_text()
    assert json.loads(run(copy, "-c", SHOW_IN_API))["bounds"] == {"target_at_least": 20, "alert_below": 10}
    caseload = ("-c", "from caseload.main import run; run()")
    run(copy, *caseload, "import", str(OAK_STREET))
    published = {}
    october = ("--from", "2025-10-01", "--to", "2025-10-31")
    metrics = ("metrics", "oak-street-practice", "--metric", "telehealth_rate", *october)
    for engine in ("duckdb", "postgres"):
        run(copy, *caseload, "refresh", "--engine", engine)
        published[engine] = json.loads(run(copy, *caseload, *metrics, "--json"))
    assert published["duckdb"] == published["postgres"]
    (practice,) = [value for value in published["duckdb"] if value["entity_kind"] == "practice"]
    rows = json.loads(run(copy, *caseload, *metrics, "--entity", "practice", "--rows", "--json"))
    assert (practice["numerator"], practice["denominator"]) == (
        sum(row["numerator"] for row in rows),
        sum(row["denominator"] for row in rows),
    )
    assert {row["reason"] for row in rows} <= {"by telehealth", "in person"}
    shown = json.loads(run(copy, *caseload, "settings", "show", "oak-street-practice", "--json"))
    assert {"telehealth_rate_target_at_least", "telehealth_rate_alert_below"} <= {item["key"] for item in shown}
