"""Backups, total loss, and restores."""

import resource
import shutil
import signal
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from practice.errors import CaseloadError, StoreProblem
from practice.security.doctor import examine
from practice.security.encryption import MasterKey
from practice.security.installation import Installation
from practice.security.work import Actor
from practice.store.backup import backup, restore
from tests.support.builders.people import NOW, make_practice
from tests.support.harness.installations import create_short_folder, open_embedded_installation

CANARY = "98-7654321"


@pytest.fixture
def folder() -> Generator[Path]:
    with create_short_folder() as folder:
        yield folder


def ignore_progress(_: str) -> None:
    pass


def read_all_rows(installation: Installation) -> dict[str, list[str]]:
    """Return all rows of all tables as text, read as the administrator."""
    with installation.store.open_owner_connection() as connection:
        tables = connection.scalars(
            text("select tablename from pg_tables where schemaname = 'public' order by 1")
        ).all()
        return {
            table: list(connection.scalars(text(f"select t::text from {table} as t order by t::text")))
            for table in tables
        }


def write_backup(installation: Installation, file: Path) -> None:
    installation.anchor_audit(NOW)
    key = installation.master.derive("backup")
    backup(
        installation.store, file, key, installation.master.key_id, installation.settings.anchors, NOW, ignore_progress
    )


def read_backup(installation: Installation, file: Path) -> None:
    restore(
        installation.store,
        file,
        installation.master.derive("backup"),
        installation.settings.anchors,
        NOW,
        ignore_progress,
    )


def test_a_restore_after_a_total_loss_brings_everything_back(folder: Path) -> None:
    master = MasterKey.generate()
    data, file = folder / "data", folder / "all.backup"
    with open_embedded_installation(data, master) as installation:
        practice = make_practice(installation, "Oak Street", tax_id=CANARY)
        practice.add("clinician")
        make_practice(installation, "Elm Street")
        before = read_all_rows(installation)
        write_backup(installation, file)
    assert before["staff"]
    assert before["audit_log"]
    shutil.rmtree(data)
    with open_embedded_installation(data, master, prepared=False) as installation:
        read_backup(installation, file)
        assert read_all_rows(installation) == before
        assert [finding for finding in examine(installation, NOW) if not finding.ok] == []
        with installation.work(Actor(practice.id), NOW) as work:
            sealed = work.db.scalar(text("select tax_id from practices where id = :id"), {"id": practice.id})
            assert work.unseal("practices", "tax_id", practice.id, sealed) == CANARY
            assert work.db.scalar(text("select current_user")) == "caseload_app"


def test_a_backup_cannot_be_restored_without_its_key(folder: Path) -> None:
    file = folder / "all.backup"
    master = MasterKey.generate()
    with open_embedded_installation(folder / "data", master) as installation:
        write_backup(installation, file)
    with open_embedded_installation(folder / "other", MasterKey.generate(), prepared=False) as installation:
        with pytest.raises(CaseloadError, match=master.key_id):
            read_backup(installation, file)
        installation.store.make_roles()
        assert read_all_rows(installation) == {}


@pytest.mark.parametrize("damage", ["cut", "bit"])
def test_a_damaged_backup_restores_nothing(folder: Path, damage: str) -> None:
    master, file = MasterKey.generate(), folder / "all.backup"
    with open_embedded_installation(folder / "data", master) as installation:
        make_practice(installation)
        write_backup(installation, file)
    content = bytearray(file.read_bytes())
    if damage == "cut":
        del content[-1000:]
    else:
        content[-500] ^= 1
    file.write_bytes(content)
    with open_embedded_installation(folder / "other", master, prepared=False) as installation:
        with pytest.raises(CaseloadError):
            read_backup(installation, file)
        assert read_all_rows(installation) == {}


def test_a_restore_never_overwrites_a_database(folder: Path) -> None:
    master, file = MasterKey.generate(), folder / "all.backup"
    with open_embedded_installation(folder / "data", master) as installation:
        make_practice(installation)
        write_backup(installation, file)
        before = read_all_rows(installation)
        with pytest.raises(StoreProblem, match="never overwrites"):
            read_backup(installation, file)
        assert read_all_rows(installation) == before


def test_a_backup_contains_no_key_and_no_plain_text(folder: Path) -> None:
    master, file = MasterKey.generate(), folder / "all.backup"
    with open_embedded_installation(folder / "data", master) as installation:
        make_practice(installation, "Canary Lane Therapy")
        write_backup(installation, file)
    content = file.read_bytes()
    assert b"Canary" not in content
    assert master.to_text().encode() not in content


@contextmanager
def limit_file_size() -> Generator[None]:
    """Limit files of this process to a few kilobytes. The error is the same as for a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_a_backup_that_does_not_fit_leaves_no_partial_file(folder: Path) -> None:
    with open_embedded_installation(folder / "data", MasterKey.generate()) as installation:
        make_practice(installation)
        installation.anchor_audit(NOW)
        with limit_file_size(), pytest.raises(StoreProblem, match="Choose another location"):
            write_backup(installation, folder / "all.backup")
    assert [path.name for path in folder.iterdir()] == ["data"]
