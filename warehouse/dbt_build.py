"""Calls of dbt, each in a process of its own: dbt keeps global state."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from practice.errors import StoreProblem

PROJECT = Path(__file__).resolve().parent.parent / "dbt"
PARSED = "partial_parse.msgpack"
RUN = (  # metrics and measures have no relations of their own
    *("run", "--exclude", "path:models/metrics", "path:models/measures"),
    *("--no-write-json", "--log-level-file", "info", "--no-static-parser"),
)


def run_models(target: str, folder: Path, cache: Path, environment: Mapping[str, str]) -> None:
    """Build all models with the target's engine. The parsed project is kept in the cache for later runs."""
    parsed, kept = folder / f"dbt-{target}" / PARSED, cache / f"{target}.msgpack"
    if kept.exists():
        parsed.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(kept, parsed)
    call_dbt(RUN, target, folder, environment)
    if parsed.exists():
        part = kept.with_name(f"{kept.name}.{os.getpid()}")
        shutil.copyfile(parsed, part)
        os.replace(part, kept)


def call_dbt(arguments: tuple[str, ...], target: str, folder: Path, environment: Mapping[str, str]) -> None:
    """Run a dbt command on the project, or raise StoreProblem. What it writes stays in the folder."""
    process = subprocess.run(  # noqa: S603 - the arguments are ours
        [
            *(sys.executable, "-c", "from dbt.cli.main import cli; cli()", "--quiet", *arguments),
            *("--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT), "--target", target),
            *("--target-path", str(folder / f"dbt-{target}"), "--log-path", str(folder / "logs")),
        ],
        env={**os.environ, **environment},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    if process.returncode:
        lines = (process.stdout + process.stderr).strip().splitlines()
        raise StoreProblem(
            f"dbt could not build the warehouse. See {folder / 'logs'}. Its last lines: {' '.join(lines[-12:])}"
        )
