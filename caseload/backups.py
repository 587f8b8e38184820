"""Backups and the examination of an installation: `caseload backup`, `restore` and `doctor`."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from caseload.api_process import ApiProcess
from caseload.console import (
    AsJson,
    connect_installation,
    describe_error,
    err,
    now,
    out,
    print_result,
    read_settings,
    show_progress,
)
from caseload.dashboards import examine_dashboards
from caseload.orchestration import examine_dagster

if TYPE_CHECKING:
    from practice.security.doctor import Finding
    from practice.security.installation import Installation


def run_doctor(as_json: AsJson = False) -> None:
    """Check the installation, and report every problem.

    Example: caseload doctor --json
    """
    from practice.security.doctor import Finding

    try:
        with stop_if_started(), connect_installation() as installation:
            findings = examine_installation(installation)
    except Exception as error:
        if not as_json:
            raise
        findings = [Finding("installation", False, describe_error(error))]
    print_result([vars(finding) for finding in findings], as_json, lambda: print_findings(findings))
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)


@contextmanager
def stop_if_started() -> Generator[None]:
    """Stop the embedded database afterwards, if it was not running before."""
    from practice.security.installation import open_installation

    settings = read_settings()
    embedded = open_installation(settings, pool_size=1).store.embedded
    was_running = embedded is None or embedded.is_running()
    try:
        yield
    finally:
        if embedded is not None and not was_running and ApiProcess(settings).find_running() is None:
            embedded.stop()


def examine_installation(installation: "Installation") -> list["Finding"]:
    from practice.security.doctor import examine
    from practice.sessions.examinations import EXAMINATIONS

    with show_progress("Examining") as report:
        found = examine(installation, now(), report, EXAMINATIONS)
        return [*found, examine_dagster(installation), examine_dashboards(installation)]


def print_findings(findings: list["Finding"]) -> None:
    table = Table("", "Area", "Finding")
    for finding in findings:
        table.add_row("[green]ok[/]" if finding.ok else "[bold red]WRONG[/]", finding.area, finding.message)
    out.print(table)


def create_backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A new file for the backup.")], as_json: AsJson = False
) -> None:
    """Write the whole installation to one encrypted file.

    The file has a checksum, and does not contain the master key.

    Example: caseload backup caseload-2026-03-18.backup
    """
    from practice.security.work import Actor
    from practice.store.backup import backup, refuse_existing

    refuse_existing(file)
    with connect_installation() as installation, show_progress("Writing the backup") as report:
        with installation.work(Actor(), now()) as work:
            work.record("backup.created")
        installation.anchor_audit(now())
        key = installation.master.derive("backup")
        header = backup(
            installation.store, file, key, installation.master.key_id, installation.settings.anchors, now(), report
        )
    message = f"Wrote {file}: {header['bytes']:,} bytes, encrypted with master key {header['key_id']}."
    print_result(header, as_json, lambda: out.print(message, markup=False))


def restore_backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file of the backup.")],
) -> None:
    """Restore a backup into an empty installation.

    The data folder, or the database, is empty. What was restored is examined.

    Example: caseload restore caseload-2026-03-18.backup --data-dir /var/lib/caseload-again
    """
    from practice.store.backup import restore

    with connect_installation(prepared=False) as installation:
        with show_progress("Restoring") as report:
            key = installation.master.derive("backup")
            header = restore(installation.store, file, key, installation.settings.anchors, now(), report)
        findings = examine_installation(installation)
    print_findings(findings)
    out.print(f"Restored the backup of {header['made_at']}.")
    if not all(finding.ok for finding in findings):
        err.print("[yellow]Warning:[/] The examination of what was restored found problems. See above.")
