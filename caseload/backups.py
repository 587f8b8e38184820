"""Backups and the examination of an installation: `caseload backup`, `restore` and `doctor`."""

from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.table import Table

from caseload.console import AsJson, connect_installation, now, out, print_result, show_progress
from practice.errors import StoreProblem

if TYPE_CHECKING:
    from practice.security.doctor import Finding
    from practice.security.installation import Installation


def run_doctor(as_json: AsJson = False) -> None:
    """Check the installation, and report every problem.

    Example: caseload doctor --json
    """
    with connect_installation() as installation:
        findings = examine_installation(installation)
    print_result([vars(finding) for finding in findings], as_json, lambda: print_findings(findings))
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)


def examine_installation(installation: "Installation") -> list["Finding"]:
    from practice.security.doctor import examine
    from practice.sessions.examinations import EXAMINATIONS

    with show_progress("Examining") as report:
        return examine(installation, now(), report, EXAMINATIONS)


def print_findings(findings: list["Finding"]) -> None:
    table = Table("", "Area", "Finding")
    for finding in findings:
        table.add_row("[green]ok[/]" if finding.ok else "[bold red]WRONG[/]", finding.area, finding.message)
    out.print(table)


def create_backup(file: Path, as_json: AsJson = False) -> None:
    """Write the whole installation to one encrypted, checksummed file. It does not contain the master key.

    Example: caseload backup caseload-2026-03-18.backup
    """
    from practice.security.work import Actor
    from practice.store.backup import backup

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


def restore_backup(file: Path) -> None:
    """Restore a backup into an empty data folder or database, and examine it.

    Example: caseload restore caseload-2026-03-18.backup --data-dir /var/lib/caseload-again
    """
    from practice.store.backup import restore

    with connect_installation(prepared=False) as installation:
        with show_progress("Restoring") as report:
            key = installation.master.derive("backup")
            header = restore(installation.store, file, key, installation.settings.anchors, now(), report)
        findings = examine_installation(installation)
    print_findings(findings)
    if not all(finding.ok for finding in findings):
        raise StoreProblem("Restored the backup, but the examination found problems. See above.")
    out.print(f"Restored the backup of {header['made_at']}.")
