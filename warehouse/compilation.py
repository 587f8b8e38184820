"""The dbt project as it is run: the SQL of each engine and the metric dictionary, written by `make warehouse`.

Nothing else calls dbt. Its own start takes longer than a refresh of most practices.
"""

import json
import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

PROJECT = Path(__file__).resolve().parent.parent / "dbt"
SCHEMAS = {
    "duckdb": {'"warehouse"."analytics".': "{schema}.", '"warehouse"."records".': "records."},
    "postgres": {'"caseload"."warehouse".': "{schema}.", '"caseload"."public".': "public."},
}
"""What dbt writes before the name of a relation, and what we run."""

FIELDS = (
    *("label", "category", "owner", "direction", "unit", "value", "decimals", "numerator_scale", "denominator_scale"),
    *("entities", "periods", "target_at_least", "target_at_most", "target_below", "alert_below", "alert_above"),
    *("target_setting", "divisor", "action", "shape", "fact", "date", "among", "numerator", "denominator"),
    *("late_sums", "window", "row_kind", "counted", "not_counted"),
)
Node = dict[str, Any]
TARGET_SIGNS = {"target_at_least": "≥", "target_at_most": "≤", "target_below": "<"}
ALERT_SIGNS = {"alert_below": "<", "alert_above": ">"}
PAGE_HEAD = """# Metrics

Made by `make warehouse` from the files in `dbt/models/metrics/`. Each benchmark, alert threshold and window is the
default of a setting of the practice (`<metric>_target_at_least` and so on; windows by their own names). The one in
force on the last day of a period counts. `caseload metrics PRACTICE --metric KEY --rows` shows the records."""


def compile_project(engine: str) -> dict[str, Node]:
    """Compile the project for an engine, and return its models by their ids. Needs no database."""
    with TemporaryDirectory() as folder:
        process = subprocess.run(  # noqa: S603 - the arguments are ours
            [
                *(sys.executable, "-c", "from dbt.cli.main import cli; cli()", "--quiet", "compile"),
                *("--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT), "--target", engine),
                *("--target-path", folder, "--log-path", folder, "--no-introspect", "--no-populate-cache"),
            ],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        if process.returncode:
            raise SystemExit(f"dbt cannot compile the project:\n{process.stdout}{process.stderr}")
        manifest = json.loads((Path(folder) / "manifest.json").read_text())
    return {key: node for key, node in manifest["nodes"].items() if node["resource_type"] == "model"}


def format_sql(engine: str, nodes: dict[str, Node]) -> str:
    """Return the statements of an engine in the order in which they run."""
    parts = []
    for node in sort_by_dependency(nodes):
        kind = node["config"]["materialized"]
        if kind != "ephemeral":
            sql = node["compiled_code"].strip()
            for written, ours in SCHEMAS[engine].items():
                sql = sql.replace(written, ours)
            lines = [line.rstrip() for line in sql.splitlines() if line.strip() and "-- depends_on:" not in line]
            parts.append(f"-- {kind} {node['name']}\n" + "\n".join(lines) + "\n")
    return "\n".join(parts)


def sort_by_dependency(nodes: dict[str, Node]) -> list[Node]:
    """Return the models so that each follows those it reads, in a stable order."""
    ordered: dict[str, Node] = {}

    def add(key: str) -> None:
        if key in nodes and key not in ordered:
            for parent in sorted(nodes[key]["depends_on"]["nodes"]):
                add(parent)
            ordered[key] = nodes[key]

    for key in sorted(nodes):
        add(key)
    return list(ordered.values())


def format_dictionary(nodes: dict[str, Node]) -> str:
    """Return the metrics as JSON, sorted by key."""
    metrics = [
        {"key": node["name"], "formula": node["description"]}
        | {field: node["config"]["meta"][field] for field in FIELDS if field in node["config"]["meta"]}
        for node in nodes.values()
        if node["path"].startswith("metrics/")
    ]
    return json.dumps(sorted(metrics, key=lambda metric: metric["key"]), indent=1) + "\n"


def format_models(nodes: dict[str, Node]) -> str:
    """Return the models as JSON, in the order in which they run: folder, description and the models that they read."""
    models = [
        {
            "name": node["name"],
            "folder": Path(node["path"]).parts[0],
            "description": node["description"] or read_comment(node["raw_code"]),
            "reads": sorted(nodes[key]["name"] for key in node["depends_on"]["nodes"] if key in nodes),
        }
        for node in sort_by_dependency(nodes)
    ]
    return json.dumps(models, indent=1) + "\n"


def read_comment(sql: str) -> str:
    """Return the comment with which a model begins, or nothing."""
    comment = re.search(r"(^-- .+\n)+", sql, re.MULTILINE)
    return " ".join(line.removeprefix("-- ") for line in comment[0].splitlines()) if comment else ""


def format_page(nodes: dict[str, Node]) -> str:
    """Return the metrics as a page for people, by category."""
    metrics = sorted(
        (node for node in nodes.values() if node["path"].startswith("metrics/")), key=lambda node: node["name"]
    )
    lines = [PAGE_HEAD]
    for category in sorted({node["config"]["meta"]["category"] for node in metrics}):
        lines.append(f"\n## {category.replace('_', ' ').capitalize()}\n")
        lines.append(
            "| metric | definition | benchmark | alert | window | an alert asks to |\n|---|---|---|---|---|---|"
        )
        for node in metrics:
            meta = node["config"]["meta"]
            if meta["category"] == category:
                bounds = [
                    ", ".join(f"{sign} {meta[name]}" for name, sign in names.items() if name in meta)
                    for names in (TARGET_SIGNS, ALERT_SIGNS)
                ]
                window = f"`{meta['window']}`" if "window" in meta else ""
                cells = (f"`{node['name']}`", node["description"], *bounds, window, meta.get("action", ""))
                lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def list_files() -> dict[Path, str]:
    """Return the files that are made of the project, with what they must contain."""
    nodes = {engine: compile_project(engine) for engine in SCHEMAS}
    here = Path(__file__).resolve().parent
    files = {here / "compiled" / f"{engine}.sql": format_sql(engine, nodes[engine]) for engine in SCHEMAS}
    files[here / "compiled" / "models.json"] = format_models(nodes["duckdb"])
    root = here.parent
    files[root / "practice" / "metric_dictionary.json"] = format_dictionary(nodes["duckdb"])
    return files | {root / "docs" / "metrics.md": format_page(nodes["duckdb"])}


if __name__ == "__main__":
    for file, content in list_files().items():
        file.write_text(content)
