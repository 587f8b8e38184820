"""A backup, the loss of everything, and the way back."""

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
from tests.support.harness.installations import installation_in, short_folder

CANARY = "98-7654321"


@pytest.fixture
def folder() -> Generator[Path]:
    with short_folder() as made:
        yield made


def quiet(_: str) -> None:
    pass


def every_row(installation: Installation) -> dict[str, list[str]]:
    """All rows of all tables, as text, seen by the administrator."""
    with installation.store.owner_connection() as connection:
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
    backup(installation.store, file, key, installation.master.key_id, installation.settings.anchors, NOW, quiet)


def read_backup(installation: Installation, file: Path) -> None:
    restore(installation.store, file, installation.master.derive("backup"), installation.settings.anchors, NOW, quiet)


def test_after_a_total_loss_everything_is_back(folder: Path) -> None:
    master = MasterKey.generate()
    data, file = folder / "data", folder / "all.backup"
    with installation_in(data, master) as installation:
        practice = make_practice(installation, "Oak Street", tax_id=CANARY)
        practice.add("clinician")
        make_practice(installation, "Elm Street")
        before = every_row(installation)
        write_backup(installation, file)
    assert before["staff"]
    assert before["audit_log"]
    shutil.rmtree(data)
    with installation_in(data, master, prepared=False) as installation:
        read_backup(installation, file)
        assert every_row(installation) == before
        assert [finding for finding in examine(installation, NOW) if not finding.ok] == []
        with installation.work(Actor(practice.id), NOW) as work:
            sealed = work.db.scalar(text("select tax_id from practices where id = :id"), {"id": practice.id})
            assert work.unseal("practices", "tax_id", practice.id, sealed) == CANARY
            assert work.db.scalar(text("select current_user")) == "caseload_app"


def test_without_the_key_a_backup_stays_closed(folder: Path) -> None:
    file = folder / "all.backup"
    right = MasterKey.generate()
    with installation_in(folder / "data", right) as installation:
        write_backup(installation, file)
    with installation_in(folder / "other", MasterKey.generate(), prepared=False) as installation:
        with pytest.raises(CaseloadError, match=right.key_id):
            read_backup(installation, file)
        installation.store.make_roles()
        assert every_row(installation) == {}


@pytest.mark.parametrize("damage", ["cut", "bit"])
def test_a_damaged_backup_brings_nothing_back(folder: Path, damage: str) -> None:
    master, file = MasterKey.generate(), folder / "all.backup"
    with installation_in(folder / "data", master) as installation:
        make_practice(installation)
        write_backup(installation, file)
    content = bytearray(file.read_bytes())
    if damage == "cut":
        del content[-1000:]
    else:
        content[-500] ^= 1
    file.write_bytes(content)
    with installation_in(folder / "other", master, prepared=False) as installation:
        with pytest.raises(CaseloadError):
            read_backup(installation, file)
        assert every_row(installation) == {}


def test_a_restore_never_writes_over_a_database(folder: Path) -> None:
    master, file = MasterKey.generate(), folder / "all.backup"
    with installation_in(folder / "data", master) as installation:
        make_practice(installation)
        write_backup(installation, file)
        before = every_row(installation)
        with pytest.raises(StoreProblem, match="never writes over"):
            read_backup(installation, file)
        assert every_row(installation) == before


def test_a_backup_holds_no_key_and_nothing_readable(folder: Path) -> None:
    master, file = MasterKey.generate(), folder / "all.backup"
    with installation_in(folder / "data", master) as installation:
        make_practice(installation, "Canary Lane Therapy")
        write_backup(installation, file)
    content = file.read_bytes()
    assert b"Canary" not in content
    assert master.to_text().encode() not in content


@contextmanager
def little_room() -> Generator[None]:
    """Files of this process may not grow past a few kilobytes: the error is the one of a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_a_backup_that_does_not_fit_leaves_no_part_behind(folder: Path) -> None:
    with installation_in(folder / "data", MasterKey.generate()) as installation:
        make_practice(installation)
        installation.anchor_audit(NOW)
        kept = folder / "all.backup"
        kept.write_bytes(b"yesterday's")
        with little_room(), pytest.raises(StoreProblem, match="Choose another place"):
            write_backup(installation, kept)
    assert kept.read_bytes() == b"yesterday's"
    assert sorted(path.name for path in folder.iterdir()) == ["all.backup", "data"]
