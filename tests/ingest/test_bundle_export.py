"""A practice becomes a bundle: what is in force, of one moment, whole or not at all."""

import csv
import io
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from ingest.bundle.export import FolderInUse, export_practice
from practice.people.models.practices import Practice
from practice.people.practices import get_practice
from practice.people.trainings import record_training
from practice.security.installation import Installation
from practice.security.permissions import Scope
from practice.security.work import Actor
from tests.support.builders.bundles import NOW, move_in, move_out, named, places, small, write_folder
from tests.support.builders.people import make_practice

LATER = datetime(2026, 5, 1, 3, 30, tzinfo=UTC)  # still April in New York


@pytest.fixture
def practice(installation: Installation, tmp_path: Path) -> Practice:
    return move_in(installation, write_folder(tmp_path / "bundle", named(small()))).practice


def rows_of(files: dict[str, str], file: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(files[file], newline="")))


def change(installation: Installation, practice: Practice, statement: str, **values: object) -> None:
    with installation.store.session_in(practice.id) as db:
        db.execute(text(statement), {"tenant_id": practice.id, "now": NOW, **values})


def test_what_was_made_here_has_the_id_that_it_has_here(installation: Installation, tmp_path: Path) -> None:
    made = make_practice(installation)
    with made.work() as work:
        record_training(work, made.admin.staff_id, Scope.ALL, "HIPAA", date(2026, 3, 1))
        practice = get_practice(work.db, made.id)
    files = move_out(installation, practice, tmp_path / "out")
    (staff,) = rows_of(files, "staff.csv")
    (training,) = rows_of(files, "trainings.csv")
    assert staff["id"] == training["staff_id"] == str(made.admin.staff_id)
    assert (staff["roles"], training["completed_on"]) == ("admin", "2026-03-01")
    with pytest.raises(AssertionError, match="taken"):
        places(tmp_path / "out")


def test_rates_are_those_in_force_on_the_local_day(
    installation: Installation, practice: Practice, tmp_path: Path
) -> None:
    for day, cents in (("2026-04-30", 7000), ("2026-05-01", 8000)):
        change(
            installation,
            practice,
            """
            insert into pay_rates (tenant_id, id, staff_id, rate_cents, effective_on, set_at)
            select tenant_id, uuidv7(), id, :cents, cast(:day as date), :now from staff where external_id = 'CLI'
            """,
            day=day,
            cents=cents,
        )
        change(
            installation,
            practice,
            """
            insert into service_rates (tenant_id, id, service_id, rate_cents, effective_on, set_at)
            select tenant_id, uuidv7(), id, :cents, cast(:day as date), :now from services where code = 'COU45'
            """,
            day=day,
            cents=cents + 1,
        )
    export_practice(installation, practice.id, tmp_path / "out", LATER, lambda _: None)
    files = {file.name: file.read_text() for file in (tmp_path / "out").iterdir()}
    assert [row["base_pay_rate"] for row in rows_of(files, "staff.csv")] == ["", "95.00", "70.00", "50.00"]
    assert [row["rate"] for row in rows_of(files, "services.csv")] == ["70.01", "55.00"]


def test_a_multiplier_that_was_set_again_for_its_day_is_the_last(
    installation: Installation, practice: Practice, tmp_path: Path
) -> None:
    change(
        installation,
        practice,
        """
        insert into pay_multipliers (tenant_id, id, kind, multiplier, effective_on, set_at)
        values (:tenant_id, uuidv7(), 'INTAKE', 1.5, '2025-11-29', :now)
        """,
    )
    rates = rows_of(move_out(installation, practice, tmp_path / "out"), "rates.csv")
    assert [row["multiplier"] for row in rates] == ["1.50", "1.35", "1.75"]


def test_what_was_voided_stays_out_unless_something_refers_to_it(
    installation: Installation, practice: Practice, tmp_path: Path
) -> None:
    for table in ("coverages", "consents", "incidents", "closures", "availability_windows", "payments"):
        change(installation, practice, f"update {table} set voided_at = :now where tenant_id = :tenant_id")
    change(
        installation,
        practice,
        "update charges set voided_at = :now where tenant_id = :tenant_id and external_id = 'H2'",
    )
    files = move_out(installation, practice, tmp_path / "out")
    left = {name: [row.get("id") for row in rows_of(files, name)] for name in files}
    assert left["coverages.csv"] == ["V1"]  # claims are made on it
    for name in ("consents", "incidents", "closures", "availability", "payments", "payment_applications", "refunds"):
        assert left[f"{name}.csv"] == []
    assert [row["voided_at"] for row in rows_of(files, "charges.csv")] == [
        "",
        "2026-03-18T15:30:00Z",
        "2025-10-09T16:00:00Z",
    ]
    with pytest.raises(AssertionError, match="taken"):
        places(tmp_path / "out")


def test_all_files_are_of_one_moment(installation: Installation, practice: Practice, tmp_path: Path) -> None:
    def say(words: str) -> None:
        if words == "Writing staff.csv":
            change(installation, practice, "update rooms set name = 'Painted' where tenant_id = :tenant_id")

    export_practice(installation, practice.id, tmp_path / "out", NOW, say)
    assert "Painted" not in (tmp_path / "out" / "rooms.csv").read_text()
    assert "Painted" in move_out(installation, practice, tmp_path / "again")["rooms.csv"]


def test_an_export_that_fails_leaves_no_folder(installation: Installation, practice: Practice, tmp_path: Path) -> None:
    def say(words: str) -> None:
        if words == "Writing notes.csv":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export_practice(installation, practice.id, tmp_path / "there" / "out", NOW, say)
    assert list((tmp_path / "there").iterdir()) == []


def test_a_folder_with_something_in_it_is_left_alone(
    installation: Installation, practice: Practice, tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    for taken in (tmp_path / "out", tmp_path / "out" / "mine.txt"):
        with pytest.raises(FolderInUse):
            move_out(installation, practice, taken)
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["mine.txt"]


def test_an_export_is_private_and_on_record(installation: Installation, practice: Practice, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    move_out(installation, practice, tmp_path / "out")
    assert (tmp_path / "out").stat().st_mode & 0o077 == 0
    with installation.work(Actor(practice.id), NOW) as work:
        actions = work.db.scalars(
            text("select action from audit_log where tenant_id = :t order by seq"), {"t": practice.id}
        )
        assert list(actions) == ["practice.imported", "practice.exported"]
