"""The metric dictionary as rows, written from the dbt project's manifest for use without dbt."""

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from warehouse.dbt_build import call_dbt

FIELDS = (
    *("label", "category", "owner", "direction", "unit", "value", "decimals", "numerator_scale", "denominator_scale"),
    *("entities", "periods", "target_at_least", "target_at_most", "target_below", "alert_below", "alert_above"),
    *("target_setting", "divisor", "action", "shape", "fact", "date", "among", "numerator", "denominator"),
)


def read_dictionary() -> list[dict[str, Any]]:
    """Parse the dbt project, and return its metrics sorted by key."""
    with TemporaryDirectory() as folder:
        call_dbt(("parse",), "duckdb", Path(folder), {})
        manifest = json.loads((Path(folder) / "dbt-duckdb" / "manifest.json").read_text())
    metrics = [
        {"key": node["name"], "formula": node["description"]}
        | {field: node["config"]["meta"][field] for field in FIELDS if field in node["config"]["meta"]}
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and node["path"].startswith("metrics/")
    ]
    return sorted(metrics, key=lambda metric: metric["key"])


def format_dictionary() -> str:
    return json.dumps(read_dictionary(), indent=1) + "\n"


if __name__ == "__main__":
    sys.stdout.write(format_dictionary())
