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


def every_row(house: Installation) -> dict[str, list[str]]:
    """All rows of all tables, as text, seen by the administrator."""
    with house.store.owner_connection() as connection:
        tables = connection.scalars(
            text("select tablename from pg_tables where schemaname = 'public' order by 1")
        ).all()
        return {
            table: list(connection.scalars(text(f"select t::text from {table} as t order by t::text")))
            for table in tables
        }


def write_backup(house: Installation, file: Path) -> None:
    house.anchor_audit(NOW)
    key = house.master.derive("backup")
    backup(house.store, file, key, house.master.key_id, house.settings.anchors, NOW, quiet)


def read_backup(house: Installation, file: Path) -> None:
    restore(house.store, file, house.master.derive("backup"), house.settings.anchors, NOW, quiet)


def test_after_a_total_loss_everything_is_back(folder: Path) -> None:
    master = MasterKey.generate()
    data, file = folder / "data", folder / "all.backup"
    with installation_in(data, master) as house:
        practice = make_practice(house, "Oak Street", tax_id=CANARY)
        practice.add("clinician")
        make_practice(house, "Elm Street")
        before = every_row(house)
        write_backup(house, file)
    assert before["staff"]
    assert before["audit_log"]
    shutil.rmtree(data)
    with installation_in(data, master, prepared=False) as house:
        read_backup(house, file)
        assert every_row(house) == before
        assert [finding for finding in examine(house, NOW) if not finding.ok] == []
        with house.work(Actor(practice.id), NOW) as work:
            sealed = work.db.scalar(text("select tax_id from practices where id = :id"), {"id": practice.id})
            assert work.unseal("practices", "tax_id", practice.id, sealed) == CANARY
            assert work.db.scalar(text("select current_user")) == "caseload_app"


def test_without_the_key_a_backup_stays_closed(folder: Path) -> None:
    file = folder / "all.backup"
    right = MasterKey.generate()
    with installation_in(folder / "data", right) as house:
        write_backup(house, file)
    with installation_in(folder / "other", MasterKey.generate(), prepared=False) as house:
        with pytest.raises(CaseloadError, match=right.key_id):
            read_backup(house, file)
        house.store.make_roles()
        assert every_row(house) == {}


@pytest.mark.parametrize("damage", ["cut", "bit"])
def test_a_damaged_backup_brings_nothing_back(folder: Path, damage: str) -> None:
    master, file = MasterKey.generate(), folder / "all.backup"
    with installation_in(folder / "data", master) as house:
        make_practice(house)
        write_backup(house, file)
    content = bytearray(file.read_bytes())
    if damage == "cut":
        del content[-1000:]
    else:
        content[-500] ^= 1
    file.write_bytes(content)
    with installation_in(folder / "other", master, prepared=False) as house:
        with pytest.raises(CaseloadError):
            read_backup(house, file)
        assert every_row(house) == {}


def test_a_restore_never_writes_over_a_database(folder: Path) -> None:
    master, file = MasterKey.generate(), folder / "all.backup"
    with installation_in(folder / "data", master) as house:
        make_practice(house)
        write_backup(house, file)
        before = every_row(house)
        with pytest.raises(StoreProblem, match="never writes over"):
            read_backup(house, file)
        assert every_row(house) == before


def test_a_backup_holds_no_key_and_nothing_readable(folder: Path) -> None:
    master, file = MasterKey.generate(), folder / "all.backup"
    with installation_in(folder / "data", master) as house:
        make_practice(house, "Canary Lane Therapy")
        write_backup(house, file)
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
    with installation_in(folder / "data", MasterKey.generate()) as house:
        make_practice(house)
        house.anchor_audit(NOW)
        kept = folder / "all.backup"
        kept.write_bytes(b"yesterday's")
        with little_room(), pytest.raises(StoreProblem, match="Choose another place"):
            write_backup(house, kept)
    assert kept.read_bytes() == b"yesterday's"
    assert sorted(path.name for path in folder.iterdir()) == ["all.backup", "data"]
